"""The offered load of one policy over the window, a high percentile of it, and what policies cost."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from costpolicy.units import ZERO, Money

_QUANTILE: Final = 0.95
_COSTS_EVERY: Final = timedelta(hours=3)
_COSTS_FOR: Final = timedelta(hours=168)


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


@dataclass(slots=True)
class Costs:
    """What policies cost an hour, at every third hour of a week."""

    _begin: datetime | None = None
    _costs: dict[datetime, dict[tuple[str, str], Money]] = field(default_factory=dict)

    def record(self, at: datetime, costs: Mapping[tuple[str, str], Money]) -> None:
        """Take in what policies cost at one time."""
        self._begin = self._begin or at
        if at == _third_hour(at):
            self._costs[at] = dict(costs)

    def figures(self, now: datetime) -> Iterator[tuple[datetime, Mapping[tuple[str, str], Money]]]:
        """Yield the costs of the week before, by time; where no engine ran there are none."""
        at = _third_hour(now)
        while self._begin is not None and at >= self._begin and at > now - _COSTS_FOR:
            yield at, self._costs.get(at, {})
            at -= _COSTS_EVERY


def total(costs: Mapping[tuple[str, str, str], Money]) -> dict[tuple[str, str], Money]:
    """Return the costs of variants by policy."""
    found: dict[tuple[str, str], Money] = {}
    for (namespace, policy, _), cost in costs.items():
        found[namespace, policy] = found.get((namespace, policy), ZERO) + cost
    return found


def _third_hour(at: datetime) -> datetime:
    step = int(_COSTS_EVERY.total_seconds())
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % step, tz=UTC)
