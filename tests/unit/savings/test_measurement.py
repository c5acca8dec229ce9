"""Measurement of a change from the ledger's hours, against windows worked out by hand.

Covered: which hours count, changes that follow each other, prices that change, gaps, too little on either side, accelerators that
were released, what of a saving is realised.  Not covered: the interval (test_attribution), reading hours (test_ledger).
"""

from datetime import timedelta
from fractions import Fraction

import pytest

from costpolicy.savings.changes import Change, changes_apart
from costpolicy.savings.measurement import (
    Offering,
    Span,
    latest_window,
    measure,
    realised,
)
from costpolicy.savings.window import Window
from costpolicy.units import Money
from ledger_hours import H100, L40S, WEEK, Made, at, hour

CHANGE = Change(began=at(72), ended=at(75))
BEFORE = [hour(number, {H100: 2}) for number in range(72)]
MEANWHILE = [hour(number, {H100: 2, L40S: 2}) for number in range(72, 75)]
AFTER = [hour(number, {L40S: 2}) for number in range(75, 147)]


def test_hours_in_which_both_variants_ran_are_in_neither_window() -> None:
    found = measure([*BEFORE, *MEANWHILE, *AFTER], CHANGE, WEEK, at(147))
    assert found.baseline
    assert found.current
    assert (at(0), at(72), 72) == (found.baseline.since, found.baseline.until, found.baseline.hours)
    assert (at(75), at(147), 72) == (found.current.since, found.current.until, found.current.hours)
    assert Money.parse("576") == found.baseline.totals.total_cost
    assert Money.parse("144") == found.current.totals.total_cost
    assert found.impact
    assert Fraction(3, 4) == found.impact.cost_reduction
    assert 3 == found.impact.efficiency_improvement
    assert Money.parse("6.00") == found.saved_per_hour
    assert pytest.approx({H100: 2.0}) == found.released
    assert not found.complete


def test_a_change_is_complete_when_as_much_time_has_passed_as_is_measured_before_it() -> None:
    hours = [*BEFORE, *MEANWHILE, *AFTER]
    assert not measure(hours, CHANGE, timedelta(hours=72), at(146.9)).complete
    whole = measure(hours, CHANGE, timedelta(hours=72), at(147))
    later = measure([*hours, hour(147, {L40S: 9})], CHANGE, timedelta(hours=72), at(150))
    assert whole.complete
    assert whole == later, "hours after the window are not measured"


def test_an_hour_that_a_change_lies_in_counts_on_neither_side() -> None:
    change = Change(began=at(71.5), ended=at(75.5))
    found = measure([*BEFORE, *MEANWHILE, *AFTER], change, WEEK, at(147))
    assert found.baseline
    assert found.current
    assert (at(71), at(76)) == (found.baseline.until, found.current.since)
    day = timedelta(hours=24)
    assert not measure([*BEFORE, *MEANWHILE, *AFTER], change, day, at(99.9)).complete
    whole = measure([*BEFORE, *MEANWHILE, *AFTER], change, day, at(100))
    assert whole.complete
    assert whole.baseline
    assert whole.current
    assert (24, 24) == (whole.baseline.hours, whole.current.hours)


@pytest.mark.parametrize(
    ("hours", "until", "said"),
    [
        (BEFORE[:23], 147, "of the time before the change 23 hours are known, 24 are needed"),
        (
            [*BEFORE, *AFTER[:23]],
            98,
            "of the time since the change 23 hours are known, 24 are needed: what it saves is said",
        ),
        ([*BEFORE, *AFTER[:23]], 400, "24 are needed: it cannot be said what it saved"),
    ],
)
def test_less_than_a_day_on_a_side_says_nothing_but_why(hours: list[Made], until: int, said: str) -> None:
    found = measure(hours, CHANGE, WEEK, at(until))
    assert found.impact is None
    assert found.saved_per_hour is None
    assert said in found.reason


