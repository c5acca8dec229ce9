"""Advising on a Deployment of somebody else: what is answered, and that nothing but status is written.

Covered: the real reconciler over a store; every reason why it cannot advise; metrics joined by ``costpolicy_pod_info``.
Not covered: the API server's own rights (tests/integration); what words of a command mean (tests/unit/advice).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import policy_document, price_book_document
from costpolicy.api.conditions import kstatus
from costpolicy.api.reasons import Reason
from costpolicy.kube.errors import Forbidden
from costpolicy.kube.gateway import Object, ObjectRef, reference
from costpolicy.kube.kinds import COST_POLICY
from costpolicy.observe.exported import GPUS, POD_INFO, PRICE_PER_HOUR
from costpolicy.observe.fleet import ObserveSettings
from costpolicy.observe.observation import PolicyObservation
from costpolicy.reconcile.decide import decide
from costpolicy.reconcile.exports import fleet_series, running_variants
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.reconciler import Defaults, Reconciler
from costpolicy.reconcile.snapshot import Snapshot
from costpolicy.reconcile.targets import hash_of
from costpolicy.simulation.clock import SimulatedClock
from costpolicy.simulation.cluster import SimulatedCluster
from costpolicy.simulation.gateway import SimulatedGateway
from costpolicy.simulation.store import Store
from foreign import container, deployment
from staging import START

H100 = "nvidia-h100-80gb"
POLICY = ObjectRef(api_version=COST_POLICY.api_version, kind=COST_POLICY.kind, name="advice", namespace="default")
SEVENTY = ["--model", "meta-llama/Llama-3.1-70B-Instruct"]
TOLERATED = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
Measured = Callable[[float], PolicyObservation]


class Owner:
    """Somebody's Deployment on eight H100, and a policy of ours that advises on it."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(START)
        self.store = Store(self.clock)
        self.gateway = SimulatedGateway(self.store)
        self.cluster = SimulatedCluster(self.store, self.clock, lambda _: timedelta(0))
        self.cluster.add_node("h100", H100, 8)
        self.store.create(price_book_document(), "user")
        self.watch = FleetWatch(self.gateway, None, self.clock, ObserveSettings())
        self.reconciler = Reconciler(self.gateway, self.watch, self.clock, Defaults())

    def runs(self, *args: str, gpus: int = 4, replicas: int = 1, **fields: Any) -> Object:
        """Create the Deployment and let its pods start."""
        box = container([*SEVENTY, *args], gpus=gpus, **fields)
        stored = self.store.create(deployment(box, replicas=replicas, tolerations=TOLERATED), "owner")
        for _ in range(2):
            self.cluster.settle()
        return stored

    def advise(self, **spec: Any) -> None:
        document = policy_document("advice", model=None, targetRef={"name": "theirs"}, **spec)
        self.store.create(document, "user")

    def status(self) -> dict[str, Any]:
        """Let the operator answer, and return the answer."""
        self.reconciler.reconcile("default", "advice")
        return self.policy()["status"]

    def policy(self) -> Object:
        found = self.store.get(POLICY)
        assert found is not None
        return found

    def told(self, kind: str = "Stalled") -> tuple[str, str, str]:
        [found] = [one for one in self.status()["conditions"] if one["type"] == kind]
        return found["status"], found["reason"], found["message"]

    def snapshot(self) -> Snapshot:
        policy = self.gateway.policy("default", "advice")
        return self.reconciler.gather(policy, self.watch.look_for(policy))


@pytest.fixture
def owner() -> Owner:
    return Owner()


def test_what_runs_is_priced_and_a_cheaper_plan_is_advised(owner: Owner):
    before = owner.runs("--tensor-parallel-size=4")
    owner.advise()
    status = owner.status()

    assert "Current" == kstatus(owner.policy())
    assert (4, "10.00", 1) == (
        status["current"]["acceleratorsPerReplica"],
        status["current"]["costPerHour"],
        status["current"]["readyReplicas"],
    )
    assert ("10.00", "5.00") == (status["target"]["costPerHour"], status["recommended"]["costPerHour"])
    assert status["target"]["assumedTraffic"] is True
    assert "variants" not in status or [] == status["variants"]
    status, reason, message = owner.told("Ready")
    assert ("True", "Planned") == (status, reason)
    assert "what runs costs 10.00 USD an hour, a plan 5.00: 3650.00 a month less" in message
    assert "prove quality first" in message
    assert "costpolicy render --patch" in message
    assert ("False", "PrometheusUnreachable") == owner.told("MetricsAvailable")[:2]
    assert before["spec"] == owner.store.get(reference(before))["spec"]


def test_nothing_but_status_is_written_in_any_cycle(owner: Owner):
    owner.runs("--tensor-parallel-size=4")
    owner.advise()
    kinds = {(item["kind"], item["metadata"]["name"]) for item in _everything(owner)}
    for _ in range(3):
        owner.status()
        owner.clock.advance(timedelta(minutes=1))
    snapshot = owner.snapshot()
    decision = decide(snapshot, START)

    assert kinds == {(item["kind"], item["metadata"]["name"]) for item in _everything(owner)}
    assert ((), (), ()) == (decision.objects, decision.deployments, decision.deletions)


def _everything(owner: Owner) -> list[Object]:
    kinds = [("apps/v1", "Deployment"), ("v1", "Service"), ("policy/v1", "PodDisruptionBudget"), ("batch/v1", "Job")]
    return [item for kind in kinds for item in owner.store.kind(*kind)]


def test_accelerators_that_the_engine_does_not_use_are_paid_for_all_the_same(owner: Owner):
    owner.runs("--tensor-parallel-size=2", gpus=4)
    owner.advise()

    assert "10.00" == owner.status()["current"]["costPerHour"]
    assert "10.00" == owner.status()["spending"]["costPerHour"]


