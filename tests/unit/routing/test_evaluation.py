"""What a score recovers: figures that can be done by hand, bounds, and what a fit may not do.

Not covered: real questions (test_real_labels.py).
"""

import random
from fractions import Fraction

import pytest

from costpolicy.routing.coefficients import Basis, basis_of, out_of_fold
from costpolicy.routing.evaluation import NoGapError, evaluate
from costpolicy.routing.labels import Label
from costpolicy.routing.report import CostPair, Report
from costpolicy.units import Money
from made_labels import held_out, made_labels
from routing_study.bootstrap import differences


def asked(*outcomes: tuple[int, int]) -> list[Label]:
    return [
        Label(task="", prompt=f"question {index}", strong=bool(strong), weak=bool(weak))
        for index, (strong, weak) in enumerate(outcomes)
    ]


def test_figures_of_ten_questions_are_those_done_by_hand():
    """Two of ten need the strong model; the score puts them first and third."""
    labels = asked((1, 0), (1, 1), (1, 0), *[(1, 1)] * 7)
    found = evaluate(labels, [10 - index for index in range(10)])

    # Recovered at 0, 10, 20 ... 100 %: 0, 1/2, 1/2, 1, 1 ... 1.
    assert Fraction(9, 11) == found.apgr
    assert (Fraction(1, 10), Fraction(26, 100), Fraction(1, 4)) == (found.cpt50, found.cpt80, found.share_for_95)


def test_equal_scores_are_taken_in_no_order():
    labels = asked((1, 0), (1, 0), (1, 1), (1, 1))

    assert evaluate(labels, [0.0] * 4) == evaluate(labels[::-1], [0.0] * 4)
    assert Fraction(1, 2) == evaluate(labels, [0.0] * 4).apgr


def test_chance_recovers_half():
    labels, dice = made_labels(4000), random.Random(1)

    assert 0.5 == pytest.approx(float(evaluate(labels, [dice.random() for _ in labels]).apgr), abs=0.03)


def test_questions_that_only_the_weak_model_gets_right_let_a_perfect_score_recover_more_than_all():
    labels = asked((1, 0), (1, 0), (1, 0), (0, 1), *[(1, 1)] * 6)

    assert evaluate(labels, [float(label.benefit) for label in labels]).apgr > 1


def test_a_weak_model_within_5_percent_needs_no_strong_one():
    assert 0 == evaluate(asked((1, 0), *[(1, 1)] * 30), list(range(31))).share_for_95


@pytest.mark.parametrize("outcomes", [[(1, 1)], [(0, 1), (1, 1)]])
def test_without_a_gap_nothing_is_evaluated(outcomes: list[tuple[int, int]]):
    with pytest.raises(NoGapError, match="are the columns exchanged"):
        evaluate(asked(*outcomes), [0.0] * len(outcomes))


def test_what_labels_suffice_for_grows_with_their_number():
    assert [Basis.FORM, Basis.ANCHORED, Basis.ANCHORED, Basis.LEARNED] == [basis_of(n) for n in (49, 50, 499, 500)]


@pytest.mark.parametrize("count", [100, 250])
def test_no_question_is_fitted_on_and_scored(count: int):
    """Outcomes that are pure chance cannot be predicted, unless they were seen: a fit that had seen them would shine."""
    dice = random.Random(2)
    labels = [
        Label(task="", prompt=f"{dice.random()} {dice.random()}", strong=dice.random() < 0.7, weak=dice.random() < 0.4)
        for _ in range(count)
    ]
    twice = [label for label in labels for _ in range(2)]

    assert 0.5 == pytest.approx(float(evaluate(twice, out_of_fold(twice).raw).apgr), abs=0.1)


def test_on_made_questions_the_learned_score_beats_prompt_length():
    labels = made_labels(1500)
    low, _ = differences(labels, [held_out(1500).raw], [float(len(label.prompt)) for label in labels])

    assert low > 0


def test_equal_labels_give_equal_scores():
    assert held_out(1500) == out_of_fold(list(made_labels(1500)))


def test_a_thousand_requests_cost_what_the_shares_say():
    costs = CostPair(strong=Money.parse("0.01"), weak=Money.parse("0.001"))

    assert Money.parse("5.50") == costs.per_thousand(Fraction(1, 2))
    assert 0.45 == pytest.approx(costs.saving(0.5))


def test_a_report_has_both_beside_each_other():
    labels = made_labels(300)
    document = Report.of(labels).document(None)

    assert ["score", "promptLength"] == list(document)
    assert ["apgr", "cpt50", "cpt80", "shareFor95"] == list(document["score"]) == list(document["promptLength"])
