"""Predicted latency under random arrivals against the simulated scheduler, every case that a plan may use.

Covered: what tests/scenarios/test_random_arrivals.py is a slice of (minutes). ``python -m random_arrivals`` prints the
table of docs/concepts/performance-model.md, simulated for longer. Not covered: replicas beyond what a plan may load.
"""

import pytest

from random_arrivals import compared, grid, size, spread


@pytest.fixture(scope="module")
def found():
    return compared(grid(), 1500)


@pytest.mark.parametrize(
    ("figure", "median", "nine_in_ten"),
    [
        (("ttft", "mean"), 0.08, 0.25),
        (("ttft", "p50"), 0.08, 0.28),
        (("ttft", "p95"), 0.14, 0.40),
        (("ttft", "p99"), 0.20, 0.50),
        (("inter_token", "mean"), 0.04, 0.16),
        (("inter_token", "p50"), 0.04, 0.16),
        (("inter_token", "p95"), 0.10, 0.40),
        (("inter_token", "p99"), 0.14, 0.90),
    ],
)
def test_predicted_latency_is_near_the_simulated_scheduler(found, figure, median, nine_in_ten):
    middle, high = size(errors[figure] for errors in found.values())
    assert median > middle
    assert nine_in_ten > high


@pytest.mark.parametrize("latency", ["ttft", "inter_token"])
@pytest.mark.parametrize("figure", ["p95", "p99"])
def test_percentiles_near_the_highest_load_are_not_too_low_and_not_twice_too_high(found, latency, figure):
    busy = [errors[latency, figure] for case, errors in found.items() if case.load > 0.8 and case.length_cv < 1]
    low, _, high = spread(busy)
    assert 0.8 < low
    assert high < 2.0
