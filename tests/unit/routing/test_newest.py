"""A loss of late, among many labels that lost nothing.  Not covered: what the guard makes of it (test_guard.py)."""

from datetime import date, timedelta
from fractions import Fraction

from costpolicy.routing.calibration import Proven, calibrate, summary
from costpolicy.routing.coefficients import out_of_fold
from costpolicy.routing.guard import Distrust, Since, TrustedOnly, guard
from costpolicy.routing.labels import Label
from costpolicy.routing.newest import NEWEST, Newest, newest_of

DAY = date(2026, 11, 29)
LOSS = Fraction(2, 100)


def labels(count: int, *, weak: bool = True, day: date | None = DAY) -> list[Label]:
    return [
        Label(task="", prompt=f"question {number} of {day}", strong=True, weak=weak, made=day)
        for number in range(count)
    ]


def test_only_the_last_labels_count_and_of_losses_only_those_below_the_threshold():
    given = [*labels(10, weak=False), *labels(NEWEST - 2), *labels(2, weak=False)]
    scores = [0.1] * (len(given) - 1) + [0.9]

    assert Newest(strong_right=NEWEST, lost=1, gained=0) == newest_of(given, scores, Fraction(1, 2))


def test_where_no_one_knows_when_labels_were_made_there_are_no_newest():
    given = [*labels(5), *labels(1, day=None)]

    assert Newest() == newest_of(given, [0.1] * 6, Fraction(1, 2))


def test_a_model_that_got_worse_last_night_is_found_although_all_labels_together_prove_it():
    before = labels(6000, day=DAY - timedelta(days=9))
    given = [*before, *labels(NEWEST - 40), *labels(40, weak=False)]
    calibration = calibrate(given, out_of_fold(given), LOSS, DAY)
    assert isinstance(calibration, Proven)
    told = summary(calibration)["since"]
    since = Since(strong_right=told["strongRight"], lost=told["lost"], gained=told["gained"])
    found = guard(calibration, since, DAY)

    assert isinstance(found, TrustedOnly)
    assert Distrust.QUALITY_LOST == found.reason


def test_without_dates_nothing_is_said_of_the_newest():
    given = labels(600, day=None)
    calibration = calibrate(given, out_of_fold(given), LOSS, DAY)

    assert isinstance(calibration, Proven)
    assert "since" not in summary(calibration)
