"""Who follows the load: the operator's own replica loop, an autoscaler that it sets up, or somebody else's.

Only one of them writes ``.spec.replicas`` of a Deployment.  An autoscaler does so while it says of itself that it follows
the load; otherwise the operator keeps the replicas itself, so that nothing is lost where metrics or a controller are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from costpolicy.api.conditions import Condition, ConditionType, condition
from costpolicy.api.reasons import Reason
from costpolicy.api.types import ScalingProvider
from costpolicy.kube.autoscaler import Autoscaler
from costpolicy.kube.kinds import AUTOSCALERS, HORIZONTAL_POD_AUTOSCALER, SCALED_OBJECT, Kind
from costpolicy.manifests.autoscaler import PAUSED_REPLICAS
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.snapshot import Snapshot

KINDS = {ScalingProvider.HPA: HORIZONTAL_POD_AUTOSCALER, ScalingProvider.KEDA: SCALED_OBJECT}
_DISABLED = "ScalingDisabled"
"""The HorizontalPodAutoscaler's reason for resting because there is no replica: a night, and no fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaling:
    """Who writes the replicas of a policy's variants.

    Attributes:
        kind: the autoscaler that is to exist; ``None``: none is asked for, none can be had, or somebody else's is there.
        problem: why the autoscaler that is asked for does not follow the load; empty: it does, or none is asked for.
        foreign: an autoscaler of somebody else that scales one of the Deployments.
        led: hashes of the variants whose replicas an autoscaler writes now.
        carried: replicas that the autoscaler ran when the change that is under way began; 0: none is noted.
        paused: KEDA keeps a fixed number of replicas now.
    """

    kind: Kind | None = None
    problem: str = ""
    foreign: Autoscaler | None = None
    led: frozenset[str] = frozenset()
    carried: int = 0
    paused: bool = False

    def carried_by(self, stable: LiveVariant) -> int:
        """Return how many replicas of what serves an autoscaler found that the load needs; 0: none said."""
        return max(self.carried, stable.replicas if stable.hash in self.led else 0)

    def count_of(self, variant: LiveVariant, wanted: int) -> int | None:
        """Return how many replicas the operator writes of a variant; ``None``: that is the autoscaler's.

        To 0 and back is the operator's, since the HorizontalPodAutoscaler does nothing at 0; KEDA is told to pause instead.
        """
        if variant.hash not in self.led or wanted == variant.replicas:
            return None if variant.hash in self.led else wanted
        if self.kind == SCALED_OBJECT:
            return wanted if variant.replicas == 0 and not self.paused else None
        return wanted if 0 in (variant.replicas, wanted) else None


def autoscaling_of(snapshot: Snapshot) -> Autoscaling:
    """Return who writes the replicas of a policy's variants now."""
    hashes = {variant.ref.name: variant.hash for variant in snapshot.live.variants}
    foreign = next(_foreign(snapshot, frozenset(hashes)), None)
    if foreign is not None:
        return Autoscaling(foreign=foreign, led=frozenset({hashes[foreign.target]}))
    kind = KINDS.get(snapshot.policy.spec.scaling.provider)
    if kind is None:
        return Autoscaling()
    if problem := _out_of_reach(snapshot, kind):
        return Autoscaling(problem=problem)
    own = next(_ours(snapshot), None)
    if own is None or not own.conditions:
        return Autoscaling(kind=kind, problem=f"no controller has looked at the {kind.kind} yet")
    if problem := _inactive(own) or _silent(snapshot, own):
        return Autoscaling(kind=kind, problem=problem, carried=own.carried)
    led = frozenset({hashes[own.target]} if own.target in hashes else ())
    return Autoscaling(kind=kind, led=led, carried=own.carried, paused=_says(own, "Paused", "True"))


def _foreign(snapshot: Snapshot, deployments: frozenset[str]) -> Iterator[Autoscaler]:
    """Yield the autoscalers of others on a policy's Deployments; one that KEDA made stands behind its ScaledObject."""
    for found in snapshot.scaling.autoscalers:
        if found.target in deployments and not found.policy and not found.parent:
            yield found


