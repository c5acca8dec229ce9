"""What the operator is going to do about a policy by itself, when, why and for how much: read from its status alone.

Nothing is decided here: the verdict is judged anew at that time, and holds if by then something speaks against it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from costpolicy.api.conditions import ConditionType, find
from costpolicy.api.figures import PlanSummary, TargetStatus
from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.api.status import CostPolicyStatus
from costpolicy.api.types import RolloutMode
from costpolicy.rollout.transition import Phase
from costpolicy.rollout.verdict import STANDS_FOR
from costpolicy.rollout.windows import next_opening, next_start
from costpolicy.units import Money, parse_duration

_TIMED = (Reason.COOLING_DOWN, Reason.OUTSIDE_WINDOW, Reason.REVALIDATING, Reason.STEADY)
"""Holds that end at a time that is known."""
_GATE = (Reason.EVALUATION_RUNNING, Reason.EVALUATION_FAILED, Reason.EVALUATION_TOO_SMALL)
"""Holds of a plan that can alter answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """One thing that is going to happen.

    Attributes:
        at: when, at the earliest; ``None``: not before something else changes, which ``why`` names.
        what: in a few words.
        why: in the operator's own words.
        saves_an_hour: what it saves in the policy's currency, where that is known.
    """

    at: datetime | None
    what: str
    why: str
    saves_an_hour: Money | None = None


def upcoming(policy: CostPolicy, default: RolloutMode, now: datetime) -> tuple[Upcoming, ...]:
    """Return what comes next, soonest first; what has no time comes last.

    Args:
        policy: as stored, with its status.
        default: the mode of policies that state none: the operator's ``defaultRolloutMode``.
        now: the time.
    """
    status = policy.status
    if status is None:
        return ()
    found = (
        *_change(policy, status, policy.spec.rollout.mode or default, now),
        *_rise(status, now),
        *_schedules(policy, now),
    )
    return tuple(sorted(found, key=lambda one: (one.at is None, one.at or now)))


def _change(policy: CostPolicy, status: CostPolicyStatus, mode: RolloutMode, now: datetime) -> Iterator[Upcoming]:
    rollout, target, current = status.rollout, _next_plan(status), status.current
    if rollout is not None and rollout.phase in (Phase.SURGING, Phase.EVALUATING, Phase.SHARING, Phase.REPLACING):
        what = f"{rollout.to_variant} takes over from {rollout.from_variant} ({rollout.phase})"
        yield Upcoming(at=now, what=what, why=rollout.message, saves_an_hour=_saving(current, target))
        return
    if target is None or current is None or not _differs(policy, current, target):
        return
    what, saves = f"change to {described(target)}", _saving(current, target)
    if mode is not RolloutMode.AUTO:
        why = f"spec.rollout.mode is {mode}: this is a recommendation, and nothing is changed before it is Auto"
        yield Upcoming(at=None, what=what, why=why, saves_an_hour=saves)
        return
    blocked = find(status.conditions, ConditionType.ROLLOUT_BLOCKED)
    timed = blocked is None or blocked.reason in _TIMED
    yield Upcoming(
        at=_earliest(policy, now) if timed else None,
        what=what,
        why=blocked.message if blocked is not None and blocked.message else "it is cheaper",
        saves_an_hour=saves,
    )


def _next_plan(status: CostPolicyStatus) -> TargetStatus | None:
    """Return the plan that comes next: the one that the quality gate is asked about, where that is what is waited for."""
    current, target, recommended = status.current, status.target, status.recommended
    blocked = find(status.conditions, ConditionType.ROLLOUT_BLOCKED)
    asked = blocked is not None and blocked.reason in _GATE
    proposed = bool(status.rollout and status.rollout.proposed_variant)
    nothing_else = proposed and current is not None and target is not None and _shape(current) == _shape(target)
    return recommended if recommended is not None and (asked or nothing_else) else target


def _earliest(policy: CostPolicy, now: datetime) -> datetime | None:
    """Return when cooldown, windows and the time that a plan has to stand will all be over."""
    spec = policy.spec.rollout
    rollout = policy.status.rollout if policy.status else None
    ready = now
    if rollout is not None and rollout.last_change_at is not None:
        ready = max(ready, rollout.last_change_at + parse_duration(spec.cooldown))
    if rollout is not None and rollout.proposed_since is not None:
        ready = max(ready, rollout.proposed_since + STANDS_FOR)
    return next_opening(spec.maintenance_windows, ready)


def _rise(status: CostPolicyStatus, now: datetime) -> Iterator[Upcoming]:
    ahead = status.ahead
    if ahead is not None:
        yield Upcoming(
            at=now,
            what=f"{ahead.replicas} replicas for {ahead.requests_per_second:g} requests/s",
            why=f"on days before the load rose within {ahead.within_minutes} minutes from this time",
        )


def _schedules(policy: CostPolicy, now: datetime) -> Iterator[Upcoming]:
    for schedule in policy.spec.scaling.schedules:
        fewest = policy.spec.scaling.min_replicas if schedule.min_replicas is None else schedule.min_replicas
        most = policy.spec.scaling.max_replicas if schedule.max_replicas is None else schedule.max_replicas
        what = "no replica" if most == 0 else f"{min(fewest, most)} to {most} replicas"
        yield Upcoming(
            at=next_start(schedule.schedule, schedule.time_zone, now),
            what=f"{what} from then on",
            why=f"spec.scaling.schedules: {schedule.schedule} in {schedule.time_zone}",
        )


def _differs(policy: CostPolicy, current: PlanSummary, target: TargetStatus) -> bool:
    """Return whether the plan is another configuration than what serves, as far as status shows it."""
    rollout = policy.status.rollout if policy.status else None
    return bool(rollout and rollout.proposed_variant) or _shape(current) != _shape(target)


def _shape(plan: PlanSummary | TargetStatus) -> tuple[str, str, int, str, str]:
    return (
        plan.accelerator,
        plan.capacity_type,
        plan.accelerators_per_replica,
        plan.weights,
        plan.kv_cache_dtype,
    )


def described(plan: PlanSummary | TargetStatus) -> str:
    """Return a plan of a status as people say it: ``2 x 4 nvidia-h100-80gb OnDemand, bf16 weights``."""
    each = f" x {plan.accelerators_per_replica}" if plan.accelerators_per_replica > 1 else ""
    return f"{plan.replicas}{each} {plan.accelerator} {plan.capacity_type}, {plan.weights} weights"


def _saving(current: PlanSummary | None, target: TargetStatus | None) -> Money | None:
    if current is None or target is None or current.cost_per_hour is None:
        return None
    return Money.parse(current.cost_per_hour) - Money.parse(target.cost_per_hour)
