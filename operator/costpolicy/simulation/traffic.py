"""Arrival curves: how many requests per second are offered at a time.  Deterministic."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

_DAY: Final = timedelta(days=1)
_WORKING_DAYS: Final = 5


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
class Growth:
    """A rate that grows evenly from ``first`` at ``begin`` to ``last`` at ``end``, and stays there."""

    begin: datetime
    end: datetime
    first: float
    last: float

    def rate(self, at: datetime) -> float:
        """See :class:`Curve`."""
        passed = min(max((at - self.begin) / (self.end - self.begin), 0.0), 1.0)
        return self.first + (self.last - self.first) * passed


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeHours:
    """``inside`` from ``opens`` until ``closes`` o'clock (UTC) on working days, else ``outside``."""

    inside: float
    outside: float
    opens: float
    closes: float

    def rate(self, at: datetime) -> float:
        """See :class:`Curve`."""
        hour = at.hour + at.minute / 60 + at.second / 3600
        return self.inside if at.weekday() < _WORKING_DAYS and self.opens <= hour < self.closes else self.outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """A curve that is ``times`` as high for a while: it gets there within ``ramp`` and goes as it came."""

    base: Curve
    begin: datetime
    duration: timedelta
    ramp: timedelta
    times: float

    def rate(self, at: datetime) -> float:
        """See :class:`Curve`."""
        since, left = at - self.begin, self.begin + self.duration - at
        height = min(max(min(since, left) / self.ramp, 0.0), 1.0)
        return self.base.rate(at) * (1.0 + (self.times - 1.0) * height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Clients that hang up after ``timeout`` seconds without a first token and ask again, at most ``most`` times."""

    timeout: float
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What clients send to one policy: a curve and the mean shape of a request, in tokens."""

    curve: Curve
    prompt_tokens: float = 1000.0
    output_tokens: float = 250.0
    cached_tokens: float = 0.0
    retries: Retries | None = None
