"""Evaluation Jobs on a real API server, under the chart's own roles: made, found again, paused, read, deleted.

Not covered: a controller that runs them (its status is written by the test as the controller writes it).
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from costpolicy.api.operation import Prompts
from costpolicy.api.policy import CostPolicy
from costpolicy.clock import SystemClock
from costpolicy.kube.cluster import ClusterGateway
from costpolicy.kube.connection import Connection, connect
from costpolicy.kube.errors import Forbidden
from costpolicy.kube.gateway import JOB_LABEL, FieldManager, Object, reference
from costpolicy.kube.mirror import MirrorGateway
from costpolicy.manifests.evaluation_job import Contest, evaluation_job, pause_map
from costpolicy.quality.result import Arm, EvaluationResult
from costpolicy.reconcile.evaluations import Asked, Asking, Evaluations
from plain_documents import policy

NAMESPACE = "examining"
CONTEST = Contest(baseline="0123456789", canary="abcdefabcd")
RESULT = EvaluationResult(
    prompts_digest="abc",
    judge="Exact",
    both_right=90,
    lost=0,
    gained=0,
    both_wrong=10,
    identical=100,
    baseline=Arm(),
    canary=Arm(),
)
BEGAN, ENDED = datetime(2026, 11, 2, 10, tzinfo=UTC), datetime(2026, 11, 2, 11, tzinfo=UTC)


@pytest.fixture
def operator(operator_kubeconfig: Path) -> ClusterGateway:
    return ClusterGateway(connect(kubeconfig=str(operator_kubeconfig)), SystemClock())


@pytest.fixture(scope="module")
def owner(administrator: Connection) -> CostPolicy:
    for path, kind, name in (
        ("/api/v1/namespaces", "Namespace", NAMESPACE),
        (f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", "ServiceAccount", "default"),
    ):
        administrator.request("POST", path, body={"apiVersion": "v1", "kind": kind, "metadata": {"name": name}})
    document = policy(name="examined")
    metadata = {**document["metadata"], "namespace": NAMESPACE}
    path = f"/apis/costpolicy.dev/v1alpha1/namespaces/{NAMESPACE}/costpolicies"
    stored = administrator.request("POST", path, body={**document, "metadata": metadata})
    return CostPolicy.model_validate(stored)


@pytest.fixture
def job(operator: ClusterGateway, owner: CostPolicy) -> Object:
    prompts = Prompts.model_validate({"configMapRef": {"name": "questions"}})
    return operator.apply(evaluation_job(owner, prompts, CONTEST, "operator:1"), FieldManager.OPERATOR)


def test_a_job_is_made_found_again_and_deleted(operator: ClusterGateway, owner: CostPolicy, job: Object):
    assert ["Job"] == [item["kind"] for item in operator.owned(NAMESPACE, "examined")]
    evaluations = Evaluations(operator).of(NAMESPACE, "examined", operator.owned(NAMESPACE, "examined"))
    assert {job["metadata"]["name"]: Asking(uid=job["metadata"]["uid"])} == evaluations

    operator.delete(reference(job))
    assert () == operator.owned(NAMESPACE, "examined")


def test_it_is_paused_and_goes_on_and_the_same_again_is_no_write(
    operator: ClusterGateway, owner: CostPolicy, job: Object
):
    name, uid = job["metadata"]["name"], job["metadata"]["uid"]
    mirror = MirrorGateway(operator)
    mirror.refresh()
    since = datetime(2026, 11, 2, tzinfo=UTC)
    versions = [
        mirror.apply(pause_map(owner, name, uid, paused), FieldManager.OPERATOR)["metadata"]["resourceVersion"]
        for paused in (None, None, since, since, None)
    ]
    assert versions[0] == versions[1] != versions[2] == versions[3] != versions[4]

    mirror.apply(pause_map(owner, name, uid, since), FieldManager.OPERATOR)
    owned = mirror.owned(NAMESPACE, "examined")
    assert {name: Asking(uid=uid, paused_since=since)} == Evaluations(mirror).of(NAMESPACE, "examined", owned)


def test_what_its_pod_left_is_read_from_the_pod(
    administrator: Connection, operator: ClusterGateway, owner: CostPolicy, job: Object
):
    name, namespace = job["metadata"]["name"], NAMESPACE
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{name}-pod", "labels": {JOB_LABEL: name}},
        "spec": {"containers": [{"name": "evaluator", "image": "operator:1"}]},
    }
    administrator.request("POST", f"/api/v1/namespaces/{namespace}/pods", body=pod)
    ended = {"exitCode": 0, "message": RESULT.line(), "finishedAt": ENDED.isoformat(), "startedAt": BEGAN.isoformat()}
    state = {"name": "evaluator", "state": {"terminated": ended}, "image": "", "imageID": "", "ready": False}
    _merge(
        administrator,
        f"/api/v1/namespaces/{namespace}/pods/{name}-pod/status",
        {"phase": "Succeeded", "containerStatuses": [{**state, "restartCount": 0}]},
    )
    condition = {"status": "True", "lastTransitionTime": ENDED.isoformat(), "lastProbeTime": ENDED.isoformat()}
    met = {"type": "SuccessCriteriaMet", "reason": "CompletionsReached", **condition}
    complete = {"type": "Complete", "reason": "CompletionsReached", **condition}
    _merge(
        administrator,
        f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}/status",
        {
            "startTime": BEGAN.isoformat(),
            "completionTime": ENDED.isoformat(),
            "succeeded": 1,
            "ready": 0,
            "conditions": [met, complete],
        },
    )

    found = Evaluations(operator).of(namespace, "examined", operator.owned(namespace, "examined"))
    assert {name: Asked(contest=CONTEST, result=RESULT, began=BEGAN, ended=ENDED)} == found


def test_no_more_than_that_is_allowed(operator_kubeconfig: Path):
    connection = connect(kubeconfig=str(operator_kubeconfig))

    for path in ("/api/v1/configmaps", "/api/v1/namespaces/default/configmaps"):
        with pytest.raises(Forbidden):
            connection.request("GET", path)
    for path in ("/api/v1/namespaces/default/pods/x/log", "/api/v1/namespaces/default/pods/x"):
        with pytest.raises(Forbidden):
            connection.request("GET", path)


def _merge(administrator: Connection, path: str, status: dict[str, Any]) -> None:
    administrator.request("PATCH", path, body={"status": status}, content_type="application/merge-patch+json")
