"""Laws of calibration for any windows.

Covered: order, floors, doubt, confidence, evidence that agrees, one window that does not.
Not covered: coverage (tests/unit/perf/test_calibration.py).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import exp

from hypothesis import given
from hypothesis import strategies as st

from costpolicy.catalog.accelerators import accelerators
from costpolicy.perf.calibration import CONFIDENT, Comparison, calibrate
from costpolicy.perf.uncertainty import QUANTILE, Uncertainty, uncertainty

START = datetime(2026, 11, 2, tzinfo=UTC)
SLACK = 1 + 1e-9

priors = st.builds(uncertainty, st.sampled_from(tuple(accelerators().values())), st.sampled_from([1, 2, 8]))
ratios = st.none() | st.floats(0.01, 100)
comparisons = st.builds(
    Comparison,
    at=st.integers(0, 400).map(lambda hours: START + timedelta(hours=hours)),
    requests=st.floats(0, 1e6),
    ttft=ratios,
    inter_token=ratios,
)
histories = st.lists(comparisons, max_size=30)


@given(priors, histories, st.randoms(use_true_random=False))
def test_the_order_of_windows_is_irrelevant(prior: Uncertainty, history: list[Comparison], dice):
    shuffled = list(history)
    dice.shuffle(shuffled)

    assert calibrate(prior, history) == calibrate(prior, shuffled)


@given(priors, histories)
def test_no_promise_rests_on_less_than_the_floor_and_doubt_never_narrows(prior: Uncertainty, history: list[Comparison]):
    found = calibrate(prior, history)
    for correction in (found.ttft, found.inter_token):
        assert correction.margin * SLACK >= exp(QUANTILE * correction.floor)
        assert correction.allowance * SLACK >= exp(QUANTILE * correction.floor)
        assert 0.0 <= correction.confidence <= 1.0
        if correction.confidence < CONFIDENT:
            assert correction.allowance * SLACK >= correction.prior.margin


@given(priors, st.floats(-0.5, 0.5), st.integers(1, 40), st.floats(20, 1e6))
def test_one_more_window_that_agrees_makes_the_margin_smaller_and_confidence_larger(
    prior: Uncertainty, sigmas: float, count: int, requests: float
):
    ratio = exp(prior.inter_token.bias + sigmas * prior.inter_token.sigma)
    agreeing = [
        Comparison(at=START + index * timedelta(hours=5), requests=requests, ttft=None, inter_token=ratio)
        for index in range(count + 1)
    ]
    fewer, more = (calibrate(prior, agreeing[:end]).inter_token for end in (count, count + 1))

    assert more.margin <= fewer.margin * SLACK
    assert more.confidence * SLACK >= fewer.confidence


@given(priors, st.floats(-1, 1), st.integers(6, 40), st.floats(0.01, 100), st.data())
def test_whatever_one_window_says_among_six_moves_the_estimate_by_less_than_the_prior_is_wide(
    prior: Uncertainty, sigmas: float, count: int, wild: float, data: st.DataObject
):
    ratio = exp(sigmas * prior.inter_token.sigma)
    agreeing = [
        Comparison(at=START + index * timedelta(hours=5), requests=1000, ttft=None, inter_token=ratio)
        for index in range(count)
    ]
    disturbed = list(agreeing)
    place = data.draw(st.integers(0, count - 1))
    disturbed[place] = replace(agreeing[place], inter_token=wild)
    before, after = (calibrate(prior, each).inter_token for each in (agreeing, disturbed))

    assert abs(after.mean - before.mean) < prior.inter_token.sigma