def _ours(snapshot: Snapshot) -> Iterator[Autoscaler]:
    name = snapshot.policy.metadata.name
    return (one for one in snapshot.scaling.autoscalers if one.policy == one.ref.name == name)


def _out_of_reach(snapshot: Snapshot, kind: Kind) -> str:
    """Return why the autoscaler cannot be set up here; empty: it can."""
    if kind not in snapshot.scaling.served:
        return f"this cluster has no {kind.kind} ({kind.api_version}): install what serves it"
    if kind == SCALED_OBJECT and not snapshot.scaling.prometheus_url:
        return "KEDA has to be told where Prometheus is: set prometheus.url in the chart"
    former = next((one for one in _ours(snapshot) if one.ref.kind != kind.kind), None)
    if former is not None:  # KEDA refuses to be the second one on a Deployment
        return f"the {former.ref.kind} goes before the {kind.kind} comes"
    stable = snapshot.live.stable
    if stable is not None and stable.configuration is None:
        return "what runs is not known: its annotation was removed"
    return ""


def _silent(snapshot: Snapshot, own: Autoscaler) -> str:
    """Return why what KEDA last said does not hold any more; empty: it does, or this is no ScaledObject.

    A KEDA that has ended leaves its ScaledObjects as ready.  The HorizontalPodAutoscaler that it made of one outlives it, and
    its controller says when nobody answers for its metrics.  While KEDA keeps a fixed number there is none.
    """
    if own.ref.kind != SCALED_OBJECT.kind or (PAUSED_REPLICAS in own.annotations and _says(own, "Paused", "True")):
        return ""
    made = next((one for one in snapshot.scaling.autoscalers if one.parent == own.ref.name), None)
    if made is None:
        return f"KEDA has made no {HORIZONTAL_POD_AUTOSCALER.kind} of the {SCALED_OBJECT.kind}: does it run?"
    return _inactive(made)


def _inactive(own: Autoscaler) -> str:
    """Return why an autoscaler does not follow the load; empty: it does, or it rests at 0."""
    kind = next(kind for kind in AUTOSCALERS if kind.kind == own.ref.kind)
    wrong = [
        (said.reason, name)
        for name, said in own.conditions.items()
        if (name in ("AbleToScale", "ScalingActive", "Ready", "HPAActive") and said.status == "False")
        and said.reason != _DISABLED
    ]
    if wrong:
        reason, name = wrong[0]
        plural, called = kind.plural.removesuffix("s"), own.ref.name
        return f"{kind.kind} {called} says {name}=False ({reason}): see kubectl describe {plural} {called}"
    working = "ScalingActive" if kind == HORIZONTAL_POD_AUTOSCALER else "Ready"
    return "" if working in own.conditions else f"the {kind.kind} has not followed the load yet"


def _says(own: Autoscaler, kind: str, status: str) -> bool:
    said = own.conditions.get(kind)
    return said is not None and said.status == status


def scaling_conditions(snapshot: Snapshot) -> tuple[Condition, ...]:
    """Return who follows the load, where that may be somebody else than the operator."""
    found = autoscaling_of(snapshot)
    if found.foreign is not None:
        what = f"{found.foreign.ref} writes the replicas of Deployment {found.foreign.target}, and they are left to it"
        return (condition(ConditionType.SCALING_ACTIVE, False, Reason.FOREIGN_AUTOSCALER, what),)
    if found.problem:
        message = f"{found.problem}; meanwhile the operator follows the load"
        return (condition(ConditionType.SCALING_ACTIVE, False, Reason.SCALING_UNAVAILABLE, message),)
    if found.kind is None:
        return ()
    return (condition(ConditionType.SCALING_ACTIVE, True, Reason.AUTOSCALED, f"by a {found.kind.kind}"),)
