"""What pairs of answers prove of a compression, and when that ends.  Not covered: who asks them (unit/evaluator)."""

from datetime import date, timedelta
from fractions import Fraction
from math import comb
from typing import Any

import pytest

from costpolicy.routing.compression_proof import (
    CompressionEvidence,
    EvidenceError,
    Harmless,
    Judgement,
    NotProven,
    Pairs,
    document,
    fewest_pairs,
    judge_compression,
    message,
    parse,
)
from costpolicy.routing.guard import Distrust, TrustedOnly
from costpolicy.routing.labels import Label
from costpolicy.routing.newest import NEWEST
from costpolicy.routing.proof import LOSSES_ERROR, fewest_labels

DAY = date(2026, 11, 29)
LOSS = Fraction(2, 100)


def evidence(judged: int, lost: int = 0, newest: Pairs | None = None) -> CompressionEvidence:
    pairs = Pairs(judged=judged, lost=lost)
    return CompressionEvidence(settings="1-4000-0.5", date=DAY, pairs=pairs, newest=newest or pairs)


def judged(given: CompressionEvidence, days: int = 3, scores: tuple[int, ...] = (0,) * 10) -> Judgement:
    return judge_compression(given, LOSS, scores, DAY + timedelta(days=days), timedelta(days=30))


def label(*, strong: bool = True, weak: bool = True, day: date | None = DAY) -> Label:
    return Label(task="", prompt="p", strong=strong, weak=weak, made=day)


def chance_of_at_most(lost: int, pairs: int, share: float) -> float:
    return sum(comb(pairs, count) * share**count * (1 - share) ** (pairs - count) for count in range(lost + 1))


@pytest.mark.parametrize("lost", [0, 1, 5])
def test_a_compression_that_loses_more_than_allowed_passes_in_no_more_repeats_than_a_threshold_does(lost: int):
    enough = fewest_pairs(lost, LOSS)
    assert enough is not None

    assert isinstance(judged(evidence(enough, lost)), Harmless)
    assert NotProven(needed=enough) == judged(evidence(enough - 1, lost))
    assert chance_of_at_most(lost, enough, float(LOSS)) <= LOSSES_ERROR
    assert chance_of_at_most(lost, enough - 1, float(LOSS)) > LOSSES_ERROR


def test_without_a_loss_it_takes_as_many_pairs_as_a_threshold_takes_right_answers():
    assert fewest_labels(LOSS, Fraction(1)) == fewest_pairs(0, LOSS) == 154


def test_what_needs_more_pairs_than_can_be_judged_says_no_number():
    assert fewest_pairs(10, Fraction(1, 10**9)) is None
    assert "no number of pairs" in message(evidence(1), NotProven(needed=None), LOSS)


def test_more_loss_than_allowed_is_told_as_that_and_not_as_too_few_pairs():
    found = judged(evidence(400, 40))

    assert isinstance(found, TrustedOnly)
    assert Distrust.QUALITY_LOST == found.reason
    assert "40 of 400" in found.message


def test_a_loss_of_late_does_not_hide_behind_a_month_without():
    assert isinstance(judged(evidence(6000, 30)), Harmless)
    found = judged(evidence(6000, 30, newest=Pairs(judged=500, lost=25)))

    assert isinstance(found, TrustedOnly)
    assert Distrust.QUALITY_LOST == found.reason


def test_a_proof_ends_by_age_and_by_drift():
    old = judged(evidence(400), days=31)
    drifted = judged(evidence(400), scores=(1000,) + (0,) * 9)

    assert isinstance(judged(evidence(400), days=30, scores=(100,) * 10), Harmless)
    assert isinstance(old, TrustedOnly)
    assert isinstance(drifted, TrustedOnly)
    assert (Distrust.EVIDENCE_STALE, Distrust.TRAFFIC_DRIFTED) == (old.reason, drifted.reason)


def test_a_request_that_the_trusted_tier_does_not_answer_is_no_pair():
    labels = [label(), label(weak=False), label(strong=False, weak=False)]
    found = CompressionEvidence.of(labels, "1-4000-0.5")

    assert found is not None
    assert Pairs(judged=2, lost=1) == found.pairs
    assert CompressionEvidence.of([label(day=None)], "1-4000-0.5") is None


def test_the_newest_are_the_last_ones():
    labels = [*(label() for _ in range(NEWEST)), *(label(weak=False) for _ in range(40))]
    found = CompressionEvidence.of(labels, "s")

    assert found is not None
    assert (Pairs(judged=NEWEST + 40, lost=40), Pairs(judged=NEWEST, lost=40)) == (found.pairs, found.newest)


@pytest.mark.parametrize(
    ("judgement", "says"),
    [
        (Harmless(loss=0.0123), "2 of 900 shortened requests were answered worse: compression loses at most 1.23%"),
        (NotProven(needed=1200), "1,200 pairs are needed to show that no more than 2.00% is lost"),
        (TrustedOnly(reason=Distrust.EVIDENCE_STALE, message="old"), "old"),
    ],
)
def test_every_judgement_is_a_sentence(judgement: Judgement, says: str):
    assert says in message(evidence(900, 2), judgement, LOSS)


def test_what_is_written_is_what_is_read():
    given = evidence(900, 2, newest=Pairs(judged=500, lost=1))

    assert given == parse(document(given))


@pytest.mark.parametrize(
    "broken",
    [
        [],
        None,
        {"version": 2},
        {"settings": None, "date": "yesterday"},
        {"pairs": {"judged": 5}},
        {"pairs": {"judged": 5, "lost": 6}},
        {"pairs": {"judged": -1, "lost": -1}},
        {"newest": 7},
    ],
    ids=str,
)
def test_what_is_something_else_is_refused(broken: Any):
    told = {**document(evidence(9)), **broken} if isinstance(broken, dict) else broken

    with pytest.raises(EvidenceError):
        parse(told)
