"""Prices of tiers: the example that the product is measured by, and what is said about wrong tiers.

Not covered: which prompts a tier gets (test_calibration.py).
"""

from fractions import Fraction
from typing import Any

import pytest

from costpolicy.routing.tiers import TierError, blended, parse_tiers, saving_against
from costpolicy.units import Money

SMALL = {"name": "small", "perMillionTokens": "0.25", "complexityBelow": "0.3", "share": "60%"}
MIDDLE = {"name": "middle", "perMillionTokens": "3", "complexityBelow": "0.7", "share": "30%"}
LARGE = {"name": "large", "perMillionTokens": "15", "share": "10%"}


def test_60_30_10_percent_at_a_quarter_3_and_15_dollars_are_2_55_and_15_percent_below_3():
    tiers = parse_tiers({"tiers": [SMALL, MIDDLE, LARGE]})

    assert Money.parse("2.55") == blended(tiers)
    assert [Fraction(-92, 10), Fraction(15, 100), Fraction(83, 100)] == [saving_against(tiers, tier) for tier in tiers]


def test_nothing_is_saved_against_a_tier_that_costs_nothing():
    free = parse_tiers([{**SMALL, "perMillionTokens": "0", "share": "90%"}, LARGE])

    assert saving_against(free, free[0]) is None


@pytest.mark.parametrize(
    ("tiers", "said"),
    [
        ({}, "write two or more tiers"),
        ([LARGE], "write two or more tiers"),
        ([SMALL, "large"], "tier 2: write a name"),
        (
            [{**MIDDLE, "share": "60%"}, {**SMALL, "share": "30%"}, LARGE],
            "tier small: complexityBelow is 0.3 and must be more",
        ),
        ([SMALL, {**MIDDLE, "complexityBelow": "0.3"}, LARGE], "tier middle: complexityBelow is 0.3 and must be more"),
        ([SMALL, {**LARGE, "complexityBelow": "0.9"}], "tier large: the last tier has all the rest"),
        ([{**LARGE, "share": "60%"}, {**SMALL, "share": "40%"}], "tier large: complexityBelow is missing"),
        ([SMALL, {"name": "large", "share": "40%"}], "tier large: perMillionTokens is missing"),
        ([SMALL, {**LARGE, "perMillionTokens": "-1"}], "tier large: '-1' is not an amount of money"),
        ([SMALL, {**LARGE, "share": "60%"}], "shares sum to 120.00%"),
        ([{**SMALL, "price": 1}, LARGE], "tier small: price is unknown"),
        ([SMALL, {**LARGE, "name": "small", "share": "40%"}], "two tiers have the same name"),
        ([SMALL, {"name": "large", "perMillionTokens": "1"}], "tier large: 'None' is not a share"),
    ],
)
def test_wrong_tiers_are_told_with_the_fix(tiers: Any, said: str):
    with pytest.raises(TierError) as raised:
        parse_tiers(tiers)

    assert said in str(raised.value)
