"""A stage for ``decide``: a policy whose children live in a dictionary, and pods that are ready when the test says so.

Not an API server (that is ``simulation.world`` and the integration tests): decisions are applied as they stand.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from builders import node, offering, policy
from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.api.status import CostPolicyStatus
from costpolicy.api.types import RolloutMode
from costpolicy.api.validation import Problem
from costpolicy.catalog.prices import Offering, PriceList
from costpolicy.kube.autoscaler import Autoscaler, parse_autoscaler
from costpolicy.kube.gateway import POLICY_LABEL, VARIANT_LABEL, Node, Object, Pod
from costpolicy.kube.kinds import HORIZONTAL_POD_AUTOSCALER, SCALED_OBJECT
from costpolicy.manifests.deployment import with_replicas
from costpolicy.manifests.evaluation_job import paused_since
from costpolicy.observe.observation import PolicyObservation
from costpolicy.reconcile.decide import decide
from costpolicy.reconcile.decision import Decision
from costpolicy.reconcile.evaluations import Asking, Examination
from costpolicy.reconcile.inputs import Inputs, read_inputs
from costpolicy.reconcile.live import live_of
from costpolicy.reconcile.snapshot import MetricsDown, Scalers, Snapshot
from costpolicy.reconcile.supply import Capacity

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
_AUTOSCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
NO_METRICS = MetricsDown(reason=Reason.PROMETHEUS_UNREACHABLE, message="no Prometheus in this test")


@dataclass
class Stage:
    """A policy and its world; ``step`` decides once and carries it out."""

    policy: CostPolicy
    offerings: tuple[Offering, ...] = field(default_factory=lambda: (offering("nvidia-l40s", "1.86"), offering()))
    nodes: tuple[Node, ...] = field(default_factory=lambda: (node("l40s", "nvidia-l40s", 8), node("h100")))
    observed: PolicyObservation | MetricsDown = NO_METRICS
    now: datetime = START
    children: dict[tuple[str, str], Object] = field(default_factory=dict)
    ready: dict[str, int] = field(default_factory=dict)
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)
    mode: RolloutMode = RolloutMode.INITIAL
    scaling: Scalers = field(default_factory=Scalers)
    said: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Conditions of the policy's autoscaler, by type: status and reason."""
    made: dict[str, tuple[str, str]] | None = None
    """The same of the HorizontalPodAutoscaler that KEDA made of a ScaledObject; ``None``: it made none."""
    evaluator_image: str = ""
    evaluations: dict[str, Examination] = field(default_factory=dict)
    """What Jobs have found, by name; one that is missing here still asks."""

    def snapshot(self) -> Snapshot:
        """What ``Reconciler.gather`` would return."""
        inputs: Inputs | Problem = read_inputs(self.policy)
        pods = self.pods()
        name = self.policy.metadata.name
        owned = tuple(item for item in self.children.values() if item["kind"] != "ConfigMap")
        return Snapshot(
            policy=self.policy,
            mode=self.policy.spec.rollout.mode or self.mode,
            inputs=inputs,
            live=live_of(owned, pods, name),
            owned=owned,
            prices=PriceList(currency="USD", offerings=self.offerings, token_prices=(), problems=()),
            capacity=Capacity(nodes=self.nodes, pods=pods),
            observed=self.observed,
            pod_monitor=False,
            scaling=replace(self.scaling, autoscalers=(*self.scaling.autoscalers, *self._autoscalers())),
            evaluations={job: self.evaluations.get(job, self._asking(job)) for job in self.jobs()},
            evaluator_image=self.evaluator_image,
        )

    def step(self, minutes: float = 1) -> Decision:
        """Decide at this moment, carry it out, and let time pass."""
        decision = decide(self.snapshot(), self.now)
        for item in decision.objects:
            self._store(item)
        for wanted in decision.deployments:
            stored = self.children.get(("Deployment", wanted.ref.name))
            intent = wanted.intent or stored
            assert intent is not None
            count = wanted.replicas
            if count is None:
                assert stored is not None
                count = stored["spec"]["replicas"]
            self._store(with_replicas(intent, count))
        for ref in decision.deletions:
            self.children.pop((ref.kind, ref.name), None)
        self.policy = self.policy.model_copy(update={"status": decision.status})
        self.now += timedelta(minutes=minutes)
        return decision

    def all_ready(self) -> None:
        """Every replica that is asked for becomes ready."""
        for deployment in self.deployments():
            self.ready[deployment["metadata"]["name"]] = deployment["spec"]["replicas"]
            deployment["status"] = {"readyReplicas": deployment["spec"]["replicas"]}

    def settle(self, steps: int = 12) -> Decision:
        """Decide with everything becoming ready until nothing changes."""
        decision = self.step()
        for _ in range(steps):
            self.all_ready()
            decision = self.step()
        return decision

    def edit(self, **spec: Any) -> None:
        """The user edits the policy."""
        generation = self.policy.metadata.generation + 1
        edited = policy(self.policy.metadata.name, generation=generation, **spec)
        self.policy = edited.model_copy(update={"status": self.policy.status})

    def annotate(self, **annotations: str) -> None:
        """The user annotates the policy."""
        named = {f"costpolicy.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
        metadata = self.policy.metadata.model_copy(update={"annotations": named})
        self.policy = self.policy.model_copy(update={"metadata": metadata})

    def deployments(self) -> list[Object]:
        """The Deployments, oldest first."""
        found = [item for (kind, _), item in self.children.items() if kind == "Deployment"]
        return sorted(found, key=lambda item: item["metadata"]["creationTimestamp"])

    def jobs(self) -> list[str]:
        """Names of the Jobs that exist."""
        return [name for kind, name in self.children if kind == "Job"]

    def _asking(self, job: str) -> Asking:
        pause = self.children.get(("ConfigMap", job))
        return Asking(uid=self.children["Job", job]["metadata"]["uid"], paused_since=paused_since(pause))

    def serving(self) -> str | None:
        """The variant that the policy's Service names."""
        selector: dict[str, str] = self.children["Service", self.policy.metadata.name]["spec"]["selector"]
        return selector.get(VARIANT_LABEL)

    def status(self) -> CostPolicyStatus:
        """The policy's status."""
        assert self.policy.status is not None
        return self.policy.status

    def condition(self, kind: str) -> tuple[str, str]:
        """Status and reason of a condition."""
        found = next(one for one in self.status().conditions if one.type == kind)
        return found.status, found.reason

    def pods(self) -> tuple[Pod, ...]:
        """A pod for each replica, scheduled on the first node that carries its accelerator."""
        return tuple(
            self._pod(item, number) for item in self.deployments() for number in range(item["spec"]["replicas"])
        )

    def autoscaler(self) -> Object | None:
        """The policy's autoscaler."""
        return next((item for (kind, _), item in self.children.items() if kind in _AUTOSCALERS), None)

    def autoscale(self, count: int) -> None:
        """The policy's autoscaler, or anybody else, writes the replicas of its target."""
        item = self.autoscaler()
        assert item is not None
        deployment = self.children["Deployment", item["spec"]["scaleTargetRef"]["name"]]
        deployment["spec"]["replicas"] = count

    def _autoscalers(self) -> Iterator[Autoscaler]:
        item = self.autoscaler()
        if item is not None:
            yield parse_autoscaler({**item, "status": _saying(self.said)})
            if item["kind"] == SCALED_OBJECT.kind and self.made is not None:
                kind, metadata = HORIZONTAL_POD_AUTOSCALER, item["metadata"]
                owner = {"kind": item["kind"], "name": metadata["name"], "controller": True}
                named = {**metadata, "name": f"keda-hpa-{metadata['name']}", "ownerReferences": [owner]}
                copy = {**item, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": named}
                yield parse_autoscaler({**copy, "status": _saying(self.made)})

    def _pod(self, deployment: Object, number: int) -> Pod:
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        name = deployment["metadata"]["name"]
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        asked = container["resources"]["requests"]["nvidia.com/gpu"]
        where = "l40s" if "l40s" in labels["costpolicy.dev/accelerator"] else "h100"
        pod = Pod(
            name=f"{name}-{number}",
            namespace="default",
            labels={POLICY_LABEL: labels[POLICY_LABEL], **labels},
            node=where,
            phase="Running",
            ready=number < self.ready.get(name, 0),
            terminating=False,
            restarts=0,
            requests={"nvidia.com/gpu": int(asked)},
        )
        return replace(pod, **self.failures.get(name, {})) if not pod.ready else pod

    def _store(self, item: Object) -> None:
        key = item["kind"], item["metadata"]["name"]
        before = self.children.get(key)
        created = before["metadata"]["creationTimestamp"] if before else self.now.isoformat()
        status = {"readyReplicas": self.ready.get(key[1], 0)} if item["kind"] == "Deployment" else {}
        metadata = {**item["metadata"], "creationTimestamp": created, "uid": f"uid-{key[1]}"}
        self.children[key] = {**item, "metadata": metadata, "status": status}


def _saying(said: dict[str, tuple[str, str]]) -> Object:
    return {"conditions": [{"type": kind, "status": word, "reason": why} for kind, (word, why) in said.items()]}
