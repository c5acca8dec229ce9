"""What windows of a deployment make of the prior.

Covered: no data, shrinking, robustness, order, correlated windows, transfer, doubt; and a simulation of 1,500 deployments
whose truth is drawn from the prior: error on windows that were held out, and the share of promises kept.
Not covered: real deployments (no live one has been measured); predictions themselves (test_accuracy.py).
"""

import random
from datetime import UTC, datetime, timedelta
from math import exp, log
from statistics import fmean

import pytest

from costpolicy.catalog.accelerators import accelerators
from costpolicy.perf.calibration import (
    CONFIDENT,
    INTER_TOKEN_FLOOR,
    TTFT_FLOOR,
    Calibration,
    Comparison,
    calibrate,
)
from costpolicy.perf.uncertainty import KEPT_SHARE, QUANTILE, LogError, Uncertainty, uncertainty

START = datetime(2026, 11, 2, tzinfo=UTC)
GAP = timedelta(hours=5)
HOPPER = uncertainty(accelerators()["nvidia-h100-80gb"])
UNMEASURED = uncertainty(accelerators()["nvidia-l40s"])


def windows(*ttft: float, inter_token: float = 1.0, requests: float = 5000, gap: timedelta = GAP) -> list[Comparison]:
    return [
        Comparison(at=START + index * gap, requests=requests, ttft=ratio, inter_token=inter_token)
        for index, ratio in enumerate(ttft)
    ]


def promises(found: Calibration) -> tuple[float, float]:
    return found.ttft.allowance, found.inter_token.allowance


@pytest.mark.parametrize("prior", [HOPPER, UNMEASURED])
def test_without_windows_the_prior_stands(prior):
    found = calibrate(prior)
    expected = prior.margins()

    assert (expected.ttft, expected.inter_token) == pytest.approx(promises(found))
    assert (1.0, 0.0, 0) == (found.ttft.factor, found.confidence, found.samples)
    assert prior.source == found.reason


def test_margins_shrink_with_consistent_windows_down_to_what_repeats_vary_by():
    found = [calibrate(UNMEASURED, windows(*[1.05] * count, inter_token=1.02)) for count in range(60)]
    margins = [each.ttft.margin for each in found]

    assert margins == sorted(margins, reverse=True)
    assert 0.0 == found[0].confidence < found[1].confidence < found[59].confidence <= 1.0
    assert exp(QUANTILE * TTFT_FLOOR) < margins[-1] < 1.15 < margins[0]
    assert exp(QUANTILE * INTER_TOKEN_FLOOR) < found[59].inter_token.margin < found[0].inter_token.margin


def test_years_of_agreement_leave_the_floor():
    found = calibrate(UNMEASURED, windows(*[1.0] * 3000, gap=timedelta(days=1)))

    assert exp(QUANTILE * TTFT_FLOOR) == pytest.approx(found.ttft.margin, abs=0.002)
    assert found.ttft.margin >= exp(QUANTILE * TTFT_FLOOR)
    assert found.inter_token.margin >= exp(QUANTILE * INTER_TOKEN_FLOOR)


def test_a_deployment_slower_than_predicted_needs_more_and_a_faster_one_less_but_never_below_the_floor():
    slow, fast = (calibrate(HOPPER, windows(*[ratio] * 20, inter_token=ratio)) for ratio in (1.5, 0.5))

    assert 1.5 == pytest.approx(slow.ttft.factor, rel=0.05)
    assert all(now > before for now, before in zip(promises(slow), promises(calibrate(HOPPER)), strict=True))
    assert (exp(QUANTILE * TTFT_FLOOR), exp(QUANTILE * INTER_TOKEN_FLOOR)) == pytest.approx(promises(fast))


def test_one_wild_window_moves_little():
    calm = calibrate(HOPPER, windows(*[1.0] * 12))
    wild = calibrate(HOPPER, windows(*[1.0] * 6, 20.0, *[1.0] * 5))
    only = calibrate(HOPPER, windows(20.0))

    assert calm.ttft.factor == pytest.approx(wild.ttft.factor, rel=0.03)
    assert calm.ttft.allowance <= wild.ttft.allowance < calm.ttft.allowance * 1.1
    assert only.ttft.factor < 1.15


def test_the_order_of_windows_does_not_matter():
    given = windows(1.1, 0.9, 1.3, 1.0, 1.2, 0.95)
    shuffled = [given[index] for index in (3, 0, 5, 1, 4, 2)]

    assert calibrate(HOPPER, given) == calibrate(HOPPER, shuffled)


def test_windows_close_together_count_little_more_than_one():
    one = calibrate(HOPPER, windows(1.05))
    crowded = calibrate(HOPPER, windows(*[1.05] * 5, gap=timedelta(minutes=1)))
    daily = calibrate(HOPPER, windows(*[1.05] * 5, gap=timedelta(days=1)))

    assert one.confidence < crowded.confidence
    assert crowded.confidence - one.confidence < 0.1 * (daily.confidence - one.confidence)


