"""What changes have saved that came before the one in front of them was measured."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from costpolicy.savings.changes import Change
from costpolicy.savings.measurement import Hour, begin_of_hour, prices_before, span_of, window_end
from costpolicy.savings.overlapping import Share, explain_each


def told_apart(hours: Sequence[Hour], changes: Sequence[Change], length: timedelta) -> Mapping[Change, Share]:
    """Return the share of the cost that each of the last changes saves, where one came within the other's window.

    Args:
        hours: known ones, oldest first.
        changes: in order of time; the last one has been measured for as long as ``length``.
        length: of a window.

    Returns:
        Nothing for a change that stands alone: :func:`costpolicy.savings.measurement.measure` says it.
    """
    together = _overlapping(changes, length)
    if len(together) < 2:
        return {}
    first, last = together[0], together[-1]
    begin = begin_of_hour(first.began) - length
    bounds = [
        (max(begin, first.after or begin), first.began),
        *((before.ended, after.began) for before, after in pairwise(together)),
        (last.ended, window_end(last, length)),
    ]
    prices = prices_before(hours, first)
    spans = [span_of(hours, since, until, prices) for since, until in bounds]
    known = [span.totals for span in spans if span is not None]
    if len(known) < len(spans):
        return {}
    return dict(zip(together, explain_each(known), strict=True))


def _overlapping(changes: Sequence[Change], length: timedelta) -> list[Change]:
    """Return the last changes, back to the first of which each has the next one in its window."""
    found = list(changes[-1:])
    for before, after in reversed(list(pairwise(changes))):
        if after.began - before.ended >= length:
            break
        found.insert(0, before)
    return found
