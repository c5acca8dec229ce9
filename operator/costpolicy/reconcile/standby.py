"""The standby of a variant on Spot: the same plan on demand, at 0 replicas until Spot capacity is lost.

It is no change of configuration: no verdict, no stages, no receipt.  The policy's Service selects both while it stands in.
All that has to be remembered is in the Deployments and in ``status.standby``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from costpolicy.api.reasons import Reason
from costpolicy.api.standby import StandbyStatus
from costpolicy.api.types import CapacityType
from costpolicy.kube.gateway import POLICY_LABEL, VARIANT_LABEL, EventType, Pod
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.plan import Target
from costpolicy.reconcile.course import WATCHING, Course, WantedVariant, again, last_rollout
from costpolicy.reconcile.decision import News
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.notices import is_leaving
from costpolicy.reconcile.outlook import Outlook
from costpolicy.rollout.standby import LASTING, Losses, SpotSituation, StandbyStep, next_standby
from costpolicy.rollout.transition import UNSCHEDULABLE_LIMIT
from costpolicy.rollout.verdict import Hold
from costpolicy.units import format_time

_PAYING: Final = frozenset({"capacity_type", "node_selector", "resource_name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands in for a variant on Spot.

    Attributes:
        target: the same plan on demand, as large as what may stand in.
        live: its Deployment, once it exists.
        situation: what is lost and what stands in.
    """

    target: Target
    live: LiveVariant | None
    situation: SpotSituation


def is_standby(outlook: Outlook, stable: LiveVariant, variant: LiveVariant) -> bool:
    """Return whether a variant is the standby of what serves, and not a change to it that is under way."""
    rollout = last_rollout(outlook)
    taking_over = rollout.to_variant == variant.hash and rollout.started_at is not None
    return (
        _on_spot(stable)
        and not taking_over
        and variant.created > stable.created
        and variant.configuration is not None
        and stable.configuration is not None
        and variant.configuration == _paid_as(stable.configuration, variant.configuration)
        and variant.configuration.capacity_type is CapacityType.ON_DEMAND
    )


def standing_of(outlook: Outlook, stable: LiveVariant, wanted: int, now: datetime) -> Standing | None:
    """Return what stands in for a variant on Spot that shall have ``wanted`` replicas; ``None``: nothing can.

    That is where it is not on Spot, or the policy does not allow, or nobody offers, the same accelerator on demand.
    """
    target = _twin(outlook, stable, wanted)
    if target is None:
        return None
    live = next((one for one in outlook.snapshot.live.others if is_standby(outlook, stable, one)), None)
    staying = {node.name for node in outlook.snapshot.capacity.nodes if node.ready and not is_leaving(node)}
    pods = tuple(_pods_of(outlook, stable))
    safe = sum(pod.ready and pod.node in staying for pod in pods)
    going = sum(bool(pod.node) and pod.node not in staying for pod in pods)
    return Standing(
        target=target,
        live=live,
        situation=SpotSituation(
            wanted=wanted,
            safe=safe,
            lost=going + _homeless(outlook, stable, pods, (wanted, safe), now),
            most=target.replicas,
            standing=live.replicas if live else 0,
        ),
    )


def _homeless(
    outlook: Outlook, stable: LiveVariant, pods: Sequence[Pod], counts: tuple[int, int], now: datetime
) -> int:
    """Return how many replicas without a node are lost, and do not only wait for a node that is being started.

    Those are as many as were ready at the last look and are not any more, and as were lost then; those for which the
    cluster may start no node; and those that have waited for longer than nodes take to start.
    """
    wanted, safe = counts
    status = outlook.snapshot.policy.status
    before = next((one.ready_replicas for one in status.variants if one.hash == stable.hash), 0) if status else 0
    remembered = status.standby.lost if status and status.standby else 0
    waiting = [pod for pod in pods if pod.unschedulable]
    stuck = sum(now - (pod.unready_since or now) >= UNSCHEDULABLE_LIMIT for pod in waiting)
    gone = min(max(stable.replicas - len(pods), 0), max(before - safe, 0))
    return min(len(waiting), max(before - safe, remembered, _short_of(outlook, stable, wanted), stuck)) + gone


def _short_of(outlook: Outlook, stable: LiveVariant, wanted: int) -> int:
    """Return how many replicas there are no accelerators for, those of nodes that may be started included."""
    supply = outlook.supply(stable.configuration) if stable.configuration else None
    size = stable.configuration.accelerators_per_replica if stable.configuration else 1
    room = supply.placeable_replicas(size) if supply else 0
    return 0 if room is None else max(wanted - room, 0)


def hold_for_spot(outlook: Outlook, stable: LiveVariant, now: datetime, *, lacking: bool) -> Hold | None:
    """Return that no other configuration is begun, because on-demand replicas stand in for what Spot has lost.

    ``None``: nothing is lost, it is lost for longer than a day, or there are too few accelerators on demand.  ``lacking``:
    what serves finds too few accelerators, whether or not its pods show it yet.
    """
    standing = standing_of(outlook, stable, stable.replicas, now)
    if standing is None or not (lacking or standing.situation.lost or standing.situation.standing):
        return None
    losses = _losses(outlook)
    until = (losses.begun if losses else now) + LASTING
    if now >= until or not _finds_accelerators(outlook, standing):
        return None
    message = (
        f"replicas on demand stand in for what Spot has lost; another configuration is looked for if that lasts until "
        f"{format_time(until)}"
    )
    return Hold(reason=Reason.SPOT_LOST, message=message)


