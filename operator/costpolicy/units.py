"""Money, durations, ratios and sizes, exact and without a float where rounding would cost money.

Money is an integer number of micro-units of a currency (1 USD = 1,000,000 micro-units); products with time or
tokens stay integers and are divided once, at output.  Durations follow Kubernetes' Go-style strings
(``800ms``, ``1h30m``); ratios are strings such as ``0.3`` or ``5%``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final

GIB: Final = 1024**3
MICROS_PER_UNIT: Final = 1_000_000
HOUR: Final = timedelta(hours=1)
HOURS_PER_MONTH: Final = 730
"""Hours of an average month (365 x 24 / 12), the convention of cloud price lists."""

MONEY_PATTERN: Final = r"^[0-9]{1,9}(\.[0-9]{1,6})?$"
DURATION_PATTERN: Final = r"^([0-9]+(ms|s|m|h))+$"
RATIO_PATTERN: Final = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?|([0-9]{1,2}(\.[0-9]{1,4})?|100)%)$"

_DURATION_PART = re.compile(r"([0-9]+)(ms|s|m|h)")
_SECONDS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An exact amount of money in micro-units of a currency that the context names."""

    micros: int

    @classmethod
    def parse(cls, text: str) -> "Money":
        """Read a non-negative decimal string with at most six decimals.

        Raises:
            ValueError: the text is not such a number; the message says what is expected.
        """
        if not re.fullmatch(MONEY_PATTERN, text):
            raise ValueError(
                f"{text!r} is not an amount of money: write a non-negative decimal such as 2.49, with at most six decimals"
            )
        whole, _, decimals = text.partition(".")
        return cls(int(whole) * MICROS_PER_UNIT + int(decimals.ljust(6, "0") or 0))

    @classmethod
    def read(cls, text: str) -> "Money":
        """Read what :meth:`text` writes, which may be negative.

        Raises:
            ValueError: the text is not such a number.
        """
        return -cls.parse(text[1:]) if text.startswith("-") else cls.parse(text)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.micros + other.micros)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.micros - other.micros)

    def __mul__(self, factor: int) -> "Money":
        return Money(self.micros * factor)

    def __neg__(self) -> "Money":
        return Money(-self.micros)

    def scaled(self, numerator: int, denominator: int) -> "Money":
        """Return this amount times a fraction, rounded half to even to the micro-unit."""
        return Money(round(Fraction(self.micros * numerator, denominator)))

    def monthly(self) -> "Money":
        """Return the amount of an average month of 730 hours, if this is an hourly amount."""
        return self * HOURS_PER_MONTH

    def text(self, places: int | None = None) -> str:
        """Return a decimal string: all significant decimals (at least two), or exactly ``places`` (0 to 6)."""
        sign, micros = ("-", -self.micros) if self.micros < 0 else ("", self.micros)
        if places is not None:
            step = 10 ** (6 - places)
            whole, rest = divmod(micros, step)
            # Half to even, like round(Fraction(micros, step)), which takes many times as long.
            micros = (whole + (2 * rest + whole % 2 > step)) * step
        whole, fraction = divmod(micros, MICROS_PER_UNIT)
        digits = f"{fraction:06d}"
        shown = digits.rstrip("0").ljust(2, "0") if places is None else digits[:places]
        return f"{sign}{whole}.{shown}" if shown else f"{sign}{whole}"

    def __str__(self) -> str:
        return self.text()


ZERO: Final = Money(0)


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> timedelta:
    """Read a Go-style duration of whole hours, minutes, seconds and milliseconds (``1h30m``, ``800ms``).

    Raises:
        ValueError: the text is not such a duration.
    """
    if not re.fullmatch(DURATION_PATTERN, text):
        raise ValueError(f"{text!r} is not a duration: write whole numbers with ms, s, m or h, such as 800ms or 1h30m")
    seconds = sum((int(count) * _SECONDS[unit] for count, unit in _DURATION_PART.findall(text)), Fraction(0))
    try:
        return timedelta(microseconds=int(seconds * 1_000_000))
    except OverflowError:
        raise ValueError(f"{text!r} is longer than any duration that makes sense here") from None


def format_time(moment: datetime) -> str:
    """Return a time in UTC as Kubernetes writes it: ``2026-11-23T12:00:00Z``."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def format_duration(duration: timedelta) -> str:
    """Return the shortest Go-style string for a duration of whole milliseconds (``5400 s`` is ``1h30m``)."""
    rest = round(duration / timedelta(milliseconds=1))
    parts = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_ratio(text: str) -> Fraction:
    """Read a share between 0 and 1, written ``0.3`` or ``30%``.

    Raises:
        ValueError: the text is not such a share.
    """
    if not re.fullmatch(RATIO_PATTERN, text):
        raise ValueError(
            f"{text!r} is not a share: write a number from 0 to 1 such as 0.05, or a percentage such as 5%"
        )
    return Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)


def split_by_largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Split an integer by weights so that the parts sum to it exactly (Hamilton's method; ties to the first).

    Raises:
        ValueError: a weight is negative, or all are zero while there is something to split.
    """
    whole = sum(weights)
    if any(weight < 0 for weight in weights) or (whole == 0 and total):
        raise ValueError("weights must be non-negative and not all zero")
    if whole == 0:
        return [0 for _ in weights]
    shares = [divmod(total * weight, whole) for weight in weights]
    parts = [quotient for quotient, _ in shares]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-shares[index][1], index))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts
