"""Predicted latency under random arrivals against the simulated scheduler, every case that a plan may use.

Covered: what tests/properties/test_random_arrivals.py is a slice of, each simulated for longer (ten minutes). Run it
with ``-s`` for the table in docs/concepts/performance-model.md. Not covered: replicas beyond what a plan may load.
"""

import pytest

from random_arrivals import compared, grid, size, spread, table


@pytest.fixture(scope="module")
def found():
    errors = compared(grid(), 4000)
    for name in ("load", "arrival_cv", "length_cv", "requests", "shape"):
        print(f"\n{name}\n" + table(errors, lambda case, name=name: getattr(case, name)))
    return errors


@pytest.mark.parametrize(
    ("figure", "median", "nine_in_ten"),
    [
        (("ttft", "mean"), 0.04, 0.20),
        (("ttft", "p50"), 0.06, 0.25),
        (("ttft", "p95"), 0.12, 0.35),
        (("ttft", "p99"), 0.15, 0.45),
        (("inter_token", "mean"), 0.03, 0.10),
        (("inter_token", "p50"), 0.03, 0.12),
        (("inter_token", "p95"), 0.10, 0.35),
        (("inter_token", "p99"), 0.12, 0.60),
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
