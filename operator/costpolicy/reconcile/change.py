"""Which configuration a policy shall run next, and why: the configuration loop (days; never more than one at a time)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from costpolicy.api.reasons import Reason
from costpolicy.api.types import RolloutMode
from costpolicy.planning.plan import Rejection, Target
from costpolicy.reconcile.course import Questions
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.snapshot import Snapshot
from costpolicy.reconcile.standby import hold_for_spot
from costpolicy.rollout.disruption import canary_time, cold_cache_time, disruption_cost, lost_capacity
from costpolicy.rollout.verdict import Hold, Proceed, Proposal, judge
from costpolicy.units import Money

Trigger = Literal["SpecChange", "BetterPlan", "OutOfStock", "DidNotSave"]
HOLD_UNTIL = "costpolicy.dev/hold-until"
ROLLBACK = "costpolicy.dev/rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """The stable variant stays.

    Attributes:
        hold: what speaks against another plan that exists.
        proposed: hash of the variant that this plan would be, and since when it has stood.
        owed: a user's edit that is still to be followed, so that it is not forgotten once it was seen.
        asked: the evaluation that another plan waits for.
    """

    hold: Hold | None = None
    proposed: tuple[str, datetime] | None = None
    owed: bool = False
    asked: Questions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Another configuration takes over; ``proposed`` as in :class:`Keep`, where it was a proposal."""

    target: Target
    trigger: Trigger
    message: str
    proposed: tuple[str, datetime] | None = None


def next_configuration(
    outlook: Outlook, stable: LiveVariant, running: Target | Rejection, now: datetime
) -> Keep | Change:
    """Return whether another configuration takes over from the stable variant.

    A user's edit is followed at once, and stays to be followed until it has been; a better plan only in mode Auto
    and only when it pays (``rollout.verdict``), or at once where what serves cannot have the accelerators that it needs.
    Nothing is changed for a plan that does not exist.
    """
    snapshot, target = outlook.snapshot, outlook.plan.target
    owed = edited(snapshot)
    if target is None:
        return Keep(owed=owed)
    if _is_what_runs(outlook, stable, target):
        return Keep()
    held = held_until(snapshot, now)
    if held is not None:
        return Keep(hold=held, owed=owed)
    if owed:
        return Change(target=target, trigger="SpecChange", message="the policy was edited")
    if snapshot.mode is not RolloutMode.AUTO or rollback_asked(snapshot):
        return Keep()
    return _own_change(outlook, stable, target, running, now)


def _own_change(
    outlook: Outlook, stable: LiveVariant, target: Target, running: Target | Rejection, now: datetime
) -> Keep | Change:
    """Return whether the operator changes to a plan of its own."""
    lacking = _lacking(outlook, stable, running)
    if (spot := hold_for_spot(outlook, stable, now, lacking=lacking is not None)) is not None:
        return Keep(hold=spot)
    if lacking is not None:
        return Change(target=target, trigger="OutOfStock", message=lacking)
    return better_plan(outlook, target, running, now)


def _lacking(outlook: Outlook, stable: LiveVariant, running: Target | Rejection) -> str | None:
    """Return that what serves has lost its nodes, or needs more accelerators than there are: no saving is asked for then,
    and nothing waited for.
    """
    if isinstance(running, Rejection):
        return running.message if running.reason is Reason.NO_NODES else None
    placeable = stable.ready + outlook.spare_replicas(running.configuration)
    if not stable.unschedulable or running.replicas <= placeable:
        return None
    name = running.configuration.accelerator
    return f"{running.replicas} replicas on {name} are needed, and {placeable} find accelerators"


def better_plan(
    outlook: Outlook,
    target: Target,
    running: Target | Rejection,
    now: datetime,
    standing_by: timedelta = timedelta(0),
) -> Keep | Change:
    """Return whether the operator changes to a plan of its own.

    Args:
        outlook: what could be run.
        target: the plan.
        running: what it is compared with, at the same demand.
        now: the time.
        standing_by: how long all its replicas would have to run to cost what the wait for its answers costs.
    """
    snapshot = outlook.snapshot
    hash_ = outlook.rendered(target).hash
    proposal = _proposal(outlook, target, running, hash_, standing_by)
    proposed = (hash_, min(proposal.proposed_since or now, now))
    verdict = judge(proposal, snapshot.policy.spec.rollout, now)
    match verdict:
        case Hold():
            return Keep(hold=verdict, proposed=proposed)
        case Proceed():
            return Change(target=target, trigger="BetterPlan", message=verdict.message, proposed=proposed)


