"""The offered load of one policy over the window, and a high percentile of it."""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

_QUANTILE: Final = 0.95


@dataclass(slots=True)
class History:
    """Rates by time, oldest first, and the same in order of size."""

    _rates: deque[tuple[datetime, float]] = field(default_factory=deque)
    _ordered: list[float] = field(default_factory=list)

    def record(self, at: datetime, rate: float, keep: timedelta) -> None:
        """Take in a rate and forget those that are older than ``keep``."""
        self._rates.append((at, rate))
        insort(self._ordered, rate)
        while self._rates[0][0] < at - keep:
            _, gone = self._rates.popleft()
            del self._ordered[bisect_left(self._ordered, gone)]

    @property
    def begin(self) -> datetime:
        """Time of the oldest rate."""
        return self._rates[0][0]

    @property
    def high(self) -> float:
        """The 95th percentile."""
        return self._ordered[min(int(_QUANTILE * len(self._ordered)), len(self._ordered) - 1)]