def with_standby(outlook: Outlook, course: Course, now: datetime) -> Course:
    """Return a course with the standby of what serves, and both behind the policy's Service while it stands in."""
    stable = outlook.snapshot.live.stable
    serving = next((one for one in course.variants if stable and one.hash == stable.hash), None)
    if stable is None or serving is None:
        return course
    standing = standing_of(outlook, stable, serving.replicas, now)
    if standing is None:
        return course
    if serving.role != "Stable":  # it was replaced: its standby drains with it
        live = standing.live
        return _with(course, again(outlook, live, live.replicas, "Retiring")) if live else course
    step = next_standby(standing.situation, _losses(outlook), now)
    variant = _variant(outlook, stable, standing, step.replicas, now)
    if variant is None or any(one.hash == variant.hash for one in course.variants):
        return course
    shared = max(step.replicas, standing.situation.standing) > 0 and _may_share(outlook, stable, course)
    return replace(
        _with(course, variant),
        service=None if shared else course.service,
        standby=_status(step.losses),
        news=(*course.news, *_news(standing.situation, step)),
    )


def _twin(outlook: Outlook, stable: LiveVariant, wanted: int) -> Target | None:
    """Return what serves on Spot, on demand: as many replicas as carry what ``wanted`` on Spot do, one of which is spare."""
    configuration = stable.configuration
    if configuration is None or not _on_spot(stable):
        return None
    offered = (
        replace(
            configuration,
            capacity_type=CapacityType.ON_DEMAND,
            node_selector=supply.offering.node_selector,
            resource_name=supply.offering.resource_name,
        )
        for supply in outlook.request.supplies
        if supply.offering.accelerator.name == configuration.accelerator
        and supply.offering.capacity_type is CapacityType.ON_DEMAND
    )
    load = outlook.capacity(configuration) * max(wanted - 1, 1)
    demand = replace(outlook.request.demand, requests_per_second=load)
    sized = (outlook.sized(one, demand) for one in offered)
    return min((one for one in sized if isinstance(one, Target)), key=lambda one: one.cost_per_hour, default=None)


def _on_spot(variant: LiveVariant) -> bool:
    return variant.configuration is not None and variant.configuration.capacity_type is CapacityType.SPOT


def _paid_as(configuration: Configuration, other: Configuration) -> Configuration:
    """Return a configuration with all that decides where, and for how much, it runs as in another one."""
    return replace(configuration, **{name: getattr(other, name) for name in _PAYING})


def _pods_of(outlook: Outlook, variant: LiveVariant) -> Iterator[Pod]:
    metadata = outlook.snapshot.policy.metadata
    mine = (metadata.namespace, metadata.name, variant.hash)
    for pod in outlook.snapshot.capacity.pods:
        labels = pod.labels
        if (pod.namespace, labels.get(POLICY_LABEL), labels.get(VARIANT_LABEL)) == mine and not pod.terminating:
            yield pod


def _losses(outlook: Outlook) -> Losses | None:
    status = outlook.snapshot.policy.status
    known = status.standby if status else None
    if known is None:
        return None
    return Losses(lost=known.lost, changed=known.changed_at, begun=known.begun_at, times=known.times)


def _status(losses: Losses | None) -> StandbyStatus | None:
    if losses is None:
        return None
    return StandbyStatus(lost=losses.lost, changed_at=losses.changed, begun_at=losses.begun, times=losses.times)


def _finds_accelerators(outlook: Outlook, standing: Standing) -> bool:
    """Return whether what has to stand in does, or finds accelerators."""
    live, spot = standing.live, standing.situation
    if live is not None and live.unschedulable:
        return False
    return spot.standing + outlook.spare_replicas(standing.target.configuration) >= min(spot.lost, spot.most)


def _variant(
    outlook: Outlook, stable: LiveVariant, standing: Standing, replicas: int, now: datetime
) -> WantedVariant | None:
    """Return the standby to be; it is made from the same pinned inputs, once what serves is ready or was lost.

    It is not made within moments of what serves: creation times have whole seconds, and which one is older must show.
    """
    if standing.live is not None:
        return again(outlook, standing.live, replicas, "Standby")
    if now - stable.created < WATCHING or not (stable.ready or replicas):
        return None
    rendered = outlook.rendered_on(stable, standing.target.configuration)
    if rendered is None or outlook.snapshot.live.variant(rendered.hash) is not None:  # one that was replaced goes first
        return None
    return WantedVariant(hash=rendered.hash, role="Standby", replicas=replicas, objects=rendered.objects)


def _with(course: Course, variant: WantedVariant) -> Course:
    return replace(course, variants=(*course.variants, variant))


def _may_share(outlook: Outlook, stable: LiveVariant, course: Course) -> bool:
    """Return whether the policy's Service may select all variants: those that are not proven yet only take traffic where
    what serves takes none, and the stable one must stay the oldest, because that is how it is known then.
    """
    alone = not any(one.role == "Canary" for one in course.variants)
    oldest = all(other.created >= stable.created for other in outlook.snapshot.live.others)
    return oldest and (alone or not stable.ready)


def _news(spot: SpotSituation, step: StandbyStep) -> tuple[News, ...]:
    if step.replicas > spot.standing:
        note = (
            f"{spot.lost} of {spot.wanted} replicas on Spot are without a node, or on one that goes: {step.replicas} on demand "
            "stand in"
        )
        return (News(type=EventType.WARNING, reason=Reason.SPOT_LOST, note=note),)
    if spot.standing and not step.replicas:
        note = f"{spot.safe} of {spot.wanted} replicas on Spot are ready: none on demand stands in any more"
        return (News(type=EventType.NORMAL, reason=Reason.SPOT_BACK, note=note),)
    return ()
