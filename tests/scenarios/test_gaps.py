"""Scenarios that the loop does not master yet.  Each is expected to fail, and to be noticed when it no longer does.

What the loop does in them, and what is missing, is in docs/decisions/0014-simulate.md.
"""

from pathlib import Path

import pytest

from costpolicy.simulation.bounds import bounds
from costpolicy.simulation.play import play
from costpolicy.simulation.scenario import load_scenario

GAPS = {path.stem: path for path in sorted(Path(__file__).with_name("gaps").glob("*.yaml"))}


@pytest.mark.xfail(reason="docs/decisions/0014-simulate.md", strict=True)
@pytest.mark.parametrize("name", GAPS)
def test_the_operator_keeps_what_the_scenario_expects(name: str):
    played = play(load_scenario(GAPS[name].read_text(), GAPS[name].name))

    assert [] == [bound for bound in bounds(played) if not bound.kept]
