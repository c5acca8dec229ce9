"""Events: one for each change of mind, none for a loop that found everything as it was."""

from collections.abc import Sequence

from costpolicy.api.conditions import ConditionType, find
from costpolicy.api.status import CostPolicyStatus
from costpolicy.kube.gateway import EventType
from costpolicy.reconcile.decision import News
from costpolicy.reconcile.snapshot import Snapshot

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
    """Return the events of a decision: the course's, and conditions that turned bad (or bad for another reason)."""
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
    return (*(one for one in course_news if one.reason not in seen), *told)
