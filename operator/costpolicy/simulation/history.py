"""The offered load of one policy over the window and over its days, and high percentiles of it."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from costpolicy.observe.days import DAY, DAYS, HIGH, Stretch

_AGES: Final = tuple(DAY * (1 + ago) for ago in range(1 + max(ago for ago, _ in DAYS.values())))
"""How old a rate is when it leaves each day."""


@dataclass(slots=True)
class _Rates:
    """Rates by time, oldest first, and the same in order of size."""

    by_time: deque[tuple[datetime, float]] = field(default_factory=deque)
    by_size: list[float] = field(default_factory=list)

    def add(self, at: datetime, rate: float) -> None:
        self.by_time.append((at, rate))
        insort(self.by_size, rate)

    def drop(self, before: datetime) -> Iterator[tuple[datetime, float]]:
        """Forget the rates from before a time, and yield them."""
        while self.by_time and self.by_time[0][0] < before:
            at, rate = self.by_time.popleft()
            del self.by_size[bisect_left(self.by_size, rate)]
            yield at, rate

    def quantile(self, share: float) -> float:
        return self.by_size[min(int(share * len(self.by_size)), len(self.by_size) - 1)]


@dataclass(slots=True)
class History:
    """The rates of the window, and those of each day back from now."""

    _all: _Rates = field(default_factory=_Rates)
    _days: tuple[_Rates, ...] = field(default_factory=lambda: tuple(_Rates() for _ in _AGES))
    _told: tuple[tuple[Stretch, float], ...] | None = None

    def record(self, at: datetime, rate: float, keep: timedelta) -> None:
        """Take in a rate and forget those that are older than ``keep``."""
        self._told = None
        self._all.add(at, rate)
        for _ in self._all.drop(at - keep):
            pass
        self._days[0].add(at, rate)
        for day, following, age in zip(self._days, (*self._days[1:], None), _AGES, strict=True):
            for old in day.drop(at - age):
                if following is not None:
                    following.add(*old)

    @property
    def begin(self) -> datetime:
        """Time of the oldest rate."""
        return self._all.by_time[0][0]

    def quantiles(self) -> tuple[tuple[Stretch, float], ...]:
        """Return what is asked of each stretch that there is."""
        if self._told is None:
            self._told = tuple(self._quantiles())
        return self._told

    def _quantiles(self) -> Iterator[tuple[Stretch, float]]:
        yield Stretch.MOST, self._days[0].by_size[-1]
        yield Stretch.ALL, self._all.quantile(HIGH)
        for stretch, (ago, share) in DAYS.items():
            if self._days[ago].by_size:
                yield stretch, self._days[ago].quantile(share)
