"""Changes that follow each other faster than one can be measured: each gets its own share, from all their hours together.

With a window before the first change and one after each, every hour speaks about the traffic, and each change is a step of its
own.  A short window between two changes makes the intervals of both wider; it never moves one's saving to the other unseen.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from costpolicy.savings.attribution import DRIFTS, NotAttributable
from costpolicy.savings.regression import Interval, Regression
from costpolicy.savings.traffic import hour_of, too_thin, unlike
from costpolicy.savings.window import Window

FEWEST_HOURS: Final = 24
"""Hours with requests between two changes: every hour of the day once.  Before the first and after the last, two days."""

Share: TypeAlias = Interval | NotAttributable


def explain_each(windows: Sequence[Window]) -> tuple[Share, ...]:
    """Return the share of the cost that each change saves, with the traffic after it.

    Args:
        windows: hours before the first change, between each two, and after the last one.

    Raises:
        ValueError: there are fewer than two windows.
    """
    if len(windows) < 2:
        raise ValueError("one change has two windows: hours before it and after it")
    hours = [[hour_of(one) for one in window.hours] for window in windows]
    last, changes = len(windows) - 1, len(windows) - 1
    thin = [
        too_thin(_name(number, last), each, *(() if number in (0, last) else (FEWEST_HOURS,)))
        for number, each in enumerate(hours)
    ]
    if any(thin):
        return (NotAttributable(reason=next(filter(None, thin))),) * changes
    model = Regression.of(hours)
    if model.drifts:
        return (NotAttributable(reason=DRIFTS),) * changes
    before, found = list(hours[0]), []
    for number, (_, after) in enumerate(pairwise(hours), start=1):
        reason = unlike(before, after)
        found.append(NotAttributable(reason=reason) if reason else model.interval(number))
        before += after
    return tuple(found)


def _name(number: int, last: int) -> str:
    if number == 0:
        return "baseline window"
    return "current window" if number == last else f"window after change {number}"
