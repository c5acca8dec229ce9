"""The score on RouteLLM's labels of MMLU and GSM8K, where they are at hand; each test is skipped, and says so, where not.

Differences are held against prompt length by a paired bootstrap over questions, and no question is judged by a fit on it.
Not covered: calibration draws (tests/long/test_routing_draws.py), other pairs of models (nobody has measured them).
"""

from fractions import Fraction
from statistics import fmean

import pytest

from costpolicy.routing.coefficients import out_of_fold
from costpolicy.routing.evaluation import evaluate
from made_labels import real_labels
from routing_study.bootstrap import differences
from routing_study.measuring import by_form, by_length, drawn, routed_by

pytestmark = pytest.mark.thorough
SETS = ("mmlu", "gsm8k")


@pytest.mark.parametrize(("name", "least"), [("mmlu", 0.65), ("gsm8k", 0.61)])
def test_the_learned_score_beats_prompt_length(name: str, least: float):
    labels = real_labels(name)
    draws = [out_of_fold(labels, draw).raw for draw in range(1 if name == "mmlu" else 3)]
    low, _ = differences(labels, draws, by_length(labels))

    assert low > 0
    assert fmean(evaluate(labels, scores).apgr for scores in draws) > least


@pytest.mark.parametrize("name", SETS)
def test_without_any_label_the_score_is_not_worse_than_prompt_length(name: str):
    labels = real_labels(name)
    low, high = differences(labels, [by_form(labels)], by_length(labels))

    assert low > -0.01
    assert high > 0.02


def test_a_calibration_on_half_of_the_questions_keeps_its_promise_on_the_other_half_and_saves():
    one, other = drawn(real_labels("mmlu"), 3498, 0)
    saved, lost, _, _ = routed_by(one, other, Fraction(2, 100))

    assert lost <= 0.02
    assert 0.1 < saved < 0.25


def test_of_few_hard_questions_almost_nothing_is_routed():
    one, other = drawn(real_labels("gsm8k"), 332, 0)
    saved, _, _, _ = routed_by(one, other, Fraction(1, 100))

    assert 0 == saved
