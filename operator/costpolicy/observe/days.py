"""How much was offered over days, in one rate: recent days weigh more, and a week repeats itself.

A rate counts if it was exceeded for 5 % of the past day, 10 % of the day before, 20 % of the one before that, and so on: the
time that a day spent above it counts half as much with every day that passes.  That is the 95th percentile of a histogram
that decays with a half-life of 24 hours, read day by day instead of summed over the days, and needs no state.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
HIGH: Final = 0.95
"""The quantile of five-minute rates that is planned for."""


class Stretch(StrEnum):
    """Of which stretch of history a quantile is, as the label ``stretch``."""

    MOST = "most"
    """The past day, and the most in it."""
    ALL = "all"
    """The whole window, every day alike."""
    TODAY = "0"
    YESTERDAY = "1"
    TWO_DAYS_AGO = "2"
    THREE_DAYS_AGO = "3"
    FOUR_DAYS_AGO = "4"
    AHEAD = "ahead"
    """The coming day, as it was a week ago."""
    A_WEEK_AGO = "week"
    """The past day, as it was a week ago."""


RECENT: Final[Mapping[Stretch, tuple[int, float]]] = {
    stretch: (days, round(1.0 - (1.0 - HIGH) * 2**days, 9))
    for days, stretch in enumerate(
        (
            Stretch.TODAY,
            Stretch.YESTERDAY,
            Stretch.TWO_DAYS_AGO,
            Stretch.THREE_DAYS_AGO,
            Stretch.FOUR_DAYS_AGO,
        )
    )
}
"""How many days ago a day ended, and the quantile of it that counts: .95, .9, .8, .6, .2.  A day before those cannot have been
above a rate for long enough."""

WEEKLY: Final[Mapping[Stretch, tuple[int, float]]] = {Stretch.AHEAD: (6, 0.8), Stretch.A_WEEK_AGO: (7, HIGH)}
"""The same of the days that are compared with a week ago.  What is to come counts if it lasted for a fifth of that day: hours
of business do, one crowd does not."""

DAYS: Final[Mapping[Stretch, tuple[int, float]]] = {**RECENT, **WEEKLY}
"""Every day that a quantile is asked of."""

WHOLE: Final = WEEK - timedelta(hours=1)
"""History that reaches back as far as this reaches back a week: its beginning is looked for within the window, step by step."""

STEADY: Final = 1.5
"""The past day may be that many times more or less than a week before for the week to be a pattern."""


def high_rate(rates: Mapping[str, float], span: timedelta | None) -> float | None:
    """Return the rate that a configuration is chosen for; ``None`` without any history.

    Less than a week of history is not weighed: what it has not seen yet may come, so the 95th percentile of all of it counts,
    and within its first day the most that was seen.

    Args:
        rates: requests per second by :class:`Stretch`.
        span: how far back history reaches; ``None``: not known, which is taken as short.
    """
    if span is None or span < DAY:
        return _highest(rates, Stretch.MOST, Stretch.ALL)
    if span < WHOLE:
        return _highest(rates, Stretch.ALL)
    return _highest(rates, *RECENT, *((Stretch.AHEAD,) if _is_weekly(rates) else ()))


def _is_weekly(rates: Mapping[str, float]) -> bool:
    """Return whether the past day was as a week before; where that is not known yet nothing speaks against it."""
    now, before = rates.get(Stretch.TODAY), rates.get(Stretch.A_WEEK_AGO)
    if now is None or before is None:
        return True
    return max(now, before) <= STEADY * min(now, before)


def _highest(rates: Mapping[str, float], *stretches: Stretch) -> float | None:
    return max((rates[stretch] for stretch in stretches if stretch in rates), default=None)
