"""When the trusted tier answers everything.  Not covered: who gathers what was seen since."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from costpolicy.routing.calibration import Calibration, Evidence, NothingProven, Proven
from costpolicy.routing.guard import Distrust, Guarded, Route, Since, TrustedOnly, guard, stability_index
from costpolicy.routing.proof import Examined

DAY = date(2026, 11, 1)
EVEN = (100,) * 10
EVIDENCE = Evidence(date=DAY, labels=3000, strong_score=Fraction(4, 5), max_loss=Fraction(2, 100))
PROVEN = Proven(
    evidence=EVIDENCE,
    coefficients={},
    examined=Examined(threshold=Fraction(1, 5), routed=600, lost=20, gained=5, strong_right=2400),
)
NOTHING = NothingProven(evidence=EVIDENCE, coefficients={})


def decided(since: Since, days: int = 3, calibration: Calibration = PROVEN) -> Guarded:
    return guard(calibration, since, DAY + timedelta(days=days))


def test_fresh_evidence_of_unchanged_traffic_routes():
    assert Route(threshold=Fraction(1, 5)) == decided(Since(scores=EVEN, strong_right=800, lost=10, gained=2))


@pytest.mark.parametrize(
    ("since", "days", "calibration", "reason"),
    [
        (Since(), 0, NOTHING, Distrust.NOTHING_PROVEN),
        (Since(scores=EVEN), 31, PROVEN, Distrust.EVIDENCE_STALE),
        (Since(scores=(400, 300, 100, 50, 50, 50, 20, 10, 10, 10)), 3, PROVEN, Distrust.TRAFFIC_DRIFTED),
        (Since(scores=EVEN, strong_right=800, lost=40), 3, PROVEN, Distrust.QUALITY_LOST),
    ],
)
def test_the_trusted_tier_answers_everything_when(since: Since, days: int, calibration: Calibration, reason: Distrust):
    found = decided(since, days, calibration)

    assert isinstance(found, TrustedOnly)
    assert reason == found.reason
    assert found.message


def test_evidence_counts_to_its_last_day():
    assert isinstance(decided(Since(), days=30), Route)


def test_few_requests_are_no_drift_however_they_fall():
    assert isinstance(decided(Since(scores=(400, *[0] * 9))), Route)


def test_a_loss_that_chance_explains_does_not_switch_routing_off():
    assert isinstance(decided(Since(strong_right=100, lost=4)), Route)


def test_gains_make_up_for_losses():
    assert isinstance(decided(Since(strong_right=800, lost=40, gained=40)), Route)


def test_evenly_spread_scores_are_not_drifted_and_an_empty_tenth_is_finite():
    assert 0 == stability_index(EVEN)
    assert 0.2 < stability_index((0, 200, *EVEN[2:])) < 2
