"""Predicted latency of engines that speculate against the simulated scheduler, every case up to 70 % of the highest rate.

Covered: what tests/scenarios/test_speculating_arrivals.py is a slice of (half an hour).  Not covered: higher loads, at which
such an engine computes and nothing is gained.
"""

import pytest

from random_arrivals import SPECULATING, compared, grid, size, spread


@pytest.fixture(scope="module")
def found():
    return compared((case for case in grid(SPECULATING) if case.load <= 0.7), 1500)


@pytest.mark.parametrize(
    ("figure", "median", "nine_in_ten"),
    [
        (("ttft", "mean"), 0.08, 0.30),
        (("ttft", "p50"), 0.10, 0.35),
        (("ttft", "p95"), 0.15, 0.45),
        (("inter_token", "mean"), 0.04, 0.25),
        (("inter_token", "p50"), 0.04, 0.25),
        (("inter_token", "p95"), 0.10, 0.35),
    ],
)
def test_predicted_latency_is_near_the_simulated_scheduler(found, figure, median, nine_in_ten):
    middle, high = size(errors[figure] for errors in found.values())
    assert median > middle
    assert nine_in_ten > high


def test_the_slowest_requests_are_not_much_slower_than_predicted(found):
    low, middle, _ = spread(errors["inter_token", "p95"] for case, errors in found.items() if case.length_cv < 1)
    assert 0.85 < low
    assert 0.97 < middle
