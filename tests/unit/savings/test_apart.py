"""Changes that overtook each other before one was measured, from the ledger's hours.

Covered: which changes belong together, their windows, each one's share, hours that are missing.
Not covered: the regression (test_overlapping.py), receipts (tests/scenarios/test_measured.py).
"""

from dataclasses import replace
from datetime import timedelta
from math import exp
from random import Random

import pytest

from costpolicy.savings.apart import told_apart
from costpolicy.savings.attribution import NotAttributable
from costpolicy.savings.changes import changes_apart
from costpolicy.savings.regression import Interval
from ledger_hours import H100, L40S, WEEK, Made, at, hour

CHANGES = changes_apart([(at(100), at(101)), (at(150), at(151))])


def held(number: int) -> Made:
    """Four H100, then two, then two L40S: 16, 8 and 2 an hour, give or take a per cent."""
    made = hour(number, {H100: 4} if number < 100 else {H100: 2} if number < 150 else {L40S: 2})
    share = exp(CHANCE.gauss(0.0, 0.01))
    return replace(
        made,
        costs={offering: cost.scaled(round(share * 10**6), 10**6) for offering, cost in made.costs.items()},
        accelerators={offering: share * count for offering, count in made.accelerators.items()},
    )


CHANCE = Random(1)
HOURS = [held(number) for number in range(320)]


def test_each_has_its_share_of_the_cost_before_it():
    found = told_apart(HOURS, CHANGES, WEEK)

    first, second = (found[change] for change in CHANGES)
    assert isinstance(first, Interval)
    assert isinstance(second, Interval)
    assert first.low == pytest.approx(0.5, abs=0.02)
    assert second.low == pytest.approx(0.75, abs=0.02)


def test_a_change_that_stands_alone_is_not_told_here():
    assert {} == told_apart(HOURS, CHANGES[:1], WEEK)
    assert {} == told_apart(HOURS, CHANGES, timedelta(hours=48))
    assert {} == told_apart(HOURS, (), WEEK)


def test_without_hours_before_the_first_nothing_is_told():
    assert {} == told_apart(HOURS[110:], CHANGES, WEEK)


def test_too_few_hours_between_them_are_a_reason():
    found = told_apart([*HOURS[:101], *HOURS[140:]], CHANGES, WEEK)

    assert all(isinstance(share, NotAttributable) for share in found.values())
