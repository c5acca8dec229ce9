"""What is expected of the coming minutes.

Covered: daily and weekly repetition, a crowd that came once, a short history, horizons.
Not covered: how it is asked (tests/contract/observe/test_day_queries.py); what replicas make of it (tests/unit/reconcile/test_ahead.py).
"""

from datetime import UTC, datetime, timedelta

import pytest

from costpolicy.observe.ahead import DAYS_BEFORE, HORIZONS, WEEKS_BEFORE, rises_of, within
from costpolicy.observe.source import Sample
from costpolicy.units import format_duration

AT = datetime(2026, 11, 29, tzinfo=UTC)
QUARTER, HALF, HOUR = HORIZONS
YESTERDAY, BEFORE = DAYS_BEFORE
LAST_WEEK, THE_WEEK_BEFORE = WEEKS_BEFORE


def rose(horizon: timedelta = QUARTER, **days: float) -> list[Sample]:
    ago = {"yesterday": YESTERDAY, "before": BEFORE, "last_week": LAST_WEEK, "week_before": THE_WEEK_BEFORE}
    return [
        Sample(labels={"horizon": format_duration(horizon), "ago": format_duration(ago[day])}, value=rate, timestamp=AT)
        for day, rate in days.items()
    ]


def test_what_both_days_before_had_is_rises_of():
    assert {QUARTER: 40.0} == rises_of(rose(yesterday=50.0, before=40.0, last_week=4.0, week_before=4.0))


def test_what_this_weekday_of_both_weeks_before_had_is_expected_after_a_quiet_weekend():
    assert {QUARTER: 40.0} == rises_of(rose(yesterday=2.0, before=2.0, last_week=40.0, week_before=45.0))


@pytest.mark.parametrize("crowded", ["yesterday", "before", "last_week", "week_before"])
def test_a_crowd_that_came_once_is_not_expected_again(crowded: str):
    quiet = dict.fromkeys(("yesterday", "before", "last_week", "week_before"), 4.0)

    assert {QUARTER: 4.0} == rises_of(rose(**quiet | {crowded: 400.0}))


def test_on_its_second_day_a_deployment_expects_what_the_first_had():
    assert {QUARTER: 40.0} == rises_of(rose(yesterday=40.0))


def test_where_the_load_fell_on_days_before_no_rise_is_rises_of():
    assert {} == rises_of(rose(yesterday=-30.0, before=40.0))


def test_without_days_before_nothing_is_rises_of():
    assert {} == rises_of([])
    assert {} == rises_of([Sample(labels={"stretch": "0"}, value=40.0, timestamp=AT)])


def test_a_lead_is_covered_by_the_first_horizon_that_is_as_long_or_else_by_the_longest():
    rates = {QUARTER: 10.0, HALF: 20.0, HOUR: 30.0}

    assert (QUARTER, 10.0) == within(rates, QUARTER)
    assert (HALF, 20.0) == within(rates, QUARTER + timedelta(seconds=1))
    assert (HOUR, 30.0) == within(rates, timedelta(hours=5))
    assert within({QUARTER: 10.0}, HALF) is None
