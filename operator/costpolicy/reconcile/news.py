"""Events: one for each change of mind, none for a loop that found everything as it was."""

from collections.abc import Sequence

from costpolicy.api.conditions import ConditionType, find
from costpolicy.api.figures import PlanSummary, TargetStatus
from costpolicy.api.reasons import Reason
from costpolicy.api.status import CostPolicyStatus
from costpolicy.kube.gateway import EventType
from costpolicy.reconcile.decision import News
from costpolicy.reconcile.snapshot import Snapshot
from costpolicy.units import Money

_TOLD = (
    ConditionType.STALLED,
    ConditionType.ROLLOUT_BLOCKED,
    ConditionType.WITHIN_BUDGET,
    ConditionType.METRICS_AVAILABLE,
)
"""Conditions whose turn for the worse is an event; ``True`` is bad news for the first two, ``False`` for the others."""
_BAD = {
    ConditionType.STALLED: "True",
    ConditionType.ROLLOUT_BLOCKED: "True",
    ConditionType.WITHIN_BUDGET: "False",
    ConditionType.METRICS_AVAILABLE: "False",
}
_EXPECTED = ("NoTraffic", "NoSamples")
"""Metrics that are only not there yet: a young deployment is no news."""


def news_of(snapshot: Snapshot, status: CostPolicyStatus, course_news: Sequence[News]) -> tuple[News, ...]:
    """Return the events of a decision: the course's, conditions that turned bad (or bad for another reason), and that
    the cheapest plan has moved to another accelerator than what serves.
    """
    before = snapshot.policy.status
    told: list[News] = []
    for kind in _TOLD:
        new = find(status.conditions, kind)
        old = find(before.conditions, kind) if before else None
        if new is None or new.status != _BAD[kind] or new.reason in _EXPECTED:
            continue
        said = new.reason in {one.reason for one in told}
        if not said and (old is None or (old.status, old.reason) != (new.status, new.reason)):
            told.append(News(type=EventType.WARNING, reason=new.reason, note=new.message))
    stalled_before = find(before.conditions, ConditionType.STALLED) if before else None
    if stalled_before is not None and stalled_before.status == "True":
        course_news = [one for one in course_news if one.reason != stalled_before.reason]
    seen = {one.reason for one in told}
    moved = () if any(one.reason == Reason.ROLLOUT_STARTED for one in course_news) else _moved(before, status)
    return (*(one for one in course_news if one.reason not in seen), *told, *moved)


def _moved(before: CostPolicyStatus | None, status: CostPolicyStatus) -> tuple[News, ...]:
    """Tell once that what serves would now be cheaper on another accelerator or capacity type."""
    serves, target = status.current, status.target
    if serves is None or target is None or before is None or before.target is None:
        return ()
    if serves.cost_per_hour is None or _place(target) in (_place(serves), _place(before.target)):
        return ()
    saved = Money.parse(serves.cost_per_hour) - Money.parse(target.cost_per_hour)
    if saved <= Money(0):
        return ()
    note = (
        f"{target.replicas * target.accelerators_per_replica} {target.accelerator} {target.capacity_type} would now do for "
        f"{target.cost_per_hour} {target.currency} an hour, {saved.monthly().text(2)} a month less than the "
        f"{serves.accelerator} that serve"
    )
    return (News(type=EventType.NORMAL, reason=Reason.CHEAPER_ELSEWHERE, note=note),)


def _place(plan: PlanSummary | TargetStatus) -> tuple[str, str]:
    return plan.accelerator, plan.capacity_type
