"""How much more was offered a little later on days before: what the coming minutes bring where days repeat themselves."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from costpolicy.observe.days import DAY, WEEK
from costpolicy.observe.source import Sample
from costpolicy.units import format_duration

HORIZONS: Final = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))
"""How far it is looked ahead, as the label ``horizon``: what starts within the first of them that is long enough is ready."""
DAYS_BEFORE: Final = (DAY, 2 * DAY)
WEEKS_BEFORE: Final = (WEEK, 2 * WEEK)
"""How long ago those minutes were, as the label ``ago``."""

_NAMED: Final = {format_duration(each): each for each in (*HORIZONS, *DAYS_BEFORE, *WEEKS_BEFORE)}
"""All of them by their labels."""

Rises = Mapping[timedelta, float]
"""Requests per second that come on top of those of now, by horizon."""


def rises_of(samples: Iterable[Sample]) -> Rises:
    """Return the rise that is expected within each horizon; absent where none is, or nothing is known.

    What both days before had is expected, and what this day of both weeks before had: of each pair the smaller one, so that
    one crowd is nothing that repeats itself.  Where only one of a pair is known it is believed.  It is a rise and not a
    rate, so that a day which is quieter than those before stays so.

    Args:
        samples: of one policy, how far the rate rose after this time of each day, by ``horizon`` and ``ago``.
    """
    return expected_rises(
        {
            (_NAMED.get(sample.labels["horizon"]), _NAMED.get(sample.labels.get("ago", ""))): sample.value
            for sample in samples
            if "horizon" in sample.labels
        }
    )


def expected_rises(rose: Mapping[tuple[timedelta | None, timedelta | None], float]) -> Rises:
    """Return the same from how far the rate rose, by horizon and how long ago; ``None``: neither of those that are asked for."""
    found: dict[timedelta, float] = {}
    if not rose:
        return found
    for horizon in HORIZONS:
        pairs = (DAYS_BEFORE, WEEKS_BEFORE)
        known = ([rose[horizon, ago] for ago in pair if (horizon, ago) in rose] for pair in pairs)
        highest = max((min(pair) for pair in known if pair), default=0.0)
        if highest > 0.0:
            found[horizon] = highest
    return found


def within(rises: Rises, lead: timedelta) -> tuple[timedelta, float] | None:
    """Return the horizon that a lead is covered by, or else the longest, and the rise expected within it, if one is."""
    horizon = next((horizon for horizon in HORIZONS if horizon >= lead), HORIZONS[-1])
    return (horizon, rises[horizon]) if horizon in rises else None
