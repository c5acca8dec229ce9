"""What a change saved, told from traffic and prices: worked-out weeks, months of known truth, what is not said.

Covered: parts that sum up, each part alone, scale, gaps, thin and unlike windows, the regression against a dense solution,
how often intervals hold the truth (2,000 months of each kind: tests/long).
Not covered: several changes at once.
"""

from dataclasses import replace
from fractions import Fraction
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.savings.attribution import Explained, NotAttributable, explain
from costpolicy.savings.autoregression import Expected, posterior, student_cdf
from costpolicy.savings.impact import measure_impact
from costpolicy.savings.window import Window
from months import WEEK, Month, hour_of, window


def explained(baseline: Window, current: Window) -> Explained:
    found = explain(baseline, current)
    assert isinstance(found, Explained), found
    return found


def why_not(baseline: Window, current: Window) -> str:
    found = explain(baseline, current)
    assert isinstance(found, NotAttributable), found
    return found.reason


def steady(cost: float, requests: float = 100.0, hours: int = WEEK, at_baseline: float | None = None) -> Window:
    """Hours that differ by a thousandth, so that nothing is singular by chance."""
    return window(
        [
            hour_of(cost * (1 + hour % 3 / 1000), requests, requests * 1000, requests * 200, at_baseline)
            for hour in range(hours)
        ]
    )


def test_half_the_cost_of_the_same_traffic_is_all_the_change():
    found = explained(steady(10.0), steady(5.0))

    assert found.interval.low == pytest.approx(0.5, abs=0.002)
    assert found.interval.high == pytest.approx(0.5, abs=0.002)
    assert found.attribution.change == pytest.approx(0.5, abs=0.002)
    assert found.attribution.traffic == pytest.approx(0.0, abs=0.002)


