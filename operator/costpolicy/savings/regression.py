"""Costs regressed on traffic and on changes: one window before the first change, one after each.

The logarithm of an hour's cost per request follows its traffic (:mod:`costpolicy.savings.traffic`) and which changes were made
already; its errors follow those of the hours before (:mod:`costpolicy.savings.autoregression`).  Hours of the week need no term of
their own: what differs between them is the traffic, and what the model leaves over shows as errors that last, which widen the
intervals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Final

from costpolicy.savings.autoregression import Posterior, posterior
from costpolicy.savings.traffic import EXPECTED, Hour, Hours, centre_of, stretches, traffic_row

LEVEL: Final = 0.95
_TOO_STEADY: Final = 0.975
"""Errors that last longer (half of one is left after a day) make a week one observation and not 168."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where the share of the cost lies that a change saves with the traffic of now."""

    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """What the hours say; changes are counted from 1."""

    found: Posterior
    centre: Hour
    changes: int

    @classmethod
    def of(cls, windows: Sequence[Hours]) -> "Regression":
        """Regress the hours of windows; between two of them lies a change.

        Raises:
            ValueError: there are too few hours.
        """
        centre = centre_of([hour for hour in windows[0] if hour is not None])
        changes = len(windows) - 1
        rows = [
            [(1.0, *_made(number, changes), *traffic_row(hour, centre), hour.cost - centre.cost) for hour in stretch]
            for number, hours in enumerate(windows)
            for stretch in stretches(hours)
        ]
        return cls(found=posterior(rows, (*[None] * (1 + changes), *EXPECTED)), centre=centre, changes=changes)

    @property
    def drifts(self) -> bool:
        """Whether costs drift so slowly that windows of some days are one observation each."""
        return self.found.steady(_TOO_STEADY) > 0.5

    def factor(self, change: int) -> float:
        """Return the logarithm of what a change multiplies costs by."""
        return self.found.mean(change)

    def interval(self, change: int) -> Interval:
        """Return where the share lies that a change saves."""
        low, high = self.found.interval(change, LEVEL)
        return Interval(low=1.0 - exp(high), high=1.0 - exp(low), level=LEVEL)

    def unchanged(self, hours: Sequence[Hour]) -> float:
        """Return the cost per request of hours as it would be without any change, relative to the first window's centre."""
        level, first = self.found.mean(0), 1 + self.changes
        means = [self.found.mean(first + at) for at in range(len(EXPECTED))]
        costs = (
            hour.weight
            * exp(level + sum(mean * one for mean, one in zip(means, traffic_row(hour, self.centre), strict=True)))
            for hour in hours
        )
        return sum(costs) / sum(hour.weight for hour in hours)


def _made(window: int, changes: int) -> tuple[float, ...]:
    """Return which changes were made in a window, the last ones 0."""
    return tuple(1.0 if change <= window else 0.0 for change in range(1, changes + 1))
