"""Several changes in one stretch of hours, each with a share of its own.

Covered: two and three steps of known size, what one change alone gives, thin windows, traffic unlike that before.
Not covered: how often intervals hold the truth (tests/long/test_coverage.py).
"""

import pytest

from costpolicy.savings.attribution import Explained, NotAttributable, explain
from costpolicy.savings.overlapping import explain_each
from costpolicy.savings.regression import Interval
from costpolicy.savings.window import Window
from months import WEEK, Month, hour_of, window


def steady(cost: float, requests: float = 100.0, hours: int = WEEK) -> Window:
    """Hours that differ by a thousandth, so that nothing is singular by chance."""
    return window(
        [hour_of(cost * (1 + hour % 3 / 1000), requests, requests * 1000, requests * 200) for hour in range(hours)]
    )


def shares(*windows: Window) -> list[Interval]:
    found = explain_each(windows)
    assert all(isinstance(each, Interval) for each in found), found
    return [each for each in found if isinstance(each, Interval)]


def test_each_change_has_what_it_saves_of_the_cost_before_it():
    first, second, third = shares(steady(10.0), steady(8.0, hours=24), steady(4.0, hours=30), steady(6.0))

    assert first.low == pytest.approx(0.2, abs=0.005)
    assert second.low == pytest.approx(0.5, abs=0.005)
    assert third.high == pytest.approx(-0.5, abs=0.01)


def test_one_change_is_what_it_is_alone():
    weeks = Month().weeks(7)
    alone = explain(*weeks)

    assert isinstance(alone, Explained)
    assert (alone.interval,) == explain_each(weeks)


@pytest.mark.parametrize("seed", range(5))
def test_noisy_weeks_with_two_changes_hold_both(seed: int):
    first, second = shares(*Month(noise=0.02).with_a_second_change(seed, 3, 0.4))

    assert first.low - 0.05 < 0.2 < first.high + 0.05
    assert second.low - 0.05 < 0.4 < second.high + 0.05
    assert first.high < second.low, "the larger saving is not given to the other change"


def test_a_day_that_is_not_whole_lies_between_them():
    found = explain_each((steady(10.0), steady(8.0, hours=23), steady(4.0)))

    assert [NotAttributable, NotAttributable] == [type(each) for each in found]
    assert "23 hours of the window after change 1 have requests and costs, 24 are needed" in str(found[0])


def test_traffic_that_was_never_seen_before_takes_only_the_changes_share_that_it_hides():
    first, second = explain_each((steady(10.0), steady(8.0, hours=48), steady(4.0, requests=900.0)))

    assert isinstance(first, Interval)
    assert isinstance(second, NotAttributable)
    assert "requests lie outside" in second.reason


def test_two_windows_are_needed():
    with pytest.raises(ValueError, match="hours before it and after it"):
        explain_each((steady(10.0),))
