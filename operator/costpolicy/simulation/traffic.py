"""Arrival curves: how many requests per second are offered at a time.  Deterministic."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

_DAY: Final = timedelta(days=1)


class Curve(Protocol):
    """Requests per second as a function of time."""

    def rate(self, at: datetime) -> float:
        """Return the offered rate."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same rate always."""

    requests_per_second: float

    def rate(self, at: datetime) -> float:
        """See :class:`Curve`."""
        del at
        return self.requests_per_second


@dataclass(frozen=True, slots=True)
class Steps:
    """A rate that changes at given times; before the first it is 0."""

    changes: tuple[tuple[datetime, float], ...]

    def rate(self, at: datetime) -> float:
        """See :class:`Curve`."""
        return next((rate for since, rate in reversed(self.changes) if since <= at), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """A sine over the day, ``peak`` at ``peak_hour`` (UTC) and ``trough`` twelve hours away."""

    trough: float
    peak: float
    peak_hour: float = 14.0

    def rate(self, at: datetime) -> float:
        """See :class:`Curve`."""
        midnight = datetime(at.year, at.month, at.day, tzinfo=UTC)
        turn = (at - midnight) / _DAY - self.peak_hour / 24
        return self.trough + (self.peak - self.trough) * (1 + math.cos(2 * math.pi * turn)) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What clients send to one policy: a curve and the mean shape of a request, in tokens."""

    curve: Curve
    prompt_tokens: float = 1000.0
    output_tokens: float = 250.0
    cached_tokens: float = 0.0
