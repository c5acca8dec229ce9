"""Carrying out a decision: the order of writes, the hand-over of replicas, and what an interruption leaves.

Covered: order, field managers at every step, repetition, errors in between.
Not covered: what is decided (test_decide.py), the real API server (tests/integration/operator).
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from builders import policy
from costpolicy.api.status import CostPolicyStatus
from costpolicy.kube.errors import NameTaken, Unavailable
from costpolicy.kube.gateway import EventType, FieldManager, Object, reference, reference_of
from costpolicy.kube.ownership import owners_of
from costpolicy.reconcile.actions import carry_out
from costpolicy.reconcile.decision import Decision, News, WantedDeployment
from costpolicy.simulation.clock import SimulatedClock
from costpolicy.simulation.gateway import SimulatedGateway
from costpolicy.simulation.store import Store
from faulty import FailingOnce
from gateway_contract.objects import deployment, service

NAMESPACE = "default"
REPLICAS = ("spec", "replicas")


class Recorded(FailingOnce):
    """A gateway that notes each write, and fails at none."""

    def __init__(self, inner: SimulatedGateway) -> None:
        super().__init__(inner, 0, Unavailable("never"))
        self.writes: list[tuple[str, ...]] = []

    def call(self, name: str, act: Any, arguments: tuple[Any, ...]) -> Any:
        match name, arguments:
            case "apply", (item, manager):
                self.writes.append((name, item["kind"], manager.value))
            case ("delete", (ref,)) | ("apply_status", (ref, _)):
                self.writes.append((name, ref.kind))
            case "publish", _:
                self.writes.append((name,))
        return act()


@pytest.fixture
def store() -> Store:
    made = Store(SimulatedClock(datetime(2026, 11, 23, tzinfo=UTC)))
    asked = policy()
    made.create(asked.model_dump(by_alias=True, mode="json", exclude_none=True) | {"kind": "CostPolicy"}, "kubectl")
    return made


@pytest.fixture
def gateway(store: Store) -> SimulatedGateway:
    return SimulatedGateway(store)


def wanted(count: int = 2, *, intent: bool = True) -> WantedDeployment:
    item = deployment(NAMESPACE)
    return WantedDeployment(ref=reference(item), intent=item if intent else None, replicas=count)


def decision(**fields: Any) -> Decision:
    status = CostPolicyStatus(observed_generation=1)
    return Decision(**{"status": status, "objects": (service(NAMESPACE),), "deployments": (wanted(),), **fields})


def carried_out(gateway: Any, **fields: Any) -> None:
    carry_out(decision(**fields), reference_of(policy()), gateway)


def stored(gateway: SimulatedGateway) -> Object:
    found = gateway.read(wanted().ref)
    assert found is not None
    return found


def test_services_come_first_then_engines_then_deletions_then_status_then_events(gateway: SimulatedGateway):
    recorded = Recorded(gateway)
    old = deployment(NAMESPACE, "old")
    gateway.apply(old, FieldManager.OPERATOR)
    news = (News(type=EventType.NORMAL, reason="Planned", note="a plan"),)
    carried_out(recorded, deletions=(reference(old),), news=news)

    assert [
        ("apply", "Service", "costpolicy"),
        ("apply", "Deployment", "costpolicy"),
        ("apply", "Deployment", "costpolicy-replicas"),
        ("apply", "Deployment", "costpolicy"),
        ("delete", "Deployment"),
        ("apply_status", "CostPolicy"),
        ("publish",),
    ] == recorded.writes


def test_the_count_ends_with_the_second_manager_alone_and_never_falls_back_to_one(gateway: SimulatedGateway):
    carried_out(gateway)

    assert 2 == stored(gateway)["spec"]["replicas"]
    assert {"costpolicy-replicas"} == owners_of(stored(gateway), REPLICAS)


@pytest.mark.parametrize("write", range(1, 7))
def test_an_interruption_between_any_two_writes_leaves_the_count_as_it_is_wanted(
    write: int, gateway: SimulatedGateway, store: Store
):
    counts = []
    failing = FailingOnce(gateway, write, Unavailable("the API server is away"))
    for attempt in (failing, gateway):
        try:
            carried_out(attempt)
        except Unavailable:
            item = gateway.read(wanted().ref)
            counts.append(None if item is None else item["spec"]["replicas"])

    assert counts[0] in (None, 2)
    assert {"costpolicy-replicas"} == owners_of(stored(gateway), REPLICAS)
    before = store.writes
    carried_out(gateway)
    assert before == store.writes


def test_what_is_left_alone_gets_its_replicas_and_nothing_else(gateway: SimulatedGateway):
    carried_out(gateway)
    before = stored(gateway)
    carried_out(gateway, deployments=(wanted(5, intent=False),))
    after = stored(gateway)

    assert 5 == after["spec"]["replicas"]
    assert before["spec"] | {"replicas": 5} == after["spec"]


def test_a_name_that_is_taken_stops_before_an_accelerator_is_spent(gateway: SimulatedGateway, store: Store):
    theirs = service(NAMESPACE)
    theirs["metadata"]["labels"] = {"app": "theirs"}
    store.create(theirs, "somebody")

    with pytest.raises(NameTaken):
        carried_out(gateway)
    assert gateway.read(wanted().ref) is None


def test_carrying_out_the_same_decision_again_writes_nothing(gateway: SimulatedGateway, store: Store):
    carried_out(gateway)
    before = store.writes
    carried_out(gateway)

    assert before == store.writes


AUTOSCALER = "kube-controller-manager"


def left_to_an_autoscaler(gateway: Any) -> None:
    given = wanted()
    carried_out(gateway, deployments=(WantedDeployment(ref=given.ref, intent=given.intent, replicas=None),))


def test_the_count_is_held_until_somebody_else_owns_it(gateway: SimulatedGateway, store: Store):
    carried_out(gateway)
    before = store.writes
    left_to_an_autoscaler(gateway)
    assert {"costpolicy-replicas"} == owners_of(stored(gateway), REPLICAS)

    store.edit(wanted().ref, {"spec": {"replicas": 5}}, AUTOSCALER)
    left_to_an_autoscaler(gateway)
    assert 5 == stored(gateway)["spec"]["replicas"]
    assert {AUTOSCALER} == owners_of(stored(gateway), REPLICAS)
    assert before + 1 == store.writes


def test_a_count_that_both_own_is_let_go_of_and_stays(gateway: SimulatedGateway, store: Store):
    carried_out(gateway)
    store.edit(wanted().ref, {"spec": {"replicas": 5}}, AUTOSCALER)
    carried_out(gateway, deployments=(wanted(5),))
    assert {AUTOSCALER, "costpolicy-replicas"} == owners_of(stored(gateway), REPLICAS)

    left_to_an_autoscaler(gateway)
    assert {AUTOSCALER} == owners_of(stored(gateway), REPLICAS)
    assert 5 == stored(gateway)["spec"]["replicas"]


def test_a_count_that_nobody_but_its_creator_owns_is_held_by_the_second_manager(gateway: SimulatedGateway):
    """Killed between the creating apply and the next one."""
    item = deployment(NAMESPACE)
    gateway.apply({**item, "spec": {**item["spec"], "replicas": 4}}, FieldManager.OPERATOR)
    left_to_an_autoscaler(gateway)

    assert 4 == stored(gateway)["spec"]["replicas"]
    assert {"costpolicy-replicas"} == owners_of(stored(gateway), REPLICAS)


def test_a_deployment_that_is_gone_is_not_made_anew_with_a_count_that_nobody_gave(gateway: SimulatedGateway):
    left_to_an_autoscaler(gateway)

    assert gateway.read(wanted().ref) is None
