"""How often a proven threshold breaks its promise, where the truth is known; and what an estimate does instead.

The population is made: chances of loss and gain at each score are formulas, so is the true loss below a threshold.
Not covered: that a score fitted again on all labels behaves as those that the threshold was proven with
(test_real_labels.py, tests/long/test_routing_draws.py).
"""

import random
from fractions import Fraction

import pytest

from costpolicy.routing.labels import Label
from costpolicy.routing.proof import Examined, fewest_labels, largest_proven

STRONG = 0.85
LIMIT = Fraction(2, 100)


def chance_of_loss(score: float) -> float:
    return 0.05 + 0.3 * score


CHANCE_OF_GAIN = 0.04


def true_loss(threshold: float) -> float:
    """Over scores from 0 to the threshold, as a share of the strong model's score."""
    return (0.05 * threshold + 0.15 * threshold**2 - CHANCE_OF_GAIN * threshold) / STRONG


def drawn(dice: random.Random, count: int) -> tuple[list[Label], list[float]]:
    scores = [dice.random() for _ in range(count)]
    labels = []
    for score in scores:
        chance = dice.random()
        strong = chance < STRONG
        weak = chance >= chance_of_loss(score) if strong else chance >= 1 - CHANCE_OF_GAIN
        labels.append(Label(task="", prompt="?", strong=strong, weak=weak))
    return labels, scores


def estimated(labels: list[Label], scores: list[float]) -> float:
    """The largest threshold whose estimated loss is allowed: what is not done."""
    order = sorted(range(len(labels)), key=lambda index: scores[index])
    allowed = LIMIT * sum(label.strong for label in labels)
    lost, best = 0, 0.0
    for index in order:
        lost += labels[index].benefit
        if lost <= allowed:
            best = scores[index]
    return best


@pytest.mark.thorough
@pytest.mark.parametrize("count", [600, 3500])
def test_a_proven_threshold_breaks_its_promise_in_at_most_5_of_100_draws_an_estimated_one_in_a_third(count: int):
    dice, draws = random.Random(count), 300
    broken = naive = used = 0
    for _ in range(draws):
        labels, scores = drawn(dice, count)
        found = largest_proven(labels, scores, LIMIT)
        broken += found is not None and true_loss(float(found.threshold)) > LIMIT
        used += found is not None
        naive += true_loss(estimated(labels, scores)) > LIMIT

    assert broken <= 0.05 * draws
    assert used >= 0.9 * draws  # a proof that is never found would keep any promise
    assert naive >= 0.25 * draws


def test_more_labels_prove_more():
    routed = []
    for count in (300, 1000, 4000, 16000):
        found = largest_proven(*drawn(random.Random(3), count), LIMIT)
        routed.append(0 if found is None else found.threshold)

    assert sorted(routed) == routed
    assert routed[-1] > routed[0]


def test_gains_are_counted_but_only_as_far_as_they_are_sure():
    without = Examined(threshold=Fraction(1, 2), routed=500, lost=5, gained=0, strong_right=1000)
    some = Examined(threshold=Fraction(1, 2), routed=500, lost=5, gained=5, strong_right=1000)
    many = Examined(threshold=Fraction(1, 2), routed=500, lost=5, gained=50, strong_right=1000)

    assert many.loss_bound < 0 < some.loss_bound < without.loss_bound
    assert some.loss_bound > some.loss == 0


@pytest.mark.parametrize(("max_loss", "few"), [("1/100", 358), ("2/100", 178)])
def test_with_too_few_labels_nothing_is_proven_even_without_a_single_loss(max_loss: str, few: int):
    """By the rule of three: 3 / labels is the smallest loss that can be excluded."""
    limit = Fraction(max_loss)
    right = [Label(task="", prompt="?", strong=True, weak=True)] * 43 + [
        Label(task="", prompt="?", strong=False, weak=False)
    ] * 7

    assert few + 2 >= fewest_labels(limit, Fraction(86, 100)) >= few - 2
    assert largest_proven(right * (few // 60), [0.0] * 50 * (few // 60), limit) is None
    enough = fewest_labels(limit, Fraction(86, 100)) // 50 + 1
    assert largest_proven(right * enough, [0.0] * 50 * enough, limit) is not None


def test_a_strong_model_that_is_never_right_proves_nothing():
    assert largest_proven([Label(task="", prompt="?", strong=False, weak=True)], [0.5], LIMIT) is None


def test_the_first_threshold_that_fails_ends_the_search():
    """Beyond a bad stretch all is well on average, but the order was fixed before the labels were seen."""
    bad = [Label(task="", prompt="?", strong=True, weak=False)] * 30
    good = [Label(task="", prompt="?", strong=True, weak=True)] * 500
    better = [Label(task="", prompt="?", strong=False, weak=True)] * 300

    assert largest_proven(bad + good + better, [0.005] * 30 + [0.5] * 500 + [0.9] * 300, LIMIT) is None
