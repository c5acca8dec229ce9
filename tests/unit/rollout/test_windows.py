"""Schedules and maintenance windows in their own time zones, also when the clocks change.

Covered: bounds by time of day, ties, nights at zero, weekdays, both clock changes of Berlin, windows over midnight.
Not covered: expressions that cannot be read (tests/unit/api/test_validation.py).
"""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.api.operation import MaintenanceWindow, Schedule
from costpolicy.rollout.windows import Bounds, inside_window, last_start, replica_bounds

YEAR_BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
DEFAULT = Bounds(minimum=1, maximum=10)
NIGHTS = (
    Schedule(schedule="0 8 * * 1-5", time_zone="Europe/Berlin", min_replicas=2),
    Schedule(schedule="0 20 * * *", time_zone="Europe/Berlin", min_replicas=0, max_replicas=0),
)
DAY, NIGHT = Bounds(minimum=2, maximum=10), Bounds(minimum=0, maximum=0)


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-11-23T07:59", NIGHT),
        ("2026-11-23T08:00", DAY),
        ("2026-11-23T19:59", DAY),
        ("2026-11-23T20:00", NIGHT),
        ("2026-11-28T12:00", NIGHT),  # a Saturday: Friday's evening holds on
        ("2026-07-01T08:00", DAY),  # summer time
    ],
)
def test_the_schedule_that_began_last_holds(local: str, expected: Bounds):
    now = datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC)

    assert expected == replica_bounds(NIGHTS, DEFAULT, now)


def test_without_schedules_the_default_holds():
    assert DEFAULT == replica_bounds((), DEFAULT, datetime(2026, 11, 23, tzinfo=UTC))


def test_of_two_that_begin_together_the_later_in_the_list_wins():
    both = (Schedule(schedule="0 8 * * *", min_replicas=2), Schedule(schedule="0 8 * * *", min_replicas=5))

    assert 5 == replica_bounds(both, DEFAULT, datetime(2026, 11, 23, 9, tzinfo=UTC)).minimum


def test_a_schedule_without_a_minimum_keeps_the_default_but_never_above_its_maximum():
    quiet = (Schedule(schedule="0 8 * * *", max_replicas=2),)
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)

    assert Bounds(minimum=1, maximum=2) == replica_bounds(quiet, DEFAULT, now)
    assert Bounds(minimum=2, maximum=2) == replica_bounds(quiet, Bounds(minimum=4, maximum=10), now)


@pytest.mark.parametrize(
    ("now", "began"),
    [
        # 2026-03-29: 02:00 becomes 03:00, so half past two does not exist; cronsim runs the job right after the gap.
        ("2026-03-29T00:59:00+00:00", "2026-03-28T01:30:00+00:00"),
        ("2026-03-29T06:00:00+00:00", "2026-03-29T01:00:00+00:00"),
        # 2026-10-25: 03:00 becomes 02:00, so half past two comes twice; it began the first time.
        ("2026-10-25T00:29:00+00:00", "2026-10-24T00:30:00+00:00"),
        ("2026-10-25T00:31:00+00:00", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25T01:40:00+00:00", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25T06:00:00+00:00", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_a_time_that_does_not_exist_or_comes_twice_begins_once(now: str, began: str):
    found = last_start("30 2 * * *", "Europe/Berlin", datetime.fromisoformat(now))

    assert datetime.fromisoformat(began) == found


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-11-23"])
def test_a_night_is_as_long_as_it_really_is_when_clocks_change(day: str):
    """From eight in the evening before until eight in the morning, by the wall: eleven to thirteen hours."""
    nights = (
        Schedule(schedule="0 8 * * *", time_zone="Europe/Berlin", min_replicas=2),
        Schedule(schedule="0 20 * * *", time_zone="Europe/Berlin", min_replicas=0, max_replicas=0),
    )
    morning = datetime.fromisoformat(f"{day}T08:00").replace(tzinfo=BERLIN).astimezone(UTC)

    assert NIGHT == replica_bounds(nights, DEFAULT, morning - timedelta(minutes=1))
    assert DAY == replica_bounds(nights, DEFAULT, morning)


WEEKEND = MaintenanceWindow(schedule="0 22 * * 6", duration="10h", time_zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("local", "inside"),
    [
        ("2026-11-28T21:59", False),
        ("2026-11-28T22:00", True),
        ("2026-11-29T03:00", True),
        ("2026-11-29T07:59", True),
        ("2026-11-29T08:00", False),
        ("2026-11-25T23:00", False),
    ],
)
def test_a_window_is_open_from_its_start_for_its_duration_over_midnight(local: str, inside: bool):
    now = datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC)

    assert inside == inside_window([WEEKEND], now)


def test_one_open_window_is_enough_and_none_at_all_is_always_open():
    never = MaintenanceWindow(schedule="0 0 31 12 *", duration="1h")
    now = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)

    assert inside_window([never, WEEKEND], now)
    assert not inside_window([never], now)
    assert inside_window([], now)


@given(
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: YEAR_BEGINS + timedelta(minutes=minutes)),
    st.sampled_from(["0 2 * * *", "30 2 * * *", "*/15 * * * *", "0 22 * * 1-5", "0 0 1 * *", "0 3 29 2 *"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_what_began_last_is_never_in_the_future_and_nothing_began_since(now: datetime, cron: str, zone: str):
    began = last_start(cron, zone, now)
    assert began is not None
    assert began <= now

    later = last_start(cron, zone, began)
    assert began == later


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "*/7 * * * *", "0 22 * * 1-5", "59 23 * * 0"])
def test_every_minute_of_a_week_finds_the_latest_of_all_starts(cron: str, zone: str):
    begin = datetime(2026, 11, 22, tzinfo=UTC)
    starts = CronSim(cron, (begin - timedelta(days=10)).astimezone(ZoneInfo(zone)))
    known = [start.astimezone(UTC) for start in takewhile(lambda start: start < begin + timedelta(days=8), starts)]

    for minute in range(7 * 24 * 60):
        now = begin + timedelta(minutes=minute, seconds=17)
        assert known[bisect_right(known, now) - 1] == last_start(cron, zone, now)
