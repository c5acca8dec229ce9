"""Exact binomial chances and bounds, against SciPy's.  Not covered: trials beyond a few hundred thousand."""

import pytest
from scipy.stats import beta, binom

from costpolicy.binomial import chance_of_at_least, lower_bound, upper_bound

CASES = [(0, 10), (1, 10), (10, 10), (3, 300), (0, 299), (24, 3500), (1700, 3500)]


@pytest.mark.parametrize(("count", "trials"), CASES)
@pytest.mark.parametrize("share", [0.0, 0.004, 0.5, 0.99, 1.0])
def test_the_chance_of_at_least_so_many_is_the_sum_over_outcomes(count: int, trials: int, share: float):
    assert chance_of_at_least(count, trials, share) == pytest.approx(binom.sf(count - 1, trials, share), abs=1e-9)


@pytest.mark.parametrize(("count", "trials"), CASES)
@pytest.mark.parametrize("error", [0.05, 0.005])
def test_bounds_are_those_of_clopper_and_pearson(count: int, trials: int, error: float):
    upper = beta.ppf(1 - error, count + 1, trials - count) if count < trials else 1.0
    lower = beta.ppf(error, count, trials - count + 1) if count else 0.0

    assert upper_bound(count, trials, error) == pytest.approx(upper, abs=1e-9)
    assert lower_bound(count, trials, error) == pytest.approx(lower, abs=1e-9)
