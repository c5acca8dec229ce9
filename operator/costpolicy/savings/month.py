"""What a calendar month has cost so far, what it will have cost, and what is left of a budget for its hours to come.

Months are those of UTC, whatever the time zone of schedules.  A rate of cost holds from the moment at which it was seen
until another one is seen, so nothing has to be written while it stays the same.  Sums are integers (micro-units an hour
times seconds) and divided once, when they are shown; so a month costs the same however its time is split.  Time of which
the rate is not known is a gap: it costs nothing, and its length is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from costpolicy.units import ZERO, Money

SECONDS_PER_HOUR: Final = 3600
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
PATTERN_STEP: Final = timedelta(hours=3)
"""How far apart the costs of the last week are read: short enough for nights off, and 56 figures a policy."""
KNOWN_SHARE: Final = Fraction(9, 10)
"""Share of the last week that has to be known before the month to come is forecast from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthToDate:
    """The month that ``until`` is in.

    Attributes:
        until: the moment up to which ``exact`` and ``gap`` count, in UTC and whole seconds.
        exact: spent from the month's begin until then, in micro-units an hour times seconds.
        gap: time of it whose cost is not known.
        rate: cost an hour since ``until``; ``None``: not known.
    """

    until: datetime
    exact: int = 0
    gap: timedelta = timedelta(0)
    rate: Money | None = ZERO

    def exact_at(self, now: datetime) -> int:
        """Return what is spent at a moment of the same month, not before ``until``."""
        return self.exact + (self.rate.micros * _seconds(now - self.until) if self.rate is not None else 0)

    def spent_at(self, now: datetime) -> Money:
        """Return the same, rounded half to even to the micro-unit."""
        return Money(round(Fraction(self.exact_at(now), SECONDS_PER_HOUR)))


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """Return begin and end of the month in UTC that a moment is in."""
    begin = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return begin, (begin + timedelta(days=32)).replace(day=1)


def carried_on(before: MonthToDate, rate: Money | None, now: datetime) -> MonthToDate:
    """Return the month with what is seen now: the same value as long as month and rate stay the same.

    A month begins with nothing spent, at the rate that was seen last.  While the clock is behind ``until`` (it was set
    back since) no time passes.
    """
    now, (begin, _) = now.replace(microsecond=0), month_of(now)
    month = before if before.until >= begin else MonthToDate(until=begin, rate=before.rate)
    if month.rate == rate:
        return month
    unknown = max(now - month.until, timedelta(0)) if month.rate is None else timedelta(0)
    return MonthToDate(until=max(now, month.until), exact=month.exact_at(now), gap=month.gap + unknown, rate=rate)


def hourly_ceiling(monthly: Money, month: MonthToDate, now: datetime) -> Money:
    """Return what may be spent an hour so that the month's budget lasts to its end.

    What runs stays below it once it is: the ceiling is what is left over the hours left, so spending no more than that
    never lowers it.  For anything beyond what runs it is told in two digits, rounded down, and as if a day at least were
    left: it would otherwise be another one in every cycle, and the last hours of a month would be for spending.
    """
    _, end = month_of(now)
    left = monthly.micros * SECONDS_PER_HOUR - month.exact_at(now)
    if left <= 0:
        return ZERO
    exact = left // max(_seconds(end - now), 1)
    told = _two_digits(left // max(_seconds(end - now), _seconds(DAY)))
    running = month.rate.micros if month.rate is not None else 0
    return Money(max(told, running if running <= exact else 0))


def forecast(month: MonthToDate, pattern: Mapping[datetime, Money] | None, now: datetime) -> Money | None:
    """Return what the month will have cost at its end.

    Args:
        month: what is spent, and the rate of now.
        pattern: costs an hour of the last week by their moments, ``PATTERN_STEP`` apart.  Where it is known, each
            stretch to come costs what the same one cost a week ago (of its own moments that are missing, the mean of
            the others); ``None``: all of them cost what is paid now.
        now: the time.

    Returns:
        the forecast, the same one within each stretch of ``PATTERN_STEP`` while nothing changes; ``None``: neither is
        known.
    """
    _, end = month_of(now)
    if pattern is None:
        return None if month.rate is None else month.spent_at(end)
    begin = max(month.until, stretch_of(now))
    mean = Fraction(sum(cost.micros for cost in pattern.values()), len(pattern))
    total = Fraction(month.exact_at(begin))
    while begin < end:
        stretch = min(stretch_of(begin) + PATTERN_STEP, end)
        total += _a_week_ago(pattern, stretch_of(begin), mean) * _seconds(stretch - begin)
        begin = stretch
    return Money(round(total / SECONDS_PER_HOUR))


def weekly_pattern(costs: Mapping[datetime, Money], now: datetime) -> Mapping[datetime, Money] | None:
    """Return the costs of the last week where nearly all of it is known."""
    begin = stretch_of(now) - WEEK
    week = {moment: cost for moment, cost in costs.items() if begin < moment <= now}
    return week if len(week) >= KNOWN_SHARE * (WEEK // PATTERN_STEP) else None


def rounded(amount: Money) -> Money:
    """Return an amount in three digits: a forecast is not better than that, and a message must not flutter."""
    step = _step(amount.micros, 3)
    return Money(round(Fraction(amount.micros, step)) * step)


def resumed(until: datetime, spent: Money, remainder: int, gap: timedelta, rate: Money | None) -> MonthToDate:
    """Return a month that was split into what :func:`split` returns."""
    return MonthToDate(until=until, exact=spent.micros * SECONDS_PER_HOUR + remainder, gap=gap, rate=rate)


def split(month: MonthToDate) -> tuple[Money, int]:
    """Return what is spent in whole micro-units, and the 3,600ths of one that are left over."""
    micros, remainder = divmod(month.exact, SECONDS_PER_HOUR)
    return Money(micros), remainder


def without_history(seen: datetime, rate: Money | None, now: datetime) -> MonthToDate:
    """Return the month of something that may have cost money since ``seen``, unobserved until now."""
    begin, _ = month_of(now)
    now = now.replace(microsecond=0)
    return replace(MonthToDate(until=now, rate=rate), gap=max(now - max(begin, seen), timedelta(0)))


def _a_week_ago(pattern: Mapping[datetime, Money], moment: datetime, mean: Fraction) -> Fraction:
    newest = max(pattern)
    weeks = max(-(-(moment - newest) // WEEK), 0)
    cost = pattern.get(moment - weeks * WEEK)
    return mean if cost is None else Fraction(cost.micros)


def stretch_of(moment: datetime) -> datetime:
    """Return the begin of the stretch of ``PATTERN_STEP`` that a moment is in; Prometheus counts them from 1970."""
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % _seconds(PATTERN_STEP), tz=UTC)


def _seconds(duration: timedelta) -> int:
    return max(duration // timedelta(seconds=1), 0)


def _two_digits(micros: int) -> int:
    return micros - micros % _step(micros, 2)


def _step(micros: int, digits: int) -> int:
    return int(10 ** max(len(str(micros)) - digits, 0))
