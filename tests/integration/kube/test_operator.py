"""The operator's runtime as a whole, in this process, on a real API server; only decisions are a stand-in.

Covered: watches to work, what kopf must not leave behind, silence when nothing changes, self-healing, the
lease, probes, metrics, graceful stop.  Not covered: the real reconciler (``tests/e2e``).
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

import pytest

from costpolicy.api.policy import CostPolicy
from costpolicy.clock import SystemClock
from costpolicy.kube.connection import connect
from costpolicy.kube.gateway import FieldManager, Gateway, NamespacedName, ObjectRef, reference
from costpolicy.kube.leases import ClusterLease
from costpolicy.kube.mirror import MirrorGateway
from costpolicy.runtime.operator import Operator
from costpolicy.runtime.settings import Settings
from costpolicy.runtime.telemetry import Telemetry
from costpolicy.runtime.workers import Reconcile
from gateway_contract.objects import deployment, policy, price_book, replicas_of
from waiting import wait_until


class Decider:
    """Reconciles as the real one does, with one decision: a Deployment of two replicas, and a status."""

    def __init__(self) -> None:
        self.turns: list[NamespacedName] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.finished = 0

    def build(self, gateway: Gateway, _telemetry: Telemetry) -> Reconcile:
        def reconcile(key: NamespacedName) -> timedelta | None:
            self.turns.append(key)
            self.entered.set()
            assert self.gate.wait(30)
            found = gateway.policy(*key)
            if isinstance(found, CostPolicy):
                self._apply(gateway, found)
            self.finished += 1
            return None

        return reconcile

    @staticmethod
    def _apply(gateway: Gateway, found: CostPolicy) -> None:
        namespace, name = found.metadata.namespace, found.metadata.name
        intent = deployment(namespace, name)
        if gateway.read(reference(intent)) is None:
            gateway.apply(deployment(namespace, name, replicas=2), FieldManager.OPERATOR)
        gateway.apply(replicas_of(intent, 2), FieldManager.REPLICAS)
        gateway.apply(intent, FieldManager.OPERATOR)
        ref = ObjectRef(
            api_version="costpolicy.dev/v1alpha1",
            kind="CostPolicy",
            name=name,
            namespace=namespace,
            uid=found.metadata.uid,
        )
        gateway.apply_status(ref, {"observedGeneration": found.metadata.generation})


class Running:
    """An operator in a thread of this process."""

    def __init__(self, kubeconfig: str, namespace: str, identity: str = "one", resync: float = 2.0) -> None:
        self.requests: list[str] = []
        self.decider = Decider()
        self.telemetry = Telemetry()
        self.settings = Settings(
            namespaces=(namespace,),
            resync_interval=timedelta(seconds=resync),
            lease_namespace=namespace,
            identity=identity,
            metrics_port=0,
            health_port=0,
            workers=2,
        )
        self.operator = Operator(
            self.settings,
            connect(kubeconfig=kubeconfig, observer=self._observe),
            self.telemetry,
            SystemClock(),
            self.decider.build,
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.operator.run, args=(self._stop,))

    def _observe(self, method: str, code: int) -> None:
        self.telemetry.requested(method, code)
        self.requests.append(method)

    def start(self) -> "Running":
        self._thread.start()
        return self

    def stop(self, *, wait: bool = True) -> None:
        self._stop.set()
        if wait:
            self._thread.join(30)
            assert not self._thread.is_alive()

    def writes(self) -> int:
        """Return the requests that change objects; the lease is renewed by PUT and not counted."""
        return sum(method in {"PATCH", "DELETE", "POST"} for method in self.requests)

    def sample(self, name: str, labels: dict[str, str] | None = None) -> float | None:
        return self.telemetry.registry.get_sample_value(name, labels or {})

    def probe(self, path: str) -> tuple[int, dict[str, object]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.operator.health_port}{path}", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, json.load(answer)


def test_nothing_is_decided_before_everything_was_read_once(
    kubeconfig: str, world, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A route whose policies and prices are not known yet would be told to do without them."""
    read, may_read = threading.Event(), threading.Event()
    plain, decided = MirrorGateway.refresh, Decider.build

    def refresh(mirror: MirrorGateway) -> None:
        assert may_read.wait(30)
        plain(mirror)
        read.set()

    def build(decider: Decider, gateway: Gateway, telemetry: Telemetry) -> Reconcile:
        reconcile = decided(decider, gateway, telemetry)
        return lambda key: (known.append(read.is_set()), reconcile(key))[1]

    known: list[bool] = []
    monkeypatch.setattr(MirrorGateway, "refresh", refresh)
    monkeypatch.setattr(Decider, "build", build)
    started = Running(kubeconfig, world.namespace).start()
    try:
        world.create(policy(world.namespace))
        wait_until(lambda: started.operator._mirror.policies() and started.sample("costpolicy_leader") == 1.0)
        may_read.set()
        wait_until(lambda: observed_generation(world) == 1)
    finally:
        may_read.set()
        started.stop()

    assert all(known)


@pytest.fixture
def running(kubeconfig: str, connection, world) -> Iterator[Running]:
    started = Running(kubeconfig, world.namespace).start()
    try:
        yield started
    finally:
        started.decider.gate.set()
        started.stop()


def observed_generation(world, name: str = "chat") -> int:
    stored = world.get(reference(policy(world.namespace, name)))
    return 0 if stored is None else stored.get("status", {}).get("observedGeneration", 0)


