"""Every shipped scenario is failed by a loop that is broken in one way, so that its bounds mean something."""

import pytest

from broken_loops import BROKEN
from costpolicy.simulation.bounds import bounds
from costpolicy.simulation.play import play
from costpolicy.simulation.scenario import shipped, shipped_scenario

FAILED_BY = {
    "bad-canary": "forgets what failed",
    "constant-load": "verdict never hold",
    "daily-rise": "replicas do not look ahead",
    "daily-wave": "replicas never follow",
    "days-and-nights": "requests are as long as they are now",
    "flash-crowd": "replica loop 30 minutes late",
    "half-the-engines": "what is not scraped serves nobody",
    "half-the-metrics": "missing is zero",
    "last-accelerators": "replicas never follow",
    "metrics-outage": "missing is zero",
    "office-hours": "no schedule",
    "price-drop": "verdict always hold",
    "retry-storm": "demand from completions",
    "slow-engines": "saturation teaches nothing",
    "slow-growth": "replicas never follow",
    "slow-model-load": "replica loop 30 minutes late",
    "spot-loss": "nothing stands in for Spot",
    "stock-out": "verdict always hold",
}
"""The broken loop that each scenario exposes."""


def test_every_shipped_scenario_names_a_broken_loop():
    assert set(shipped()) == set(FAILED_BY)
    assert set(FAILED_BY.values()) == set(BROKEN)


@pytest.mark.parametrize(("name", "loop"), FAILED_BY.items())
def test_the_broken_loop_does_not_keep_what_the_scenario_expects(name: str, loop: str):
    assert [] != [bound for bound in bounds(play(shipped_scenario(name), BROKEN[loop])) if not bound.kept]
