"""The ledger: what accelerators cost over time, in integers from end to end.

An hourly price in micro-units times a time in nanoseconds is an integer; it is divided by the nanoseconds of
an hour once, when money is shown.  So a bill is the same however its time is split.  Where nothing was read
there is a gap, which costs nothing and is reported as time: it is never filled with a guess and never counted
as a saving.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from costpolicy.units import Money

NANOSECONDS_PER_HOUR: Final = 3_600_000_000_000


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """Money not divided yet: micro-units an hour times nanoseconds."""

    exact: int

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.exact + other.exact)

    def money(self) -> Money:
        """Return the amount, rounded half to even to the micro-unit."""
        return Money(round(Fraction(self.exact, NANOSECONDS_PER_HOUR)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How many accelerators were held at one time, and the price of one of them then.

    Attributes:
        at: Unix time in nanoseconds.
        hourly: price in force of one accelerator.
    """

    at: int
    accelerators: int
    hourly: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Accelerators held from ``begin`` until before ``end`` (Unix nanoseconds) at one price."""

    begin: int
    end: int
    accelerators: int
    hourly: Money

    def within(self, begin: int, end: int) -> int:
        """Return how many nanoseconds of a window the entry covers."""
        return max(0, min(self.end, end) - max(self.begin, begin))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a window cost.

    Attributes:
        amount: cost of the time that was read.
        covered: nanoseconds that were read.
        gap: nanoseconds of the window of which nothing is known.
    """

    amount: Amount
    covered: int
    gap: int

    def __add__(self, other: "Bill") -> "Bill":
        return Bill(amount=self.amount + other.amount, covered=self.covered + other.covered, gap=self.gap + other.gap)


def entries(readings: Iterable[Reading], *, until: int, longest: int) -> tuple[Entry, ...]:
    """Turn the readings of one series into entries: each holds until the next, at most ``longest``
    nanoseconds.

    Args:
        readings: in order of time.
        until: end of what is known, for the last reading.
        longest: a longer silence is a gap from this point on; a few scrape intervals.

    Raises:
        ValueError: the readings are not in order of time, or hold a negative number.
    """
    return tuple(_entries(list(readings), until, longest))


def _entries(readings: Sequence[Reading], until: int, longest: int) -> Iterator[Entry]:
    ends = [*(reading.at for reading in readings[1:]), until]
    for reading, end in zip(readings, ends, strict=False):  # no readings: no entry, though an end
        if reading.accelerators < 0 or reading.hourly < Money(0):
            raise ValueError(f"a reading holds a negative number: {reading}")
        if end < reading.at:
            raise ValueError(f"the readings are not in order of time at {reading.at}")
        if end > reading.at:
            yield Entry(
                begin=reading.at,
                end=min(end, reading.at + longest),
                accelerators=reading.accelerators,
                hourly=reading.hourly,
            )


def bill(series: Sequence[Entry], begin: int, end: int) -> Bill:
    """Return what one series cost between two times (Unix nanoseconds).

    The entries of a series do not overlap; bills of several series and of adjoining windows add up exactly.

    Raises:
        ValueError: the window ends before it begins.
    """
    if end < begin:
        raise ValueError("the window ends before it begins")
    covered, exact = 0, 0
    for entry in series:
        nanoseconds = entry.within(begin, end)
        covered += nanoseconds
        exact += entry.accelerators * entry.hourly.micros * nanoseconds
    return Bill(amount=Amount(exact), covered=covered, gap=end - begin - covered)
