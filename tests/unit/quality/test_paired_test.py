"""What paired answers prove, and how often the proof is wrong.

Covered: Tango's statistic by its definition, true error rates as exact sums over all outcomes, simulated repeats, the textbook's
numbers of prompts, the rule that decides before an accelerator is spent. Not covered: prompts that depend on one another
(ten variants of one question count as ten).
"""

from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import xlogy
from scipy.stats import norm

from costpolicy.quality.adequacy import Adequate, NothingToLose, TooSmall, judge_evaluation
from costpolicy.quality.pairs import PairedCounts
from costpolicy.quality.sample_size import chance_of_non_inferior, prompts_needed, smallest_excludable_loss
from costpolicy.quality.tango import excludes, loss_interval
from costpolicy.quality.verdict import Inconclusive, Inferior, NonInferior, Verdict, judge, margin_of

MARGINS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
MAX_LOSS = Fraction(2, 100)
REPEATS = 2000
NOISE = 2.5 * sqrt(0.9 * 0.1 / REPEATS)
"""Of a share of 0.9 among so many repeats: 2.5 standard deviations."""


def counts(both_right: int = 0, lost: int = 0, gained: int = 0, both_wrong: int = 0) -> PairedCounts:
    return PairedCounts(both_right=both_right, lost=lost, gained=gained, both_wrong=both_wrong)


def share_found(kind: type[Verdict], pairs: int, score: float, discordance: float, loss: float) -> float:
    """Share of simulated repeats with this verdict: a baseline with this score, a canary with this true loss (points).

    As in ``costpolicy evaluate``, the margin follows from the score that was seen.
    """
    lost, gained = (discordance + loss) / 2, (discordance - loss) / 2
    seed = hash((pairs, score, discordance, loss)) % 2**32  # numbers hash alike in every process
    outcomes = np.random.default_rng(seed).multinomial(
        pairs, (score - lost, lost, gained, 1 - score - gained), size=REPEATS
    )
    verdicts = []
    for row in outcomes.tolist():
        found = counts(*row)
        verdicts.append(judge(found, margin_of(MAX_LOSS, found.baseline_score)))
    return sum(isinstance(one, kind) for one in verdicts) / REPEATS


def likeliest_deviations(lost: int, gained: int, pairs: int, loss: float) -> float:
    """Tango's statistic from the definition: the score at the likeliest share of gains, found numerically."""

    def unlikeliness(share: float) -> float:
        both = pairs - lost - gained
        return -(xlogy(gained, share) + xlogy(lost, share + loss) + xlogy(both, 1 - 2 * share - loss))

    share = minimize_scalar(unlikeliness, bounds=(0, (1 - loss) / 2), method="bounded", options={"xatol": 1e-12}).x
    return float((pairs * loss - (lost - gained)) / sqrt(pairs * (2 * share + loss - loss * loss)))


@pytest.mark.parametrize(("lost", "gained", "pairs"), [(1, 0, 44), (12, 5, 300), (40, 33, 800), (3, 9, 150)])
def test_the_interval_is_tangos_less_the_correction(lost: int, gained: int, pairs: int):
    """At its upper end the statistic, with 0.3 of a pair taken from the evidence, is the normal variable's 95 %."""
    high = loss_interval(lost=lost, gained=gained, pairs=pairs).high
    evidence = pairs * high - (lost - gained)

    assert norm.ppf(0.95) == pytest.approx(
        likeliest_deviations(lost, gained, pairs, high) * (evidence - 0.3) / evidence, rel=1e-4
    )


def test_an_interval_mirrors_when_the_two_are_exchanged():
    one, other = loss_interval(lost=12, gained=5, pairs=300), loss_interval(lost=5, gained=12, pairs=300)

    assert (one.low, one.high) == (-other.high, -other.low)


def test_nothing_seen_to_differ_proves_as_much_as_an_exact_binomial_test_and_no_more():
    """Without a lost pair a loss is excluded once (1 - loss)^n falls below 5 %: the rule of three."""
    for margin in MARGINS:
        exact = next(n for n in range(1, 2000) if (1 - margin) ** n <= 0.05)
        ours = next(n for n in range(1, 2000) if excludes(lost=0, gained=0, pairs=n, loss=margin))
        assert exact <= ours <= 1.12 * exact + 1


