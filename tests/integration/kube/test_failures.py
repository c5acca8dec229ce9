"""What only a real API server says: schemas, RBAC, finalizers, field managers, pages, leases.

Covered: refusals and their types, that a refused write leaves the world alone, lists for 1,000 policies,
lease takeover. Not covered: an API server that fails (``tests/unit/kube/test_connection.py``).
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from costpolicy.clock import SystemClock
from costpolicy.kube.cluster import ClusterGateway
from costpolicy.kube.connection import PAGE_SIZE, connect
from costpolicy.kube.errors import Conflict, Forbidden, Invalid, NotLeader
from costpolicy.kube.gateway import Event, EventType, reference
from costpolicy.kube.kinds import COST_POLICY
from costpolicy.kube.leases import ClusterLease
from costpolicy.kube.mirror import MirrorGateway
from costpolicy.runtime.lease import LEASE_DURATION, Election
from gateway_contract.objects import OPERATOR, deployment, policy, service


def test_a_field_that_kubernetes_does_not_know_is_refused(cluster_gateway: ClusterGateway, world) -> None:
    intent = deployment(world.namespace)
    intent["spec"]["template"]["spec"]["contaners"] = []

    with pytest.raises(Invalid, match="contaners"):
        cluster_gateway.apply(intent, OPERATOR)
    assert world.get(reference(intent)) is None


def test_a_status_that_the_schema_does_not_know_is_refused(cluster_gateway: ClusterGateway, world) -> None:
    stored = world.create(policy(world.namespace))

    with pytest.raises(Invalid, match="mood"):
        cluster_gateway.apply_status(reference(stored), {"mood": "good"})


def test_a_child_that_is_being_deleted_is_a_conflict(cluster_gateway: ClusterGateway, world) -> None:
    stored = cluster_gateway.apply(service(world.namespace), OPERATOR)
    finalizer = {"metadata": {"finalizers": ["example.com/wait"]}}
    world.edit(reference(stored), finalizer, "somebody")
    world.remove(reference(stored))

    with pytest.raises(Conflict, match="is being deleted"):
        cluster_gateway.apply(service(world.namespace), OPERATOR)
    world.edit(reference(stored), {"metadata": {"finalizers": []}}, "somebody")


def test_who_does_not_lead_writes_nothing(connection, world) -> None:
    stored = world.create(policy(world.namespace))
    gateway = ClusterGateway(connection, SystemClock(), may_write=lambda: False)
    event = Event(regarding=reference(stored), type=EventType.NORMAL, reason="A", action="B", note="c")
    gateway.publish(event)
    for write in (
        lambda: gateway.apply(service(world.namespace), OPERATOR),
        lambda: gateway.apply_status(reference(stored), {"observedGeneration": 1}),
        lambda: gateway.delete(reference(stored)),
    ):
        with pytest.raises(NotLeader):
            write()

    assert stored == world.get(reference(stored))
    assert world.get(reference(service(world.namespace))) is None
    assert world.events() == []


def test_who_has_no_permission_is_told_which_one(connection, kubeconfig: str, world, tmp_path: Path) -> None:
    account = f"/api/v1/namespaces/{world.namespace}/serviceaccounts/default/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = connection.request("POST", account, body=request)["status"]["token"]
    document = yaml.safe_load(Path(kubeconfig).read_text())
    document["users"][0]["user"] = {"token": token}
    (tmp_path / "kubeconfig").write_text(json.dumps(document))
    powerless = connect(kubeconfig=str(tmp_path / "kubeconfig"))

    with pytest.raises(Forbidden, match='cannot list resource "costpolicies"'):
        ClusterGateway(powerless, SystemClock()).policies()
    powerless.close()


def test_an_optional_kind_that_is_not_installed_is_an_empty_list(cluster_gateway: ClusterGateway, world) -> None:
    assert not cluster_gateway.serves("monitoring.coreos.com/v1", "PodMonitor")
    assert cluster_gateway.owned(world.namespace, "chat") == ()


def test_a_missed_deletion_is_noticed_by_the_next_refresh(cluster_gateway: ClusterGateway, world) -> None:
    stored = world.create(policy(world.namespace))
    mirror = MirrorGateway(cluster_gateway)
    mirror.refresh()
    world.remove(reference(stored))
    assert mirror.policy(world.namespace, "chat") is not None
    mirror.refresh()

    assert mirror.policy(world.namespace, "chat") is None


def test_a_thousand_policies_are_read_in_a_handful_of_requests(connection, kubeconfig: str, world) -> None:
    for number in range(1000):
        document = policy(world.namespace, f"p{number}")
        connection.request("POST", COST_POLICY.path(world.namespace), body=document)
    requests: list[str] = []
    counted = connect(kubeconfig=kubeconfig, observer=lambda method, _code: requests.append(method))
    mirror = MirrorGateway(ClusterGateway(counted, SystemClock(), namespaces=(world.namespace,)))
    mirror.refresh()
    refreshed = len(requests)
    for number in range(1000):
        assert mirror.policy(world.namespace, f"p{number}") is not None
        assert mirror.owned(world.namespace, f"p{number}") == ()
    mirror.pods()
    mirror.nodes()
    counted.close()

    assert len(mirror.policies()) == 1000
    assert refreshed <= 13 + 1000 // PAGE_SIZE
    assert len(requests) == refreshed


class StepClock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def test_a_lease_is_taken_over_only_when_it_has_run_out(connection, world) -> None:
    clock = StepClock()
    first, second = (
        Election(ClusterLease(connection, world.namespace, "operator"), name, clock) for name in ("first", "second")
    )
    first.step()
    second.step()
    assert (first.leads(), second.leads()) == (True, False)
    clock.seconds += LEASE_DURATION.total_seconds()
    second.step()
    first.step()

    stored = ClusterLease(connection, world.namespace, "operator").read()
    assert (first.leads(), second.leads()) == (False, True)
    assert stored is not None
    assert (stored.record.holder, stored.record.transitions) == ("second", 1)


def test_two_candidates_for_a_new_lease_never_both_win(connection, world) -> None:
    clock = StepClock()
    first, second = (ClusterLease(connection, world.namespace, "operator") for _ in range(2))
    elections = Election(first, "first", clock), Election(second, "second", clock)
    assert second.read() is None
    elections[0].step()
    elections[1].step()

    assert [election.leads() for election in elections] == [True, False]
