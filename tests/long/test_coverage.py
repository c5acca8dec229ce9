"""How often the interval of a saving holds the truth: 2,000 months of each kind, with savings and without."""

from dataclasses import replace

import pytest

from costpolicy.savings.attribution import Explained, explain
from costpolicy.savings.overlapping import explain_each
from costpolicy.savings.regression import Interval
from months import Month

MONTHS = 2000
KINDS = {
    "a little more traffic": Month(),
    "a third more traffic, of other requests": Month(growth=0.3, shift=0.3),
    "no fixed costs": Month(fixed=0.0),
}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rho", [0.0, 0.8, 0.95])
@pytest.mark.parametrize("kind", KINDS)
def test_a_saving_of_a_fifth_lies_in_its_interval(kind: str, rho: float):
    month = replace(KINDS[kind], rho=rho)
    found = [explain(*month.weeks(seed)) for seed in range(MONTHS)]

    intervals = [one.interval for one in found if isinstance(one, Explained)]
    holding = sum(one.low <= month.saving <= one.high for one in intervals) / len(intervals)
    significant = sum(one.low > 0.0 for one in intervals) / len(intervals)
    assert len(intervals) >= (0.9 if rho < 0.9 else 0.5) * MONTHS
    assert 0.92 <= holding <= 0.98
    assert rho > 0.9 or significant >= 0.8


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("days", [2, 4])
@pytest.mark.parametrize("rho", [0.0, 0.8, 0.95])
def test_two_changes_in_one_week_are_told_apart(rho: float, days: int):
    month, second = Month(rho=rho), 0.1
    found = [explain_each(month.with_a_second_change(seed, days, second)) for seed in range(MONTHS)]

    for number, truth in enumerate((month.saving, second)):
        intervals = [each[number] for each in found if isinstance(each[number], Interval)]
        assert len(intervals) >= (0.9 if rho < 0.9 else 0.5) * MONTHS
        assert 0.92 <= sum(one.low <= truth <= one.high for one in intervals) / len(intervals) <= 0.98


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rho", [0.0, 0.8, 0.95])
def test_a_change_without_effect_is_seldom_taken_for_a_saving(rho: float):
    month = Month(saving=0.0, rho=rho)
    found = [explain(*month.weeks(seed)) for seed in range(MONTHS)]

    intervals = [one.interval for one in found if isinstance(one, Explained)]
    assert len(intervals) >= 0.5 * MONTHS
    assert sum(one.low > 0.0 for one in intervals) <= 0.05 * len(intervals)