@pytest.mark.thorough
@pytest.mark.parametrize("margin", MARGINS)
def test_a_loss_of_the_margin_is_called_harmless_in_at_most_five_percent(margin: float):
    """Exact, over numbers of prompts and discordances; few differing pairs are where approximations fail."""
    worst = max(
        chance_of_non_inferior(pairs=pairs, discordance=margin + 2 * gained, loss=margin, margin=margin)
        for pairs in (20, 31, 50, 77, 102, 133, 149, 200, 299, 390, 500, 799, 1000, 1451, 1548)
        for gained in (0.0, 0.0003, 0.001, 0.003, 0.01, 0.04, 0.08)
    )

    assert worst <= 0.05


def test_a_variance_estimated_from_the_answers_would_be_wrong_in_a_quarter_of_repeats():
    """Why not the simpler interval of Wald: at 60 prompts, a true loss of 2 % shows none in 30 %, which it takes for
    proof."""
    nothing_lost = 0.98**60

    assert nothing_lost > 0.25
    assert not excludes(lost=0, gained=0, pairs=60, loss=0.02)


@pytest.mark.thorough
@pytest.mark.parametrize("discordance", [0.002, 0.01, 0.05, 0.15])
@pytest.mark.parametrize("score", [0.3, 0.8, 0.95])
def test_the_baseline_is_found_no_worse_than_itself_in_nine_of_ten_repeats(discordance: float, score: float):
    """At the number of prompts that the rule asks for; simulated, apart from the sums that the rule is made of."""
    if discordance / 2 > 1 - score:
        discordance = 2 * (1 - score)  # it cannot gain more than it got wrong
    pairs = prompts_needed(discordance=discordance, margin=float(MAX_LOSS) * score)

    assert pairs is not None
    assert share_found(NonInferior, pairs, score, discordance, 0.0) >= 0.9 - NOISE


@pytest.mark.thorough
@pytest.mark.parametrize("discordance", [0.002, 0.01, 0.05, 0.15])
@pytest.mark.parametrize("score", [0.3, 0.8, 0.95])
@pytest.mark.parametrize("share_of_prompts", [0.25, 1.0])
def test_twice_the_loss_is_rejected_in_95_of_100_repeats_however_few_the_prompts(
    discordance: float, score: float, share_of_prompts: float
):
    twice = 2 * float(MAX_LOSS) * score
    differing = min(max(discordance, twice), 2 * (1 - score) + twice)  # a loss shows as pairs that differ
    pairs = prompts_needed(discordance=discordance, margin=float(MAX_LOSS) * score)

    assert pairs is not None
    assert share_found(NonInferior, int(pairs * share_of_prompts), score, differing, twice) <= 0.05


@pytest.mark.thorough
def test_a_pilot_that_calls_the_prompts_enough_seldom_errs():
    """The rule knows the discordance only from one run of the baseline against itself. 400 prompts, true discordances of
    0.2 to 5 %, taken together: where it says that they are enough, the baseline then passes in nine of ten. Where few
    pilots say so, at 1 %, those are the lucky ones, and fewer pass (decision 0013).
    """
    score, pairs = 0.9, 400
    passed = []
    for discordance in (0.002, 0.005, 0.01, 0.02, 0.05):
        shares = (score - discordance / 2, discordance / 2, discordance / 2, 1 - score - discordance / 2)
        runs = np.random.default_rng(int(discordance * 1e4)).multinomial(pairs, shares, size=(100, 2)).tolist()
        for pilot, canary in runs:
            enough = judge_evaluation(counts(*pilot), MAX_LOSS)
            if isinstance(enough, Adequate):
                passed.append(isinstance(judge(counts(*canary), enough.margin), NonInferior))

    assert len(passed) > 100
    assert sum(passed) / len(passed) >= 0.9


