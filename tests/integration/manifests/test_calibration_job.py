"""The real API server accepts the calibration Job, and its pod passes Pod Security ``restricted``.

Not covered: a run of it.
"""

import json
from pathlib import Path
from typing import get_args

import pytest

from builders import configuration, policy
from cluster.api_server import ApiServer
from costpolicy.manifests.calibration_job import calibration_job
from costpolicy.manifests.calibration_load import CalibrationLoad, LoadGenerator
from costpolicy.planning.demand import Demand

LOAD = CalibrationLoad(
    requests=Demand(
        requests_per_second=3.0, prompt_tokens=1000.0, output_tokens=250.0, cached_tokens=500.0, source="Spec"
    ),
    capacity=10.0,
    answer_time=5.0,
    context=8192,
)


@pytest.fixture(scope="module")
def namespace(api_server: ApiServer) -> str:
    name = "calibrating"
    api_server.kubectl("create", "namespace", name)
    api_server.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    api_server.kubectl("create", "serviceaccount", "default", "-n", name)  # no controller runs that would
    return name


@pytest.mark.parametrize("generator", get_args(LoadGenerator))
def test_the_api_server_accepts_both_objects(
    api_server: ApiServer, namespace: str, tmp_path: Path, generator: LoadGenerator
) -> None:
    items = calibration_job(policy(namespace=namespace, uid=""), configuration(), LOAD, generator)
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)}))

    answer = api_server.kubectl("create", "--dry-run=server", "--validate=strict", "-f", str(path))

    assert "configmap/chat-calibration" in answer
    assert "job.batch/chat-calibration" in answer


@pytest.mark.parametrize("generator", get_args(LoadGenerator))
def test_its_pod_passes_restricted_pod_security(
    api_server: ApiServer, namespace: str, tmp_path: Path, generator: LoadGenerator
) -> None:
    _, job = calibration_job(policy(namespace=namespace, uid=""), configuration(), LOAD, generator)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "load", "namespace": namespace},
        "spec": job["spec"]["template"]["spec"],
    }
    path = tmp_path / "pod.json"
    path.write_text(json.dumps(pod))

    answer = api_server.kubectl("create", "--dry-run=server", "--validate=strict", "-f", str(path))

    assert "pod/load created" in answer
