"""Every shipped scenario shows what it must with the operator as it is.

Covered: bounds of each scenario, the same decisions as without attention.
Not covered: broken loops (test_broken_loops.py).
"""

import pytest

from costpolicy.simulation.bounds import bounds
from costpolicy.simulation.play import play
from costpolicy.simulation.scenario import shipped, shipped_scenario
from costpolicy.simulation.world import real_operator


@pytest.mark.parametrize("name", shipped())
def test_the_operator_keeps_what_the_scenario_expects(name: str):
    assert [] == [bound for bound in bounds(play(shipped_scenario(name))) if not bound.kept]


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("daily-wave", "20h"),
        ("spot-loss", "40h"),
        ("constant-load", "20h"),
        ("office-hours", "20h"),
        ("daily-rise", "32h"),
    ],
)
def test_an_attentive_operator_decides_as_one_that_always_looks(name: str, length: str):
    scenario = shipped_scenario(name).model_copy(update={"length": length})
    [attentive], [always] = play(scenario).policies, play(scenario, real_operator).policies

    assert always.happenings == attentive.happenings
    assert always.intervals == attentive.intervals
