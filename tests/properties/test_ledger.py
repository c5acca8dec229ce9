"""The ledger is exact: additive over any split of time, zero difference when nothing changed, gaps never
count.

Covered: entries from readings, bills, sums of series.  Not covered: where readings come from.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.savings.ledger import NANOSECONDS_PER_HOUR, Amount, Bill, Reading, bill, entries
from costpolicy.units import Money

DAY = 24 * NANOSECONDS_PER_HOUR
times = st.integers(min_value=0, max_value=DAY)
readings = st.lists(
    st.builds(
        Reading,
        at=times,
        accelerators=st.integers(min_value=0, max_value=64),
        hourly=st.builds(Money, st.integers(min_value=0, max_value=50_000_000)),
    ),
    max_size=12,
    unique_by=lambda reading: reading.at,
).map(lambda found: sorted(found, key=lambda reading: reading.at))
silences = st.integers(min_value=1, max_value=DAY)


@given(readings, silences, times, times, times)
def test_a_bill_is_the_sum_of_its_parts_however_time_is_split(
    found: list[Reading], longest: int, first: int, second: int, third: int
) -> None:
    begin, middle, end = sorted((first, second, third))
    series = entries(found, until=DAY, longest=longest)
    assert bill(series, begin, end) == bill(series, begin, middle) + bill(series, middle, end)


@given(readings, silences)
def test_covered_time_and_gaps_fill_the_window_exactly(found: list[Reading], longest: int) -> None:
    series = entries(found, until=DAY, longest=longest)
    whole = bill(series, 0, DAY)
    assert whole.covered + whole.gap == DAY
    assert sum(entry.end - entry.begin for entry in series) == whole.covered


@given(readings)
def test_reading_twice_as_often_changes_nothing(found: list[Reading]) -> None:
    series = entries(found, until=DAY, longest=DAY)
    halves = {
        at: Reading(at=at, accelerators=entry.accelerators, hourly=entry.hourly)
        for entry in series
        for at in (entry.begin, (entry.begin + entry.end) // 2)
    }
    denser = entries([halves[at] for at in sorted(halves)], until=DAY, longest=DAY)
    assert bill(series, 0, DAY) == bill(denser, 0, DAY)


@given(readings, silences, st.integers(min_value=1, max_value=1000))
def test_another_currency_scales_the_bill_exactly(found: list[Reading], longest: int, rate: int) -> None:
    scaled = [Reading(at=one.at, accelerators=one.accelerators, hourly=one.hourly * rate) for one in found]
    ours = bill(entries(found, until=DAY, longest=longest), 0, DAY)
    theirs = bill(entries(scaled, until=DAY, longest=longest), 0, DAY)
    assert (ours.amount.exact * rate, ours.gap) == (theirs.amount.exact, theirs.gap)


@given(readings)
def test_silence_costs_nothing(found: list[Reading]) -> None:
    short = bill(entries(found, until=DAY, longest=1), 0, DAY)
    assert short.covered <= len(found)
    assert 0 <= short.amount.exact <= len(found) * 64 * 50_000_000


def test_nothing_read_is_all_gap() -> None:
    assert Bill(amount=Amount(0), covered=0, gap=DAY) == bill((), 0, DAY)


def test_three_accelerators_at_a_third_of_a_dollar_cost_a_dollar_an_hour() -> None:
    reading = Reading(at=0, accelerators=3, hourly=Money.parse("0.333333"))
    whole = bill(entries([reading], until=DAY, longest=DAY), 0, NANOSECONDS_PER_HOUR)
    assert Money.parse("0.999999") == whole.amount.money()
    third = bill(entries([reading], until=DAY, longest=DAY), 0, NANOSECONDS_PER_HOUR // 3)
    assert Money.parse("0.333333") == third.amount.money()


def test_readings_must_be_in_order_and_not_negative() -> None:
    good = Reading(at=5, accelerators=1, hourly=Money(1))
    with pytest.raises(ValueError, match="not in order"):
        entries([good, Reading(at=4, accelerators=1, hourly=Money(1))], until=9, longest=9)
    with pytest.raises(ValueError, match="negative number"):
        entries([Reading(at=5, accelerators=-1, hourly=Money(1))], until=9, longest=9)
    with pytest.raises(ValueError, match="ends before"):
        bill((), 2, 1)
