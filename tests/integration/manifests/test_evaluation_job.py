"""The real API server accepts the evaluation Job, and its pod passes Pod Security ``restricted``.

Not covered: a run of it.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from builders import policy
from cluster.api_server import ApiServer
from costpolicy.api.operation import Prompts
from costpolicy.manifests.evaluation_job import Contest, evaluation_job

NAMESPACE = "evaluating"
SECRET = {"name": "judge", "key": "key"}
PROMPTS: tuple[dict[str, Any], ...] = (
    {"configMapRef": {"name": "questions"}},
    {
        "claimName": "evaluations",
        "judge": {
            "type": "Model",
            "model": {"baseURL": "https://judge.example/v1", "model": "m", "apiKeySecretRef": SECRET},
        },
    },
)


@pytest.fixture(scope="module")
def namespace(api_server: ApiServer) -> str:
    api_server.kubectl("create", "namespace", NAMESPACE)
    api_server.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    api_server.kubectl("create", "serviceaccount", "default", "-n", NAMESPACE)  # no controller runs that would
    return NAMESPACE


@pytest.mark.parametrize("prompts", PROMPTS, ids=("config map", "claim and judging model"))
def test_the_api_server_accepts_the_job_and_its_pod(
    api_server: ApiServer, namespace: str, tmp_path: Path, prompts: dict[str, Any]
) -> None:
    contest = Contest(baseline="0123456789", canary="abcdefabcd")
    job = evaluation_job(policy(namespace=namespace, uid=""), Prompts.model_validate(prompts), contest, "operator:1")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "evaluator", "namespace": namespace},
        "spec": job["spec"]["template"]["spec"],
    }
    path = tmp_path / "objects.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [job, pod]}))

    answer = api_server.kubectl("create", "--dry-run=server", "--validate=strict", "-f", str(path))

    assert "job.batch/chat-evaluation" in answer
    assert "pod/evaluator created" in answer
