"""Money, durations, shares and splits: exact, and clear about what they refuse.

Covered: reading, writing, arithmetic and splitting, also on generated values.
Not covered: where they are used.
"""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.units import (
    ZERO,
    Money,
    format_duration,
    parse_duration,
    parse_ratio,
    split_by_largest_remainder,
)

AMOUNTS = st.integers(min_value=0, max_value=999_999_999_999_999)


@pytest.mark.parametrize(
    ("text", "micros"), [("0", 0), ("2.49", 2_490_000), ("0.000001", 1), ("999999999.999999", 999_999_999_999_999)]
)
def test_money_is_read_exactly(text: str, micros: int):
    assert Money(micros) == Money.parse(text)


@pytest.mark.parametrize("text", ["", "-1", "+1", "1,50", "1.", ".5", "1e3", "0.0000001", "NaN", "1 USD", "1234567890"])
def test_what_is_no_amount_of_money_is_refused_with_advice(text: str):
    with pytest.raises(ValueError, match=r"write a non-negative decimal such as 2\.49"):
        Money.parse(text)


@given(AMOUNTS)
def test_money_that_is_written_reads_back_as_itself(micros: int):
    assert Money(micros) == Money.parse(Money(micros).text())


@pytest.mark.parametrize(
    ("micros", "places", "text"),
    [
        (2_490_000, None, "2.49"),
        (2_000_000, None, "2.00"),
        (1, None, "0.000001"),
        (-1_500_000, None, "-1.50"),
        (2_495_000, 2, "2.50"),
        (2_485_000, 2, "2.48"),
        (1_500_000, 0, "2"),
    ],
)
def test_money_shows_all_its_decimals_or_as_many_as_asked_for(micros: int, places: int | None, text: str):
    assert text == Money(micros).text(places)


@given(AMOUNTS, AMOUNTS, st.integers(min_value=0, max_value=10_000))
def test_money_adds_and_multiplies_without_loss(one: int, other: int, factor: int):
    first, second = Money(one), Money(other)

    assert first == first + second - second
    assert (first + second) * factor == first * factor + second * factor
    assert ZERO == first + -first
    assert (first < second) == (one < other)


@given(AMOUNTS, st.integers(min_value=1, max_value=1_000_000), st.integers(min_value=1, max_value=1_000_000))
def test_a_scaled_amount_is_never_off_by_more_than_half_a_micro_unit(micros: int, numerator: int, denominator: int):
    error = Money(micros).scaled(numerator, denominator).micros - Fraction(micros * numerator, denominator)

    assert Fraction(1, 2) >= abs(error)


def test_a_month_has_730_hours():
    assert Money.parse("730.00") == Money.parse("1.00").monthly()


@pytest.mark.parametrize(
    ("text", "seconds"), [("800ms", 0.8), ("0s", 0), ("1h30m", 5400), ("168h", 604_800), ("1m1m", 120), ("90m", 5400)]
)
def test_durations_are_read_as_kubernetes_writes_them(text: str, seconds: float):
    assert timedelta(seconds=seconds) == parse_duration(text)


@pytest.mark.parametrize("text", ["", "5", "-5s", "1.5h", "1d", "5 s", "s", "1h-5m"])
def test_what_is_no_duration_is_refused_with_advice(text: str):
    with pytest.raises(ValueError, match="such as 800ms or 1h30m"):
        parse_duration(text)


def test_a_duration_beyond_all_sense_is_refused_and_does_not_overflow():
    with pytest.raises(ValueError, match="longer than any duration"):
        parse_duration("99999999999999999999h")


@given(st.integers(min_value=0, max_value=10**12).map(lambda count: timedelta(milliseconds=count)))
def test_a_duration_that_is_written_reads_back_as_itself(duration: timedelta):
    assert duration == parse_duration(format_duration(duration))


@pytest.mark.parametrize(
    ("text", "share"), [("0.3", Fraction(3, 10)), ("5%", Fraction(1, 20)), ("1", 1), ("100%", 1), ("0", 0)]
)
def test_shares_are_read_from_numbers_and_percentages(text: str, share: Fraction):
    assert share == parse_ratio(text)


@pytest.mark.parametrize("text", ["", "1.1", "-0.1", "101%", "5 %", "half", "1e-3"])
def test_what_is_no_share_is_refused_with_advice(text: str):
    with pytest.raises(ValueError, match="or a percentage such as 5%"):
        parse_ratio(text)


@given(
    st.integers(min_value=0, max_value=10**12),
    st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=20).filter(any),
)
def test_a_split_loses_nothing_and_no_part_is_off_by_a_whole_unit(total: int, weights: list[int]):
    parts = split_by_largest_remainder(total, weights)

    assert total == sum(parts)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


def test_ties_of_a_split_go_to_the_first():
    assert [4, 3, 3] == split_by_largest_remainder(10, [1, 1, 1])


def test_nothing_can_be_split_over_nobody():
    assert [0, 0] == split_by_largest_remainder(0, [0, 0])
    with pytest.raises(ValueError, match="not all zero"):
        split_by_largest_remainder(1, [0, 0])
    with pytest.raises(ValueError, match="non-negative"):
        split_by_largest_remainder(1, [2, -1])
