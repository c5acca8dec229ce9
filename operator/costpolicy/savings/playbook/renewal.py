"""When the plans that a playbook compares are made anew.

Never before they are all there: something would always keep a playbook from being whole.  Then at once when somebody decided
otherwise: the policy, the model, the engine, prices, or what serves.  What is measured drifts all the time and moves few rows:
it waits until the playbook is an hour old, and then until it has moved so far that rows may be others, or the playbook is a
day old.
"""

from datetime import datetime, timedelta
from typing import Final

from costpolicy.planning.demand import Demand
from costpolicy.planning.plan import Plan
from costpolicy.planning.request import PlanRequest
from costpolicy.savings.playbook.replans import Case, Replans, answer_of
from costpolicy.savings.playbook.techniques import ABANDONED

RESTS: Final = timedelta(hours=1)
"""For measurements a playbook is made anew that often at the most: a load that flutters is another question in every cycle."""

LASTS: Final = timedelta(days=1)
"""For measurements that hardly move, that often."""

BAND: Final = 0.2
"""By what share of itself a demand has to move for a playbook to be made anew earlier."""


def carried_on(before: Replans | None, request: PlanRequest, found: Plan, abandoned: float, now: datetime) -> Replans:
    """Return the replans of before, with one plan more while they are not complete, or new ones where it is time for them.

    Args:
        before: ``None``: none yet.
        request: the question that is planned for now.
        found: its plan, which need not be made again.
        abandoned: share of generated tokens that nobody waited for.
        now: the time.
    """
    fresh = Replans(
        request=request, begun=now, abandoned=round(abandoned, 2), answers={Case.AS_IT_IS: answer_of(found)}
    )
    if before is None:
        return fresh
    if not before.complete:
        return before.with_one_more()
    return fresh if _is_due(before, fresh) else before


def _is_due(before: Replans, fresh: Replans) -> bool:
    """Return whether something was decided otherwise, or measurements moved so far, or a little and long ago."""
    if (before.request, before.abandoned) == (fresh.request, fresh.abandoned):
        return False
    if _decided(before.request) != _decided(fresh.request):
        return True
    age = fresh.begun - before.begun
    if timedelta(0) <= age < RESTS:
        return False
    return (
        not timedelta(0) <= age < LASTS
        or before.answers[Case.AS_IT_IS] != fresh.answers[Case.AS_IT_IS]
        or abs(fresh.abandoned - before.abandoned) >= ABANDONED
        or _moved(before.request.demand, fresh.request.demand)
    )


def _decided(request: PlanRequest) -> tuple[object, ...]:
    """Return what of a question somebody decided, and nobody measured."""
    offerings = tuple(supply.offering for supply in request.supplies)
    return (
        request.spec,
        request.architecture,
        request.source_format,
        request.engine,
        offerings,
        request.currency,
        request.running,
        request.refused,
        request.demand.source,
    )


def _moved(before: Demand, now: Demand) -> bool:
    """Return whether a demand left the band; what is cached of a prompt counts by the prompt."""
    figures = (
        (before.requests_per_second, now.requests_per_second, before.requests_per_second),
        (before.prompt_tokens, now.prompt_tokens, before.prompt_tokens),
        (before.output_tokens, now.output_tokens, before.output_tokens),
        (before.cached_tokens, now.cached_tokens, before.prompt_tokens),
    )
    return any(abs(later - earlier) > BAND * whole for earlier, later, whole in figures)
