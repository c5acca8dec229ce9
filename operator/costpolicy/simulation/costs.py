"""What policies cost over the last week."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from costpolicy.units import ZERO, Money

_COSTS_EVERY: Final = timedelta(hours=3)
_COSTS_FOR: Final = timedelta(hours=168)


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

    def latest(self, now: datetime) -> tuple[datetime, bool, bool]:
        """Return a value that stays equal while the figures do."""
        at = _third_hour(now)
        return at, self._begin is not None and self._begin <= at, at in self._costs

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
