"""The real API server accepts every reviewed object as it is, and changes nothing of what was meant.

Covered: strict field validation and admission of each golden case by server-side apply, Pod Security
``restricted``, PodMonitors and ScaledObjects where their CRDs are installed. Not covered: pods that run (tests/e2e).
"""

import json
from pathlib import Path

import pytest
import yaml

from cluster.api_server import ApiServer
from golden.rendering import Case, cases
from storing import missing


@pytest.fixture(scope="session")
def namespace(api_server: ApiServer) -> str:
    name = "serving"
    api_server.kubectl("create", "namespace", name)
    api_server.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    api_server.kubectl("create", "serviceaccount", "default", "-n", name)  # no controller runs that would
    return name


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.folder.name)
def test_the_api_server_accepts_it(case: Case, api_server: ApiServer, namespace: str, tmp_path: Path) -> None:
    arguments = ["apply", "--server-side", "--validate=strict", "--dry-run=server", "-n", namespace, "-o", "json"]

    answer = json.loads(api_server.kubectl(*arguments, "-f", str(case.expected)))

    sent = list(yaml.safe_load_all(case.expected.read_text()))
    assert [item["metadata"]["name"] for item in sent] == [item["metadata"]["name"] for item in answer["items"]]
    for meant, stored in zip(sent, answer["items"], strict=True):
        assert [] == missing(meant["spec"], stored["spec"], meant["kind"])


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.folder.name)
def test_its_pods_pass_restricted_pod_security(
    case: Case, api_server: ApiServer, namespace: str, tmp_path: Path
) -> None:
    deployment = next(iter(yaml.safe_load_all(case.expected.read_text())))
    template = deployment["spec"]["template"]
    # Classes and accounts of the case do not exist here; Pod Security looks at the rest.
    spec = {
        key: value for key, value in template["spec"].items() if key not in ("priorityClassName", "runtimeClassName")
    }
    spec["serviceAccountName"] = "default"
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "engine", "namespace": namespace}, "spec": spec}
    path = tmp_path / "pod.json"
    path.write_text(json.dumps(pod))
    answer = api_server.kubectl("create", "--dry-run=server", "--validate=strict", "-f", str(path))

    assert "pod/engine created" in answer