@pytest.mark.parametrize(("loss", "designed"), [(0.01, 3090), (0.02, 770), (0.05, 125)])
def test_the_textbooks_numbers_of_prompts_are_too_few_by_what_its_approximation_leaves_out(loss: float, designed: int):
    """At 5 % discordance and a power of 80 %, Connor's formula gives the numbers that this gate was designed with."""
    textbook = (norm.ppf(0.95) + norm.ppf(0.8)) ** 2 * 0.05 / loss**2
    ours = prompts_needed(discordance=0.05, margin=loss, power=0.8)

    assert textbook == pytest.approx(designed, rel=0.015)
    assert ours is not None
    assert textbook < ours < 1.4 * textbook
    for pairs, enough in ((round(textbook), False), (ours, True)):
        chance = chance_of_non_inferior(pairs=pairs, discordance=0.05, loss=0.0, margin=loss)
        assert enough is (chance >= 0.8)


def test_more_discordance_or_a_smaller_loss_needs_more_prompts():
    by_discordance = [prompts_needed(discordance=share, margin=0.02) or 0 for share in (0.001, 0.01, 0.05, 0.2)]
    by_loss = [prompts_needed(discordance=0.05, margin=loss) or 0 for loss in (0.1, 0.05, 0.02, 0.01)]

    assert by_discordance == sorted(set(by_discordance))
    assert by_loss == sorted(set(by_loss))


def test_the_smallest_loss_is_the_one_that_the_prompts_are_enough_for():
    pairs = prompts_needed(discordance=0.03, margin=0.02)

    assert pairs is not None
    assert smallest_excludable_loss(pairs=pairs, discordance=0.03) == pytest.approx(0.02, rel=0.02)


def test_a_number_of_prompts_that_nobody_could_ask_is_not_given():
    assert prompts_needed(discordance=0.3, margin=0.0005) is None
    assert prompts_needed(discordance=0.05, margin=0.0) is None


def test_too_few_prompts_are_told_before_anything_is_spent_with_how_many_would_do():
    found = judge_evaluation(counts(both_right=150, lost=4, gained=4, both_wrong=42), MAX_LOSS)

    assert isinstance(found, TooSmall)
    assert found.smallest_loss > 0.02
    assert found.prompts_needed is not None
    # With so many of the same kind it is adequate.
    times = -(-found.prompts_needed // 200)
    assert isinstance(judge_evaluation(counts(150 * times, 4 * times, 4 * times, 42 * times), MAX_LOSS), Adequate)


@pytest.mark.parametrize(
    ("twice", "max_loss", "said"),
    [
        (counts(both_wrong=500), MAX_LOSS, "answers no prompt rightly"),
        (counts(both_right=500), Fraction(0), "maxLoss is 0"),
    ],
)
def test_where_nothing_can_be_lost_nothing_can_be_proven(twice: PairedCounts, max_loss: Fraction, said: str):
    found = judge_evaluation(twice, max_loss)

    assert isinstance(found, NothingToLose)
    assert said in found.message


def test_a_canary_is_no_worse_worse_or_not_told_apart():
    margin = margin_of(MAX_LOSS, Fraction(9, 10))

    assert isinstance(judge(counts(890, 5, 6, 99), margin), NonInferior)
    assert isinstance(judge(counts(700, 190, 5, 105), margin), Inferior)
    undecided = judge(counts(85, 3, 2, 10), margin)
    assert isinstance(undecided, Inconclusive)
    assert undecided.prompts_needed is not None
    assert undecided.prompts_needed > 100


def test_with_no_margin_nothing_is_found_no_worse():
    better = judge(counts(both_right=400, gained=100), 0.0)

    assert isinstance(better, Inconclusive)
    assert better.prompts_needed is None


def test_the_margin_is_a_share_of_the_baselines_score():
    assert margin_of(Fraction(2, 100), Fraction(1, 2)) == pytest.approx(0.01)


def test_no_pairs_are_no_evidence():
    with pytest.raises(ValueError, match="at least one pair"):
        judge(counts(), 0.02)
