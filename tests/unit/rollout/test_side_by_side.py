"""The direct comparison of two arms in money.  Not covered: where the figures come from (tests/scenarios/test_canary.py)."""

import pytest

from costpolicy.rollout.side_by_side import ArmCost, dearer, told
from costpolicy.units import Money


def arm(hourly: str, tokens: float, load: float = 0.5) -> ArmCost:
    return ArmCost(cost_per_hour=Money.parse(hourly), tokens_per_second=tokens, load=load)


def test_a_million_tokens_at_a_thousand_a_second_cost_what_a_thousand_seconds_cost():
    assert Money.parse("1.00") == arm("3.60", 1000.0).per_million_tokens


def test_both_are_told():
    assert "0.50 against 1.00 USD per million tokens" == told(arm("1.80", 1000.0), arm("3.60", 1000.0), "USD")


@pytest.mark.parametrize(("new", "old"), [(None, arm("1", 1)), (arm("1", 1), None), (arm("1", 0), arm("1", 1))])
def test_what_is_not_known_is_not_told_and_not_held_against_it(new: ArmCost | None, old: ArmCost | None):
    assert "" == told(new, old, "USD")
    assert not dearer(new, old)


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        pytest.param(arm("4.40", 1000.0), True, id="clearly dearer and as busy"),
        pytest.param(arm("4.40", 1000.0, load=0.8), True, id="clearly dearer and busier"),
        pytest.param(arm("4.40", 1000.0, load=0.2), False, id="dearer, with little to do for its size"),
        pytest.param(arm("4.20", 1000.0), False, id="dearer by less than rates scatter"),
        pytest.param(arm("1.80", 1000.0), False, id="cheaper"),
    ],
)
def test_it_is_dearer_only_where_that_cannot_be_a_matter_of_load(new: ArmCost, expected: bool):
    assert expected == dearer(new, arm("3.60", 1000.0))


def test_scale_of_the_currency_does_not_matter():
    new, old = arm("4.40", 1000.0), arm("3.60", 1000.0)
    thousand = [
        ArmCost(cost_per_hour=each.cost_per_hour * 1000, tokens_per_second=1000.0, load=0.5) for each in (new, old)
    ]

    assert dearer(new, old) == dearer(*thousand)
