"""Which plans a playbook compares for a policy: for the demand that is planned for, and what engines count of it."""

from dataclasses import replace
from datetime import datetime

from costpolicy.api.missing import Missing
from costpolicy.observe.answers import AnswerFigure
from costpolicy.observe.observation import PolicyObservation
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.savings.playbook.facts import Traffic
from costpolicy.savings.playbook.renewal import carried_on


def replanned(outlook: Outlook, now: datetime) -> Outlook:
    """Return an outlook with the plans that the playbook compares, one more than before; without any while nothing is known
    of the traffic.
    """
    planned, request = outlook.planned, outlook.request
    if request.demand.assumed:
        return replace(outlook, planned=replace(planned, replans=None))
    share = traffic_of(outlook.snapshot.observed).abandoned
    abandoned = 0.0 if isinstance(share, Missing) else share
    replans = carried_on(planned.replans, request, planned.plan, abandoned, now)
    return replace(outlook, planned=replace(planned, replans=replans))


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
