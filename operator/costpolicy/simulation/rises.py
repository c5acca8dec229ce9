"""The offered load of one policy over two weeks: how far it rose after this time of other days."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from costpolicy.observe.ahead import DAYS_BEFORE, HORIZONS, WEEKS_BEFORE

_KEPT = max(WEEKS_BEFORE)
_FORGOTTEN_AT_ONCE = 4096
"""Old rates go so many at a time, because what is left of a list is moved."""

Rise = tuple[timedelta, timedelta, float]


@dataclass(slots=True)
class Before:
    """Rates by time, oldest first."""

    _times: list[datetime] = field(default_factory=list)
    _rates: list[float] = field(default_factory=list)
    _told: tuple[datetime, tuple[Rise, ...]] | None = None

    def record(self, at: datetime, rate: float) -> None:
        """Take in a rate."""
        self._told = None
        self._times.append(at)
        self._rates.append(rate)
        old = bisect_right(self._times, at - _KEPT)
        if old >= _FORGOTTEN_AT_ONCE:
            del self._times[:old], self._rates[:old]

    def figures(self, now: datetime) -> tuple[Rise, ...]:
        """Return each horizon, how long ago, and how far the rate rose within the one after the other; nothing of times that
        are not kept."""
        if self._told is None or self._told[0] != now:
            self._told = (now, tuple(self._rises(now)))
        return self._told[1]

    def _rises(self, now: datetime) -> Iterator[Rise]:
        for ago in (*DAYS_BEFORE, *WEEKS_BEFORE):
            first = bisect_right(self._times, now - ago)
            if not first:
                continue
            for horizon in HORIZONS:
                rates = self._rates[first : bisect_right(self._times, now - ago + horizon)]
                if rates:
                    yield horizon, ago, max(rates) - self._rates[first - 1]
