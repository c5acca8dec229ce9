"""What a month has cost, will cost and may still cost.

Covered: sums however they are split, months in UTC, gaps, clocks set back, ceilings that what runs stays below, forecasts
from the present and from the last week.
Not covered: where costs come from (tests/unit/reconcile/test_budget.py), whole months (tests/scenarios/test_budget.py).
"""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.savings.month import (
    PATTERN_STEP,
    WEEK,
    MonthToDate,
    carried_on,
    forecast,
    hourly_ceiling,
    month_of,
    resumed,
    rounded,
    split,
    weekly_pattern,
    without_history,
)
from costpolicy.units import ZERO, Money

BEGIN, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ONE, TWO = Money.parse("1.00"), Money.parse("2.00")


def test_a_month_is_one_of_utc_whatever_the_zone_of_the_time():
    tokyo = timezone(timedelta(hours=9))

    assert (BEGIN, END) == month_of(datetime(2026, 12, 1, 8, 59, tzinfo=tokyo))
    assert (END, datetime(2027, 1, 1, tzinfo=UTC)) == month_of(datetime(2026, 12, 1, 9, 0, tzinfo=tokyo))


def test_a_rate_holds_until_another_one_is_seen_and_meanwhile_nothing_changes():
    month = MonthToDate(until=BEGIN, rate=ONE)

    assert month is carried_on(month, ONE, BEGIN + 10 * HOUR)
    later = carried_on(month, TWO, BEGIN + 10 * HOUR)
    assert Money.parse("10.00") == later.spent_at(BEGIN + 10 * HOUR)
    assert Money.parse("14.00") == later.spent_at(BEGIN + 12 * HOUR)


def test_a_new_month_begins_with_nothing_spent_at_the_rate_of_before():
    month = MonthToDate(until=BEGIN, rate=ONE)
    first, much_later = (carried_on(month, ONE, END + after) for after in (timedelta(0), 9 * DAY))

    assert MonthToDate(until=END, rate=ONE) == first == much_later
    assert Money.parse("3.00") == carried_on(month, TWO, END + 3 * HOUR).spent_at(END + 3 * HOUR)


def test_time_without_a_price_is_a_gap_that_is_in_no_sum():
    month = carried_on(MonthToDate(until=BEGIN, rate=ONE), None, BEGIN + HOUR)
    known = carried_on(month, TWO, BEGIN + 4 * HOUR)

    assert (3 * HOUR, Money.parse("1.00")) == (known.gap, known.spent_at(BEGIN + 4 * HOUR))


def test_what_ran_unobserved_is_a_gap_of_this_month_only():
    assert 2 * DAY == without_history(BEGIN - 40 * DAY, ONE, BEGIN + 2 * DAY).gap
    assert HOUR == without_history(BEGIN + DAY, ONE, BEGIN + DAY + HOUR).gap


def test_no_time_passes_while_the_clock_is_behind():
    month = carried_on(MonthToDate(until=BEGIN, rate=ONE), TWO, BEGIN + 5 * HOUR)
    set_back = carried_on(month, ONE, BEGIN + 4 * HOUR)

    assert Money.parse("5.00") == set_back.spent_at(BEGIN + 4 * HOUR)
    assert Money.parse("6.00") == set_back.spent_at(BEGIN + 6 * HOUR)


@given(
    rate=st.integers(0, 10**12),
    seconds=st.lists(st.integers(1, 100_000), min_size=1, max_size=20),
)
def test_a_month_costs_the_same_however_its_time_is_split_and_stored(rate: int, seconds: list[int]):
    month, now = MonthToDate(until=BEGIN, rate=Money(rate)), BEGIN
    for count in seconds:
        now += timedelta(seconds=count)
        moved = carried_on(month, Money(rate + 1), now)
        month = carried_on(moved, Money(rate), now)
        spent, remainder = split(month)
        month = resumed(month.until, spent, remainder, month.gap, month.rate)

    assert MonthToDate(until=BEGIN, rate=Money(rate)).exact_at(now) == month.exact_at(now)


