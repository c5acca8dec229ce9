"""Every shipped scenario shows what it must with the operator as it is, and names a broken loop that fails it.

Covered: bounds of each scenario, broken loops, the same decisions as without attention.
Not covered: single rules of decisions (tests/unit), what the loop cannot do yet (test_gaps.py).
"""

import pytest

from broken_loops import BROKEN
from costpolicy.simulation.bounds import bounds
from costpolicy.simulation.play import play
from costpolicy.simulation.scenario import shipped, shipped_scenario
from costpolicy.simulation.world import real_operator

FAILED_BY = {
    "bad-canary": "blind to crashes",
    "constant-load": "verdict never hold",
    "daily-wave": "replicas never follow",
    "flash-crowd": "replica loop 30 minutes late",
    "half-the-metrics": "missing is zero",
    "last-accelerators": "replicas never follow",
    "metrics-outage": "missing is zero",
    "office-hours": "no schedule",
    "price-drop": "verdict always hold",
    "retry-storm": "demand from completions",
    "slow-growth": "replicas never follow",
    "slow-model-load": "replica loop 30 minutes late",
    "spot-loss": "verdict always hold",
}
"""The broken loop that each scenario exposes."""


def broken_bounds(name: str, *operator: object) -> list[object]:
    played = play(shipped_scenario(name), *operator)  # type: ignore[arg-type]
    return [bound for bound in bounds(played) if not bound.kept]


def test_every_shipped_scenario_names_a_broken_loop():
    assert set(shipped()) == set(FAILED_BY)
    assert set(FAILED_BY.values()) == set(BROKEN)


@pytest.mark.parametrize("name", FAILED_BY)
def test_the_operator_keeps_what_the_scenario_expects(name: str):
    assert [] == broken_bounds(name)


@pytest.mark.parametrize(("name", "loop"), FAILED_BY.items())
def test_the_broken_loop_does_not(name: str, loop: str):
    assert [] != broken_bounds(name, BROKEN[loop])


@pytest.mark.parametrize(
    ("name", "length"), [("daily-wave", "20h"), ("spot-loss", "40h"), ("constant-load", "20h"), ("office-hours", "20h")]
)
def test_an_attentive_operator_decides_as_one_that_always_looks(name: str, length: str):
    scenario = shipped_scenario(name).model_copy(update={"length": length})
    [attentive], [always] = play(scenario).policies, play(scenario, real_operator).policies

    assert always.happenings == attentive.happenings
    assert always.intervals == attentive.intervals
