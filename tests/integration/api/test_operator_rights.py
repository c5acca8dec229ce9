"""The chart's own roles suffice for every call that the operator makes, and stop what it has no business with.

Not covered: that no other call is ever made (the integration tests of the loop run under the same account).
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from costpolicy.clock import SystemClock
from costpolicy.kube.cluster import ClusterGateway
from costpolicy.kube.connection import Connection, connect
from costpolicy.kube.errors import Forbidden
from costpolicy.kube.gateway import MANAGED_BY, MANAGED_BY_LABEL, FieldManager, reference
from costpolicy.kube.leases import ClusterLease, LeaseRecord
from plain_documents import policy

LABELS = {MANAGED_BY_LABEL: MANAGED_BY, "costpolicy.dev/policy": "rights"}
TEMPLATE = {
    "metadata": {"labels": LABELS},
    "spec": {"containers": [{"name": "main", "image": "engine:1"}]},
}
CHILDREN: tuple[dict[str, Any], ...] = (
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {"selector": {"matchLabels": LABELS}, "template": TEMPLATE},
    },
    {"apiVersion": "v1", "kind": "Service", "spec": {"selector": LABELS, "ports": [{"port": 8000}]}},
    {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
    },
    {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "rights"},
            "minReplicas": 1,
            "maxReplicas": 2,
        },
    },
)


@pytest.fixture
def operator(operator_kubeconfig: Path) -> ClusterGateway:
    return ClusterGateway(connect(kubeconfig=str(operator_kubeconfig)), SystemClock())


@pytest.fixture(scope="module")
def owner(administrator: Connection) -> dict[str, Any]:
    path = "/apis/costpolicy.dev/v1alpha1/namespaces/default/costpolicies"
    stored: dict[str, Any] = administrator.request("POST", path, body=policy(name="rights"))
    return stored


def test_reads_everything_that_it_plans_with(operator: ClusterGateway, owner: dict[str, Any]):
    assert "rights" in [item.metadata.name for item in operator.policies()]
    operator.price_books()
    operator.nodes()
    operator.pods()


@pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child["kind"])
def test_creates_changes_and_deletes_children(operator: ClusterGateway, owner: dict[str, Any], child: dict[str, Any]):
    owned_by = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": "rights",
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    named = {"name": "rights", "namespace": "default", "labels": LABELS, "ownerReferences": [owned_by]}
    wanted = {**child, "metadata": named}

    operator.apply(wanted, FieldManager.OPERATOR)
    operator.apply({**wanted, "metadata": {**named, "annotations": {"changed": "yes"}}}, FieldManager.OPERATOR)
    assert [child["kind"]] == [item["kind"] for item in operator.owned("default", "rights")]

    operator.delete(reference(wanted))
    assert operator.owned("default", "rights") == ()


def test_writes_status_and_nothing_else_of_a_policy(operator: ClusterGateway, owner: dict[str, Any]):
    operator.apply_status(reference(owner), {"observedGeneration": 1})

    path = "/apis/costpolicy.dev/v1alpha1/namespaces/default/costpolicies/rights"
    with pytest.raises(Forbidden):
        operator._connection.request(
            "PATCH", path, body={"spec": {"deletionPolicy": "Orphan"}}, content_type="application/merge-patch+json"
        )


def test_holds_the_lease_of_its_own_name(operator_kubeconfig: Path):
    now = datetime(2026, 11, 22, tzinfo=UTC)
    record = LeaseRecord(holder="a", duration=timedelta(seconds=15), acquired=now, renewed=now, transitions=0)
    connection = connect(kubeconfig=str(operator_kubeconfig))
    lease = ClusterLease(connection, "costpolicy", "costpolicy-operator")

    lease.write(record, lease.read())
    stored = lease.read()
    assert stored is not None
    lease.write(record, stored)

    with pytest.raises(Forbidden):
        ClusterLease(connection, "costpolicy", "somebody-elses").read()


def test_secrets_stay_closed(operator_kubeconfig: Path):
    connection = connect(kubeconfig=str(operator_kubeconfig))

    for path in ("/api/v1/secrets", "/api/v1/namespaces/costpolicy/secrets/x"):
        with pytest.raises(Forbidden):
            connection.request("GET", path)