def test_a_gap_is_not_a_saving() -> None:
    """Half the hours after the change are unknown: what is said is of the others, and of those that are known no less."""
    found = measure([*BEFORE, *AFTER[::2]], CHANGE, WEEK, at(147))
    assert found.current
    assert found.impact
    assert 36 == found.current.hours
    assert Fraction(3, 4) == found.impact.cost_reduction
    assert Money.parse("6.00") == found.saved_per_hour


def test_a_night_at_nothing_is_known_and_free() -> None:
    nights = [hour(number, {}, 0) if number % 2 else hour(number, {L40S: 2}) for number in range(75, 147)]
    found = measure([*BEFORE, *nights], CHANGE, WEEK, at(147))
    assert found.current
    assert 72 == found.current.hours
    assert Money.parse("72") == found.current.totals.total_cost


def test_a_price_that_fell_is_told_from_the_change() -> None:
    """Same accelerators, half the price: all of the cost reduction is the price's, none the change's."""
    cheaper = {H100: "2.00"}
    after = [hour(number, {H100: 2}, 1000 + number % 7, cheaper) for number in range(75, 147)]
    before = [hour(number, {H100: 2}, 1000 + number % 5) for number in range(72)]
    found = measure([*before, *after], CHANGE, WEEK, at(147))
    assert found.impact
    assert found.impact.attribution
    assert found.impact.interval
    assert 0.5 == pytest.approx(found.impact.attribution.price, abs=0.01)
    assert 0.0 == pytest.approx(found.impact.attribution.change, abs=0.01)
    assert found.impact.interval.low <= 0.0 <= found.impact.interval.high
    assert found.saved_per_hour is not None
    assert abs(found.saved_per_hour.micros) < 100_000, "the change saved nothing"


def test_what_was_read_of_the_baseline_once_counts_when_less_of_it_is_kept() -> None:
    frozen = Span(
        since=at(-96),
        until=at(72),
        hours=168,
        totals=Window(
            total_cost=Money.parse("672"),
            requests=Fraction(168_000),
            prompt_tokens=Fraction(168_000_000),
            output_tokens=Fraction(33_600_000),
        ),
    )
    found = measure([*BEFORE[48:], *AFTER], CHANGE, WEEK, at(147), frozen=frozen)
    assert found.baseline
    assert found.impact
    assert 168 == found.baseline.hours
    assert Fraction(1, 2) == found.impact.cost_reduction, "4 USD an hour before, 2 after"


def test_changes_within_a_day_are_measured_as_one_and_the_one_before_bounds_them() -> None:
    changes = [(at(10), at(11)), (at(40), at(41)), (at(60), at(62)), (at(72), at(75))]
    assert Change(began=at(40), ended=at(75), together=3, after=at(11)) == changes_apart(changes)[-1]
    assert () == changes_apart([])
    found = measure(BEFORE + AFTER, Change(began=at(40), ended=at(75), after=at(11)), WEEK, at(147))
    assert found.baseline
    assert at(11) == found.baseline.since


def test_without_a_change_the_latest_window_is_shown() -> None:
    found = latest_window(BEFORE, timedelta(hours=24), at(72.5))
    assert found.current
    assert (at(48), at(72)) == (found.current.since, found.current.until)
    assert "nothing was changed yet" == found.reason
    assert "no hour is known yet" in latest_window([], WEEK, at(1)).reason


@pytest.mark.parametrize(
    ("spare", "left"),
    [({}, "6.00"), ({H100: (1, "4.00")}, "2.00"), ({H100: (8, "4.00")}, "0.00"), ({L40S: (8, "1.00")}, "6.00")],
)
def test_what_stands_idle_is_not_realised(spare: dict[Offering, tuple[int, str]], left: str) -> None:
    idle = {offering: (count, Money.parse(price)) for offering, (count, price) in spare.items()}
    assert Money.parse(left) == realised(Money.parse("6.00"), {H100: 2.0}, idle)


def test_what_got_dearer_is_realised_whatever_is_idle() -> None:
    assert -Money.parse("1.00") == realised(-Money.parse("1.00"), {H100: 2.0}, {H100: (8, Money.parse("4.00"))})
