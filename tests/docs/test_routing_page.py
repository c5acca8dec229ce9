"""The figures that docs/reference/routing.md is made of keep what is promised; whoever measures anew is held to it too.

Not covered: that they are what a measurement gives today (`make routing-study`, tests/long/test_routing_draws.py).
"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

FIGURES = Path(__file__).parents[2] / "docs" / "generators" / "routing_figures.json"


@pytest.fixture(scope="module")
def figures() -> Any:
    return json.loads(FIGURES.read_text())


@pytest.mark.parametrize("name", ["mmlu", "gsm8k"])
def test_the_learned_score_is_better_than_prompt_length_and_form_is_not_worse(figures: Any, name: str):
    rows = figures["scores"][name]

    assert rows["learned"]["overLength"][0] > 0
    assert rows["without labels"]["apgr"] > rows["prompt length"]["apgr"]
    assert rows["without labels"]["overLength"][0] > -0.01


@pytest.mark.parametrize("name", ["mmlu", "gsm8k"])
@pytest.mark.parametrize("limit", ["1%", "2%"])
def test_proven_thresholds_keep_the_promise_in_95_of_100_draws(figures: Any, name: str, limit: str):
    lost = figures["calibrations"][name][limit]["lost"]

    assert sum(loss > float(limit.rstrip("%")) / 100 for loss in lost) <= 0.05 * len(lost)


def test_more_labels_are_never_much_worse(figures: Any):
    for rows in figures["labelEfficiency"].values():
        scores = [row["score"] for row in rows.values()]
        assert all(later > earlier - 0.02 for earlier, later in pairwise(scores))
        assert all(row["score"] > row["prompt length"] for row in rows.values())