def test_nothing_is_saved_where_nothing_changed():
    found = explained(steady(10.0), steady(10.0))

    assert found.interval.low <= 0.0 <= found.interval.high
    assert found.attribution.change == pytest.approx(0.0, abs=0.002)


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_sum_up_to_the_cost_reduction(seed: int):
    baseline, current = Month(growth=0.2, rho=0.9).weeks(seed)

    impact = measure_impact(baseline, current)

    assert impact.attribution is not None
    parts = impact.attribution
    assert impact.cost_reduction is not None
    assert float(impact.cost_reduction) == pytest.approx(
        parts.change + parts.traffic + parts.price + parts.unexplained, abs=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_requests_that_share_fixed_costs_are_traffic_and_no_saving(seed: int):
    baseline, current = Month(saving=0.0, growth=0.4, shift=0.0, fixed=0.9, rho=0.3).weeks(seed)

    impact = measure_impact(baseline, current)

    assert impact.cost_reduction is not None
    assert impact.cost_reduction > Fraction(15, 100)
    assert impact.attribution is not None
    assert impact.attribution.traffic == pytest.approx(float(impact.cost_reduction), abs=0.05)
    assert impact.interval is not None
    assert impact.interval.low < 0.03


def test_a_lower_price_is_no_saving_of_the_change():
    dearer, cheaper = steady(10.0), steady(8.0, at_baseline=10.0)

    found = explained(dearer, cheaper)

    assert found.priced
    assert found.attribution.price == pytest.approx(0.2, abs=0.002)
    assert found.attribution.change == pytest.approx(0.0, abs=0.002)
    assert not explained(dearer, steady(8.0)).priced
    assert "costAtBaselinePrices" in measure_impact(dearer, steady(8.0)).reason


@given(scale=st.sampled_from([2, 10, 1000]))
def test_the_currency_does_not_matter(scale: int):
    baseline, current = Month(rho=0.5).weeks(1)
    found, scaled = explained(baseline, current), explained(_dearer(baseline, scale), _dearer(current, scale))

    assert scaled.interval.low == pytest.approx(found.interval.low, abs=1e-6)
    assert scaled.interval.high == pytest.approx(found.interval.high, abs=1e-6)
    assert scaled.attribution.change == pytest.approx(found.attribution.change, abs=1e-6)


def test_errors_that_last_make_the_interval_wider():
    short, long = (explained(*Month(rho=rho).weeks(3)).interval for rho in (0.0, 0.95))

    assert long.high - long.low > 3.0 * (short.high - short.low)


def test_hours_without_requests_are_left_out_and_few_of_them_do_no_harm():
    baseline, current = Month(rho=0.8).weeks(2)
    night = hour_of(0.0, 0.0, 0.0, 0.0)
    holes = window([night if hour % 24 in (3, 4) else one for hour, one in enumerate(current.hours)])

    found = explained(baseline, holes)

    assert found.interval.low <= 0.2 <= found.interval.high


def test_thin_windows_are_not_explained():
    assert "24 hours of the current window have requests" in why_not(steady(10.0), steady(5.0, hours=24))
    week = steady(10.0).hours
    half_empty = window([one if hour % 2 else hour_of(1.0, 0.0, 0.0, 0.0) for hour, one in enumerate(week)])
    assert "only 84 of 168 hours of the baseline window" in why_not(half_empty, steady(5.0))


def test_traffic_unlike_the_baselines_is_not_explained():
    longer = window([replace(hour, prompt_tokens=hour.prompt_tokens * 2) for hour in steady(5.0).hours])

    assert "in 100% of the hours now, prompt tokens per request lie outside" in why_not(steady(10.0), longer)
    assert "requests lie outside" in why_not(steady(10.0), steady(5.0, requests=200.0))


def test_costs_that_drift_are_not_explained():
    drifting = [window([hour_of(exp(begin + hour / 50), 100, 1e5, 2e4) for hour in range(WEEK)]) for begin in (0, 1)]

    assert "drift so slowly" in why_not(*drifting)


@pytest.mark.thorough
@pytest.mark.parametrize("rho", [0.0, 0.8, 0.95])
def test_intervals_hold_the_truth_as_often_as_they_say(rho: float):
    """200 months: 95 % give or take 1.5 % of chance; the band is three of those."""
    month, months = Month(rho=rho, growth=0.1), range(200)
    found = [explain(*month.weeks(seed)) for seed in months]
    kept = [one.interval.low <= month.saving <= one.interval.high for one in found if isinstance(one, Explained)]

    assert len(kept) >= 0.9 * len(months)
    assert 0.90 <= sum(kept) / len(kept) <= 0.995


@pytest.mark.parametrize(
    ("value", "degrees", "probability"),
    [(0.0, 5, 0.5), (2.5706, 5, 0.975), (-2.0150, 5, 0.05), (1.9840, 100, 0.975), (12.0, 300, 1.0)],
)
def test_students_t_is_that_of_the_tables(value: float, degrees: int, probability: float):
    assert student_cdf(value, degrees) == pytest.approx(probability, abs=6e-4)


def test_the_regression_agrees_with_a_dense_one_for_every_rho():
    chance = np.random.default_rng(7)
    stretches = [
        [(1.0, float(x), float(2.0 + 3.0 * x + e)) for x, e in zip(*chance.normal(size=(2, size)), strict=True)]
        for size in (40, 1, 2, 30)
    ]
    expected = (None, Expected(2.5, 0.4))

    found = posterior(stretches, expected)

    dense = {fit.rho: _dense(stretches, fit.rho, expected) for fit in found.fits}
    for fit in found.fits:
        coefficients, deviations, _ = dense[fit.rho]
        assert fit.coefficients == pytest.approx(coefficients, rel=1e-6)
        assert fit.deviations == pytest.approx(deviations, rel=1e-6)
    # Neighbouring points of equal distance: their shares are as their likelihoods.
    one, other = (next(fit for fit in found.fits if fit.rho == rho) for rho in (0.1, 0.2))
    assert log(one.weight / other.weight) == pytest.approx(dense[0.1][2] - dense[0.2][2], abs=1e-6)


def test_too_few_hours_are_refused():
    with pytest.raises(ValueError, match="3 hours are too few for 1"):
        posterior([[(1.0, 2.0)] * 3], (None,))


def _dense(
    stretches: list[list[tuple[float, ...]]], rho: float, expected: tuple[Expected | None, ...]
) -> tuple[list[float], list[float], float]:
    """Generalised least squares with whole matrices: coefficients, deviations, logarithm of the likelihood."""
    rows = np.array([row for stretch in stretches for row in stretch])
    covariance = np.zeros((len(rows), len(rows)))
    begin = 0
    for stretch in stretches:
        size = len(stretch)
        lags = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
        covariance[begin : begin + size, begin : begin + size] = rho**lags / (1 - rho**2)
        begin += size
    inverse = np.linalg.inv(covariance)
    x, y = rows[:, :-1], rows[:, -1]
    degrees = len(rows) - sum(prior is None for prior in expected)
    free = np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ y)
    scale = (y - x @ free) @ inverse @ (y - x @ free) / degrees
    precision = np.diag([0.0 if prior is None else scale / prior.deviation**2 for prior in expected])
    means = np.array([0.0 if prior is None else prior.mean for prior in expected])
    normal = x.T @ inverse @ x + precision
    coefficients = np.linalg.solve(normal, x.T @ inverse @ y + precision @ means)
    left = (y - x @ coefficients) @ inverse @ (y - x @ coefficients)
    left += (coefficients - means) @ precision @ (coefficients - means)
    deviations = np.sqrt(np.diag(np.linalg.inv(normal)) * left / degrees)
    known = sum(log(scale) / 2 for prior in expected if prior is not None)
    likelihood = known - np.linalg.slogdet(normal)[1] / 2 - np.linalg.slogdet(covariance)[1] / 2
    return list(coefficients), list(deviations), float(likelihood - degrees / 2 * log(left))


def _dearer(one: Window, scale: int) -> Window:
    return window([replace(hour, total_cost=hour.total_cost * scale) for hour in one.hours])