def test_a_created_policy_is_reconciled_long_before_the_resync(kubeconfig: str, connection, world) -> None:
    running = Running(kubeconfig, world.namespace, resync=600).start()
    try:
        wait_until(lambda: running.sample("costpolicy_leader") == 1.0 and running.probe("/readyz")[0] == 200)
        wait_until(lambda: running.requests.count("GET") > 10)
        world.create(policy(world.namespace))

        wait_until(lambda: observed_generation(world) == 1)
    finally:
        running.stop()


def test_an_edit_of_the_policy_is_followed(running: Running, world) -> None:
    stored = world.create(policy(world.namespace))
    wait_until(lambda: observed_generation(world) == 1)
    world.edit(reference(stored), {"spec": {"objectives": {"ttft": {"p95": "400ms"}}}}, "kubectl-edit")

    wait_until(lambda: observed_generation(world) == 2)


def test_leaves_no_finalizers_annotations_or_fields_of_its_framework(running: Running, world) -> None:
    world.create(policy(world.namespace))
    wait_until(lambda: observed_generation(world) == 1)

    stored = world.get(reference(policy(world.namespace)))
    assert stored["metadata"].keys().isdisjoint({"finalizers", "annotations", "labels"})
    assert {"costpolicy"} == {
        entry["manager"] for entry in stored["metadata"]["managedFields"] if entry["operation"] == "Apply"
    }
    assert {"observedGeneration": 1} == stored["status"]


def test_undoes_what_somebody_changed_in_a_child(running: Running, world) -> None:
    world.create(policy(world.namespace))
    wait_until(lambda: observed_generation(world) == 1)
    child = reference(deployment(world.namespace))
    world.edit(child, {"spec": {"replicas": 7}}, "kubectl-scale")

    wait_until(lambda: world.get(child)["spec"]["replicas"] == 2)


def test_restores_a_child_that_somebody_deleted(running: Running, world) -> None:
    world.create(policy(world.namespace))
    wait_until(lambda: observed_generation(world) == 1)
    child = reference(deployment(world.namespace))
    first = world.get(child)["metadata"]["uid"]
    world.remove(child)

    wait_until(lambda: (found := world.get(child)) is not None and found["metadata"]["uid"] != first)


def test_a_price_book_makes_every_policy_think_again(kubeconfig: str, connection, world) -> None:
    running = Running(kubeconfig, world.namespace, resync=600).start()
    book = price_book(f"book-{world.namespace}")
    try:
        world.create(policy(world.namespace))
        wait_until(lambda: observed_generation(world) == 1)
        before = len(running.decider.turns)
        world.create(book)

        wait_until(lambda: len(running.decider.turns) > before)
    finally:
        running.stop()
        world.remove(reference(book))


def test_ten_cycles_without_a_change_write_nothing(kubeconfig: str, connection, world) -> None:
    running = Running(kubeconfig, world.namespace, resync=1).start()
    try:
        for number in range(3):
            world.create(policy(world.namespace, f"p{number}"))
        wait_until(lambda: all(observed_generation(world, f"p{number}") == 1 for number in range(3)))
        # A status is seen before its event is written: a turn is over when the policy's next one has begun.
        settled = len(running.decider.turns) + 9
        wait_until(lambda: len(running.decider.turns) >= settled, seconds=60)
        written = running.writes()
        wait_until(lambda: len(running.decider.turns) >= settled + 30, seconds=60)

        assert written == running.writes()
    finally:
        running.stop()


def test_a_restarted_operator_writes_nothing_either(kubeconfig: str, connection, world) -> None:
    first = Running(kubeconfig, world.namespace).start()
    for number in range(3):
        world.create(policy(world.namespace, f"p{number}"))
    wait_until(lambda: all(observed_generation(world, f"p{number}") == 1 for number in range(3)))
    first.stop()
    second = Running(kubeconfig, world.namespace, identity="two").start()
    try:
        wait_until(lambda: second.decider.finished >= 6, seconds=30)

        assert second.writes() == 0
    finally:
        second.stop()


def test_a_stopped_operator_finishes_its_reconcile_and_releases_the_lease(kubeconfig: str, connection, world) -> None:
    running = Running(kubeconfig, world.namespace).start()
    running.decider.gate.clear()
    world.create(policy(world.namespace))
    assert running.decider.entered.wait(20)
    running.stop(wait=False)
    running.decider.gate.set()
    running.stop()

    stored = ClusterLease(connection, world.namespace, "costpolicy-operator").read()
    assert observed_generation(world) == 1
    assert stored is not None
    assert stored.record.holder == ""


def test_a_standby_takes_over_when_the_leader_stops(kubeconfig: str, connection, world) -> None:
    leader = Running(kubeconfig, world.namespace, identity="leader").start()
    wait_until(lambda: leader.sample("costpolicy_leader") == 1.0)
    standby = Running(kubeconfig, world.namespace, identity="standby").start()
    try:
        wait_until(lambda: standby.probe("/readyz")[0] == 200)
        world.create(policy(world.namespace))
        wait_until(lambda: observed_generation(world) == 1)
        assert standby.decider.turns == []
        leader.stop()

        world.create(policy(world.namespace, "later"))
        wait_until(lambda: observed_generation(world, "later") == 1)
        assert standby.decider.turns
    finally:
        leader.stop()
        standby.stop()


def test_probes_and_metrics_answer(running: Running, world) -> None:
    world.create(policy(world.namespace))
    wait_until(lambda: observed_generation(world) == 1)
    wait_until(lambda: (running.sample("costpolicy_reconcile_total", {"result": "success"}) or 0) >= 1)

    assert running.probe("/healthz") == (200, {"ok": True, "failed": {}})
    assert running.probe("/readyz") == (200, {"ok": True, "failed": {}})