def test_a_window_of_few_requests_says_nothing_and_one_of_many_says_more():
    few, some, many = (calibrate(HOPPER, windows(1.2, requests=count)) for count in (19, 30, 3000))

    assert calibrate(HOPPER) == few
    assert 0 < some.confidence < many.confidence


def test_a_latency_that_a_window_does_not_hold_keeps_its_prior():
    single_token = Comparison(at=START, requests=500, ttft=1.1, inter_token=None)
    found = calibrate(HOPPER, [single_token])

    assert HOPPER.inter_token.margin == pytest.approx(found.inter_token.allowance)
    assert found.ttft.confidence > 0.0 == found.confidence


@pytest.mark.parametrize("ratio", [0.6, 0.9, 1.0])
def test_a_calibration_in_doubt_only_widens(ratio):
    found = calibrate(HOPPER, windows(ratio, inter_token=ratio, requests=25))

    assert 0.0 < found.confidence < CONFIDENT
    assert promises(calibrate(HOPPER)) <= promises(found)


def test_a_sibling_is_warned_and_never_encouraged():
    slow, fast = (calibrate(HOPPER, windows(*[ratio] * 30, inter_token=ratio)) for ratio in (1.6, 0.7))
    before = promises(calibrate(UNMEASURED))

    warned, encouraged = (promises(each.transferred(UNMEASURED, 0.5)) for each in (slow, fast))
    assert all(now > prior for now, prior in zip(warned, before, strict=True))
    assert before == pytest.approx(encouraged)
    assert promises(calibrate(UNMEASURED)) == pytest.approx(promises(slow.transferred(UNMEASURED, 0.0)))
    assert slow.ttft.variance == pytest.approx(slow.transferred(HOPPER, 1.0).ttft.variance)


SIMULATED = Uncertainty(ttft=LogError(sigma=0.234), inter_token=LogError(sigma=0.0884), source="a test")


def deployment(dice: random.Random, count: int) -> list[Comparison]:
    """Windows of one deployment: an unknown constant and what varies, each with half of the prior's variance.

    Windows are correlated as the calibration assumes; one in thirty is wild.
    """
    half = 0.5**0.5
    constants = [dice.gauss(0, SIMULATED.ttft.sigma * half), dice.gauss(0, SIMULATED.inter_token.sigma * half)]
    memory = exp(-5 / 6)
    found, drift = [], [dice.gauss(0, 1), dice.gauss(0, 1)]
    for index in range(count):
        drift = [memory * each + (1 - memory**2) ** 0.5 * dice.gauss(0, 1) for each in drift]
        requests = dice.choice([60, 400, 3000])
        wild = 1.5 if dice.random() < 1 / 30 else 0.0
        ttft = constants[0] + SIMULATED.ttft.sigma * half * drift[0] + dice.gauss(0, requests**-0.5) + wild
        inter_token = constants[1] + SIMULATED.inter_token.sigma * half * drift[1]
        found.append(
            Comparison(at=START + index * GAP, requests=requests, ttft=exp(ttft), inter_token=exp(inter_token))
        )
    return found


@pytest.fixture(scope="module")
def deployments() -> list[list[Comparison]]:
    dice = random.Random(20261125)
    return [deployment(dice, 60) for _ in range(1500)]


@pytest.mark.parametrize("seen", [3, 10, 30])
def test_a_calibrated_prediction_is_closer_on_windows_that_were_held_out(deployments, seen):
    before, after = [], []
    for history in deployments:
        found = calibrate(SIMULATED, history[:seen])
        for later in history[50:]:
            before += [abs(log(later.ttft)), abs(log(later.inter_token))]
            after += [abs(log(later.ttft / found.ttft.factor)), abs(log(later.inter_token / found.inter_token.factor))]

    assert fmean(after) < (0.95 if seen == 3 else 0.85) * fmean(before)


@pytest.mark.parametrize("seen", [0, 1, 3, 10, 30])
def test_promises_with_the_margin_are_kept_as_often_as_stated(deployments, seen):
    kept = []
    for history in deployments:
        found = calibrate(SIMULATED, history[:seen])
        kept += [later.inter_token <= found.inter_token.allowance for later in history[50:]]

    assert fmean(kept) >= KEPT_SHARE - 0.015  # two standard errors of 1,500 deployments


def test_after_weeks_the_margins_are_smaller_for_most_deployments(deployments):
    prior = calibrate(SIMULATED)
    narrowed = [
        calibrate(SIMULATED, history[:33]).inter_token.margin < prior.inter_token.margin for history in deployments
    ]

    assert fmean(narrowed) > 0.9
