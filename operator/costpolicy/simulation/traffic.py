"""Arrival curves: how many requests per second are offered at a time.  Deterministic."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
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
class Night:
    """Hours of the day, from ``begins`` to ``ends`` o'clock (UTC) and over midnight if need be, in which requests have another
    mean shape and come ``times`` as often as the curve says."""

    begins: float
    ends: float
    times: float
    prompt_tokens: float
    output_tokens: float
    cached_tokens: float

    def covers(self, time: datetime) -> bool:
        """Return whether it is night."""
        hour = time.hour + time.minute / 60 + time.second / 3600
        if self.begins <= self.ends:
            return self.begins <= hour < self.ends
        return hour >= self.begins or hour < self.ends

    def of(self, day: "Traffic") -> "Traffic":
        """Return the traffic of a day as it is at night."""
        return _by_night(day, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """A curve times a factor."""

    base: Curve
    factor: float

    def rate(self, at: datetime) -> float:
        """See :class:`Curve`."""
        return self.base.rate(at) * self.factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What clients send to one policy: a curve and the mean shape of a request, in tokens."""

    curve: Curve
    prompt_tokens: float = 1000.0
    output_tokens: float = 250.0
    cached_tokens: float = 0.0
    retries: Retries | None = None
    night: Night | None = None

    def at(self, time: datetime) -> "Traffic":
        """Return what is sent at a time: by night requests may be of another shape."""
        if self.night is None or not self.night.covers(time):
            return self
        return self.night.of(self)


@lru_cache(maxsize=64)
def _by_night(day: Traffic, night: Night) -> Traffic:
    return replace(
        day,
        curve=Times(base=day.curve, factor=night.times),
        prompt_tokens=night.prompt_tokens,
        output_tokens=night.output_tokens,
        cached_tokens=night.cached_tokens,
        night=None,
    )
