"""Operators that are wrong in one way each: the real one, with something between it and the world.

``Seeing`` changes what it reads of policies and pods, which is how a loop comes to hold always, never, late or without its
schedules; the metrics sources change what it hears. Nothing here is known to the operator.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from costpolicy.api.policy import CostPolicy
from costpolicy.kube.gateway import Pod
from costpolicy.observe.questions import QUESTIONS
from costpolicy.observe.source import MetricsSource, MetricsUnavailable, Sample
from costpolicy.simulation.attention import AttentiveOperator
from costpolicy.simulation.gateway import SimulatedGateway
from costpolicy.simulation.world import Operator, World

Spec = dict[str, Any]
Loop = Callable[[World], Operator]


class Seeing:
    """A gateway of which some reads show something else; everything else is the simulated gateway's."""

    def __init__(
        self,
        inner: SimulatedGateway,
        spec: Callable[[Spec], Spec] = lambda spec: spec,
        status: Callable[[Spec], Spec] = lambda status: status,
        pod: Callable[[Pod], Pod] = lambda pod: pod,
    ) -> None:
        self._inner = inner
        self._spec = spec
        self._status = status
        self._pod = pod
        self._changed: dict[int, tuple[Any, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def policy(self, namespace: str, name: str) -> Any:
        return self._policy(self._inner.policy(namespace, name))

    def policies(self) -> tuple[Any, ...]:
        return tuple(self._policy(policy) for policy in self._inner.policies())

    def pods(self) -> tuple[Pod, ...]:
        return tuple(self._pod(pod) for pod in self._inner.pods())

    def _policy(self, policy: Any) -> Any:
        if not isinstance(policy, CostPolicy):
            return policy
        known = self._changed.get(id(policy))
        if known is None or known[0] is not policy:
            document = policy.to_json()
            seen = {"spec": self._spec(document["spec"])}
            if "status" in document:
                seen["status"] = self._status(document["status"])
            changed = CostPolicy.model_validate(document | seen)
            known = self._changed[id(policy)] = (policy, changed)
        return known[1]


class FromCompletions:
    """Metrics in which only what is finished is counted: no arrivals, no queue."""

    def __init__(self, inner: MetricsSource, world: World) -> None:
        scope = world.settings.scope()
        self._inner = inner
        self._offered, self._finished, self._waiting, self._history = (
            QUESTIONS[name](scope) for name in ("requests_offered", "requests_finished", "waiting", "over_days")
        )

    def query(self, promql: str, at: datetime) -> tuple[Sample, ...]:
        if promql == self._waiting:
            return tuple(sample._replace(value=0.0) for sample in self._inner.query(promql, at))
        if promql == self._history:
            return ()
        return self._inner.query(self._finished if promql == self._offered else promql, at)

    def retention(self) -> timedelta | None:
        return self._inner.retention()


class Without:
    """Metrics in which some questions are never answered."""

    def __init__(self, inner: MetricsSource, world: World, *names: str) -> None:
        self._inner = inner
        self._unheard = {QUESTIONS[name](world.settings.scope()) for name in names}

    def query(self, promql: str, at: datetime) -> tuple[Sample, ...]:
        return () if promql in self._unheard else self._inner.query(promql, at)

    def retention(self) -> timedelta | None:
        return self._inner.retention()


class Forgetting:
    """Metrics of which the question about days is answered without the samples that have a label."""

    def __init__(self, inner: MetricsSource, world: World, label: str) -> None:
        self._inner = inner
        self._label = label
        self._days = QUESTIONS["over_days"](world.settings.scope())

    def query(self, promql: str, at: datetime) -> tuple[Sample, ...]:
        found = self._inner.query(promql, at)
        return tuple(each for each in found if self._label not in each.labels) if promql == self._days else found

    def retention(self) -> timedelta | None:
        return self._inner.retention()


class MissingIsZero:
    """Metrics in which a question without an answer is answered by what was there before, as zero, fresh and of all engines."""

    def __init__(self, inner: MetricsSource, world: World) -> None:
        self._inner = inner
        self._last: dict[str, tuple[Sample, ...]] = {}
        self._newest, self._up = (QUESTIONS[name](world.settings.scope()) for name in ("last_sample", "pods_up"))

    def query(self, promql: str, at: datetime) -> tuple[Sample, ...]:
        try:
            found = self._inner.query(promql, at)
        except MetricsUnavailable:
            found = ()
        if found:
            self._last[promql] = found
            return found
        last = self._last.get(promql, ())
        if promql == self._up:
            return last
        value = at.timestamp() if promql == self._newest else 0.0
        return tuple(sample._replace(value=value, timestamp=at) for sample in last)

    def retention(self) -> timedelta | None:
        return timedelta(days=28)


def _seeing(**views: Any) -> Loop:
    return lambda world: AttentiveOperator(world, gateway=Seeing(world.gateway, **views))  # type: ignore[arg-type]


def _rollout(**fields: Any) -> Callable[[Spec], Spec]:
    return lambda spec: spec | {"rollout": spec.get("rollout", {}) | fields}


def _without_rejected(status: Spec) -> Spec:
    return status | {"rollout": {**status.get("rollout", {"phase": "Steady"}), "rejected": []}}


def _scaling(**fields: Any) -> Callable[[Spec], Spec]:
    return lambda spec: spec | {"scaling": spec.get("scaling", {}) | fields}


def _hardware(**fields: Any) -> Callable[[Spec], Spec]:
    return lambda spec: spec | {"hardware": spec.get("hardware", {}) | fields}


BROKEN: dict[str, Loop] = {
    "verdict always hold": _seeing(spec=_rollout(mode="Initial")),
    "what is not scraped serves nobody": _seeing(pod=lambda pod: replace(pod, ready_since=None)),
    "verdict never hold": _seeing(spec=_rollout(minimumSavings="0")),
    "replica loop 30 minutes late": lambda world: AttentiveOperator(
        world,
        gateway=Seeing(world.gateway, spec=_scaling(stabilization={"scaleUp": "30m", "scaleDown": "30m"})),  # type: ignore[arg-type]
        metrics=Forgetting(world.metrics, world, "horizon"),  # one that looks ahead does so by as much as it waits
    ),
    "replicas never follow": _seeing(spec=_scaling(stabilization={"scaleUp": "9000h", "scaleDown": "9000h"})),
    "no schedule": lambda world: AttentiveOperator(
        world,
        gateway=Seeing(world.gateway, spec=_scaling(schedules=[])),  # type: ignore[arg-type]
        metrics=Forgetting(world.metrics, world, "horizon"),  # mornings that are expected do for one
    ),
    "nothing stands in for Spot": _seeing(spec=_hardware(capacityTypes=["Spot"])),
    "forgets what failed": _seeing(status=_without_rejected),
    "demand from completions": lambda world: AttentiveOperator(world, metrics=FromCompletions(world.metrics, world)),
    "saturation teaches nothing": lambda world: AttentiveOperator(
        world, metrics=Without(world.metrics, world, "saturation")
    ),
    "requests are as long as they are now": lambda world: AttentiveOperator(
        world, metrics=Forgetting(world.metrics, world, "figure")
    ),
    "replicas do not look ahead": lambda world: AttentiveOperator(
        world, metrics=Forgetting(world.metrics, world, "horizon")
    ),
    "missing is zero": lambda world: AttentiveOperator(world, metrics=MissingIsZero(world.metrics, world)),
}
"""Each broken loop by what is wrong with it."""