def test_the_ceiling_is_what_is_left_over_the_hours_left_in_two_digits():
    month = MonthToDate(until=BEGIN, rate=ZERO)

    assert Money.parse("1.30") == hourly_ceiling(Money.parse("1000"), month, BEGIN)  # 1000 / 720
    assert Money.parse("2.70") == hourly_ceiling(Money.parse("1000"), month, BEGIN + 15 * DAY)
    assert ZERO == hourly_ceiling(Money.parse("1000"), MonthToDate(until=BEGIN + DAY, exact=10**13), BEGIN + DAY)


def test_in_the_last_hours_no_more_is_added_than_a_day_could_pay_for():
    month = MonthToDate(until=BEGIN, rate=ZERO)

    assert Money.parse("41.00") == hourly_ceiling(Money.parse("1000"), month, END - HOUR)


@given(hours=st.integers(0, 719), rate=st.integers(1, 10**9), spare=st.integers(0, 10**6))
def test_what_is_affordable_once_stays_so_to_the_last_hour(hours: int, rate: int, spare: int):
    month = MonthToDate(until=BEGIN, rate=Money(rate))
    budget = Money(rate * 720 + spare)

    assert Money(rate) <= hourly_ceiling(budget, month, BEGIN + hours * HOUR)


@given(rate=st.integers(0, 10**8), more=st.integers(0, 10**8), budget=st.integers(1, 10**11), hours=st.integers(0, 719))
def test_a_larger_budget_never_leaves_less_and_money_spent_never_leaves_more(
    rate: int, more: int, budget: int, hours: int
):
    now = BEGIN + hours * HOUR
    month = MonthToDate(until=BEGIN, rate=Money(rate))
    dearer = MonthToDate(until=BEGIN, exact=more * 3600, rate=Money(rate))

    assert hourly_ceiling(Money(budget), month, now) <= hourly_ceiling(Money(budget + more), month, now)
    assert hourly_ceiling(Money(budget), dearer, now) <= hourly_ceiling(Money(budget), month, now)


def test_without_a_week_the_month_goes_on_at_the_present_rate():
    month = MonthToDate(until=BEGIN + 10 * DAY, exact=100_000_000 * 3600, rate=ONE)

    assert Money.parse("580.00") == forecast(month, None, BEGIN + 12 * DAY)
    assert forecast(MonthToDate(until=BEGIN, rate=None), None, BEGIN) is None


def week(now: datetime, cost, known: int = 56) -> dict[datetime, Money]:
    newest = now - timedelta(seconds=now.timestamp() % PATTERN_STEP.total_seconds())
    moments = [newest - number * PATTERN_STEP for number in range(known)]
    return {moment: cost(moment) for moment in moments}


def test_with_a_week_the_hours_to_come_cost_what_they_cost_a_week_ago():
    now = BEGIN + 23 * DAY  # a Tuesday; seven days are left
    nights = weekly_pattern(week(now, lambda moment: ONE if 6 <= moment.hour < 18 else ZERO), now)
    month = MonthToDate(until=now, exact=100_000_000 * 3600, rate=ZERO)

    assert Money.parse("184.00") == forecast(month, nights, now)  # 7 x 12 hours
    assert forecast(month, nights, now) == forecast(month, nights, now + 2 * HOUR)
    weekend = {BEGIN + days * DAY for days in (20, 21, 27, 28)}
    busy = weekly_pattern(week(now, lambda moment: TWO if moment.replace(hour=0) in weekend else ONE), now)
    assert Money.parse("316.00") == forecast(month, busy, now)  # 5 x 24 at 1, 2 x 24 at 2


def test_moments_of_the_week_that_are_missing_cost_the_mean_and_too_many_of_them_are_no_week():
    now = BEGIN + 23 * DAY

    nearly = week(now, lambda moment: ONE, known=52)
    assert Money.parse("168.00") == forecast(MonthToDate(until=now, rate=ONE), weekly_pattern(nearly, now), now)
    assert weekly_pattern(week(now, lambda moment: ONE, known=50), now) is None
    assert weekly_pattern({moment - WEEK: cost for moment, cost in nearly.items()}, now) is None


@pytest.mark.parametrize(("amount", "told"), [("0", "0.00"), ("987.654321", "988.00"), ("123456", "123000.00")])
def test_a_forecast_is_told_in_three_digits(amount: str, told: str):
    assert told == rounded(Money.parse(amount)).text()
