"""Which plans a playbook compares for a policy: for the demand that is planned for, and what engines count of it."""

from datetime import datetime

from costpolicy.api.missing import Missing
from costpolicy.observe.answers import AnswerFigure
from costpolicy.observe.observation import PolicyObservation
from costpolicy.planning.plan import Plan
from costpolicy.planning.request import PlanRequest
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.savings.playbook.facts import Traffic
from costpolicy.savings.playbook.replans import Replans, carried_on


def replanned(
    before: Replans | None,
    request: PlanRequest,
    found: Plan,
    observed: PolicyObservation | MetricsDown,
    now: datetime,
) -> Replans | None:
    """Return the plans that the playbook compares, one more than before; ``None`` while nothing is known of the traffic."""
    if request.demand.assumed:
        return None
    share = traffic_of(observed).abandoned
    return carried_on(before, request, found, 0.0 if isinstance(share, Missing) else share, now)


def traffic_of(observed: PolicyObservation | MetricsDown) -> Traffic:
    """Return what engines count of a policy's traffic."""
    if isinstance(observed, MetricsDown):
        absent = Missing(reason=observed.reason, message=observed.message)
        return Traffic(hit_ratio=absent, long_answer=absent, limit=absent, cut_share=absent, abandoned=absent)
    return Traffic(
        hit_ratio=observed.prefix_hit_ratio,
        long_answer=observed.answer(AnswerFigure.LONG),
        limit=observed.answer(AnswerFigure.LIMIT),
        cut_share=observed.cut_share,
        abandoned=observed.answer(AnswerFigure.ABANDONED),
    )