def _is_what_runs(outlook: Outlook, stable: LiveVariant, target: Target) -> bool:
    """Return whether the plan is what serves: the same configuration, and no edit that makes another variant of it."""
    if target.configuration != stable.configuration:
        return False
    rendered = outlook.rendered_again(stable)
    return rendered is not None and rendered.hash == stable.hash


def newly_edited(snapshot: Snapshot) -> bool:
    """Return whether the policy was edited since the last decision."""
    status = snapshot.policy.status
    return status is None or status.observed_generation != snapshot.policy.metadata.generation


def edited(snapshot: Snapshot) -> bool:
    """Return whether the user's last edit has not been carried out yet."""
    status = snapshot.policy.status
    if status is None or newly_edited(snapshot):
        return True
    return status.rollout is not None and status.rollout.trigger == "SpecChange" and status.rollout.phase != "Steady"


def held_until(snapshot: Snapshot, now: datetime) -> Hold | None:
    """Return the hold that the annotation asks for; one that cannot be read holds too, because it was meant to."""
    text = snapshot.policy.metadata.annotations.get(HOLD_UNTIL)
    if text is None:
        return None
    try:
        until = datetime.fromisoformat(text)
        over = until <= now
    except (ValueError, TypeError):
        message = (
            f"{HOLD_UNTIL}={text} is not a time with its zone, such as 2026-11-22T16:00:00Z; held until it is mended"
        )
        return Hold(reason=Reason.HOLD_UNTIL, message=message)
    return None if over else Hold(reason=Reason.HOLD_UNTIL, message=f"{HOLD_UNTIL} forbids changes until {text}")


def rollback_asked(snapshot: Snapshot) -> bool:
    """Return whether the annotation takes back the change that is under way."""
    return snapshot.policy.metadata.annotations.get(ROLLBACK) == "now"


def _proposal(
    outlook: Outlook, target: Target, running: Target | Rejection, hash_: str, standing_by: timedelta
) -> Proposal:
    snapshot = outlook.snapshot
    status, stable = snapshot.policy.status, snapshot.live.stable
    rollout = status.rollout if status else None
    observed = snapshot.observed
    return Proposal(
        current_cost=running.cost_per_hour if isinstance(running, Target) else None,
        target_cost=target.cost_per_hour,
        disruption_cost=_disruption(outlook, target, running, standing_by),
        metrics_fresh=getattr(observed, "fresh", False),
        last_change=rollout.last_change_at if rollout else None,
        changes=tuple(receipt.at for receipt in status.history) if status else (),
        unready_since=stable.unready_since if stable else None,
        others_changing=snapshot.others_changing,
        proposed_since=rollout.proposed_since if rollout and rollout.proposed_variant == hash_ else None,
    )


def _disruption(outlook: Outlook, target: Target, running: Target | Rejection, standing_by: timedelta) -> Money:
    """Return what a change costs by itself: loading, cold caches, evidence, the wait for answers that are compared, and
    replicas that are replaced one by one.
    """
    memory, canary = target.memory, outlook.snapshot.policy.spec.rollout.canary
    cold = cold_cache_time(outlook.request.demand, memory.kv_cache_tokens, target.capacity_per_replica)
    working = canary_time(target.replicas, canary) + standing_by + cold
    cost = disruption_cost(target.cost_per_hour, memory.weights_bytes, working)
    if not isinstance(running, Target):
        return cost
    one_by_one = target.replicas - outlook.spare_replicas(target.configuration)
    each = running.cost_per_hour.scaled(1, running.replicas)
    return cost + lost_capacity(each, one_by_one, memory.weights_bytes)