def test_its_own_accelerators_are_free_for_the_plan(owner: Owner):
    owner.runs("--tensor-parallel-size=8", gpus=8)
    owner.advise()

    assert owner.status()["target"] is not None


def test_where_nothing_is_cheaper_it_says_so(owner: Owner):
    owner.runs("--quantization=fp8", "--max-model-len=8192", gpus=1)
    owner.advise()

    assert "no plan costs less" in owner.told("Ready")[2]


def test_measured_load_decides_and_says_so(owner: Owner, measured: Measured):
    owner.runs("--tensor-parallel-size=4", replicas=2)
    owner.advise(objectives={"ttft": {"p95": "2s"}})
    status = decide(replace(owner.snapshot(), observed=measured(1.0)), START).status

    assert status.target is not None
    assert not status.target.assumed_traffic
    assert ("MetricsAvailable", "True") in {(one.type, one.status) for one in status.conditions}


def test_its_pods_are_joined_with_the_policy_and_their_cost_is_exported(owner: Owner):
    found = owner.runs("--tensor-parallel-size=4", replicas=2)
    owner.advise()
    policy = owner.gateway.policy("default", "advice")
    fleet = owner.watch.look_for(policy)
    series = fleet_series(running_variants(owner.gateway, fleet), fleet)
    hash_ = hash_of(found)

    assert {("default", "advice", hash_)} == {(key[0], key[2], key[3]) for key in series[POD_INFO]}
    assert 2 == len(series[POD_INFO])
    assert {8.0} == set(series[GPUS].values())
    assert {2.5} == set(series[PRICE_PER_HOUR].values())


def test_of_two_policies_for_one_deployment_one_has_its_pods(owner: Owner):
    owner.runs("--tensor-parallel-size=4")
    owner.advise()
    owner.store.create(policy_document("zweite", model=None, targetRef={"name": "theirs"}), "user")
    policy = owner.gateway.policy("default", "advice")
    fleet = owner.watch.look_for(policy)
    series = fleet_series(running_variants(owner.gateway, fleet), fleet)

    assert ["advice"] == [key[2] for key in series[POD_INFO]]


def test_another_template_is_another_variant(owner: Owner):
    one, other = (deployment(container([*SEVENTY, f"-tp={size}"])) for size in (2, 4))

    assert hash_of(one) != hash_of(other)
    assert hash_of(one) == hash_of({**one, "metadata": {"name": "x"}, "spec": {**one["spec"], "replicas": 9}})


def test_a_deployment_that_is_not_there_is_named_until_it_is(owner: Owner):
    owner.advise()

    assert ("True", "TargetNotFound") == owner.told()[:2]
    assert "there is no Deployment default/theirs" in owner.told()[2]
    assert "Failed" == kstatus(owner.policy())
    owner.runs("--tensor-parallel-size=4")
    owner.clock.advance(timedelta(minutes=1))
    assert ("False", "Planned") == owner.told()[:2]


@pytest.mark.parametrize(
    ("fields", "reason", "says"),
    [
        ({"image": "nginx"}, Reason.TARGET_NOT_VLLM, "none of its containers runs vLLM"),
        ({"image": "vllm/vllm-openai:latest"}, Reason.TARGET_UNREADABLE, "state spec.engine.version"),
        ({"image": "vllm/vllm-openai:v0.8.5"}, Reason.ENGINE_UNSUPPORTED, "knows 0.11 to"),
        ({"args": ["--model", "example/unknown"]}, Reason.UNKNOWN_MODEL, "does not know example/unknown"),
        ({"args": [*SEVENTY, "--config=/etc/vllm.yaml"]}, Reason.TARGET_UNREADABLE, "write them into the Deployment"),
        ({"args": [*SEVENTY, "--pipeline-parallel-size=2"]}, Reason.NOT_SUPPORTED_YET, "pipeline stages"),
        ({"resources": {}}, Reason.TARGET_UNREADABLE, "ask for none of"),
    ],
)
def test_what_cannot_be_advised_on_stalls_with_what_to_do(owner: Owner, fields: dict, reason: Reason, says: str):
    box = {**container(SEVENTY, gpus=2), **fields}
    owner.store.create(deployment(box, tolerations=TOLERATED), "owner")
    for _ in range(2):
        owner.cluster.settle()
    owner.advise()

    status, told, message = owner.told()
    assert ("True", reason.value) == (status, told)
    assert says in message
    assert "Failed" == kstatus(owner.policy())


def test_the_owner_may_state_the_release_that_the_image_does_not(owner: Owner):
    owner.runs("--tensor-parallel-size=4", image="vllm/vllm-openai:latest")
    owner.advise(engine={"version": "0.32"})

    assert "Current" == kstatus({**owner.policy(), "status": owner.status()})


def test_a_deployment_that_may_not_be_read_stalls_only_its_policy(owner: Owner, monkeypatch: pytest.MonkeyPatch):
    def refused(_: ObjectRef) -> Object:
        raise Forbidden("deployments.apps is forbidden")

    owner.advise()
    monkeypatch.setattr(owner.gateway, "read", refused)

    assert ("True", "Forbidden") == owner.told()[:2]


def test_an_edit_that_names_another_deployment_is_followed_at_once(owner: Owner):
    owner.advise()
    owner.status()
    owner.store.create(deployment(container([*SEVENTY, "-tp=4"], gpus=4), name="other", tolerations=TOLERATED), "owner")
    owner.cluster.settle()
    owner.cluster.settle()
    owner.store.edit(POLICY, {"spec": {"targetRef": {"name": "other"}}}, "user")

    assert ("False", "Planned") == owner.told()[:2]
