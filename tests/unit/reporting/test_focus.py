"""The cost export: rows that sum to the charges, and what FOCUS 1.2 asks of a dataset.

The rules are those of the specification's text (tests/data/focus).  Covered: columns, order, types, formats, nulls, allowed values,
and the conditions that bind charges of usage.  Not covered: its optional schema metadata, a validator of somebody else.
"""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from costpolicy.observe.billing import Charge
from costpolicy.reporting.focus import COLUMNS, Payer, focus_rows
from costpolicy.reporting.rows import Period, as_csv, plain, rows
from costpolicy.units import Money

SPECIFICATION = Path(__file__).parents[2] / "data" / "focus"
RULES = {row["column"]: row for row in csv.DictReader((SPECIFICATION / "columns-1.2.csv").read_text().splitlines())}
ALLOWED: dict[str, list[str]] = json.loads((SPECIFICATION / "allowed-values-1.2.json").read_text())
PAYER = Payer(account="prod-eu", provider="Example Cloud")
END_OF_MONTH = datetime(2026, 11, 30, 22, tzinfo=UTC)


def charge(
    until: datetime, policy: str = "chat", capacity_type: str = "OnDemand", micros: int = 1_860_001, nanos: int = 10**9
) -> Charge:
    return Charge(
        until=until,
        namespace="team-a",
        policy=policy,
        accelerator="nvidia-l40s",
        capacity_type=capacity_type,
        currency="USD",
        cost=Money(micros),
        nanos=nanos,
    )


CHARGES = [
    charge(END_OF_MONTH + timedelta(hours=hour), policy, capacity_type, 1_860_001 + 7 * hour, 333_333_333 * (hour + 1))
    for hour in range(30)
    for policy, capacity_type in (("chat", "OnDemand"), ("chat", "Spot"), ("docs", "Reserved"))
]


def exported(period: Period = Period.HOUR) -> list[dict[str, str]]:
    """What a FinOps tool reads: an empty field is null."""
    return list(csv.DictReader(io.StringIO(as_csv(COLUMNS, focus_rows(rows(CHARGES, period), PAYER)))))


@pytest.mark.parametrize("period", Period)
def test_rows_sum_to_the_charges_exactly(period: Period):
    found = exported(period)

    assert Decimal(sum(each.cost.micros for each in CHARGES)) / 10**6 == sum(
        Decimal(row["BilledCost"]) for row in found
    )
    assert Decimal(sum(each.nanos for each in CHARGES)) / 10**9 == sum(Decimal(row["PricingQuantity"]) for row in found)


def test_every_mandatory_column_is_there_and_ours_come_last():
    mandatory = {name for name, rule in RULES.items() if rule["level"] == "Mandatory"}
    ours = [name for name in COLUMNS if name not in RULES]

    assert mandatory <= set(COLUMNS)
    assert ours == list(COLUMNS[-len(ours) :])
    assert all(re.fullmatch(r"x_[A-Z][A-Za-z0-9]+", name) for name in ours)
    assert len(set(COLUMNS)) == len(COLUMNS)


@pytest.mark.parametrize("column", [name for name in COLUMNS if name in RULES])
@pytest.mark.parametrize("period", Period)
def test_every_value_has_the_type_the_format_and_the_nulls_that_its_column_allows(column: str, period: Period):
    rule = RULES[column]
    for row in exported(period):
        value = row[column]
        if not value:
            assert rule["nullable"] == "True", f"{column} is null"
            continue
        assert value.strip() == value
        if rule["type"] == "Decimal":
            assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value)
        if rule["type"] == "Date/Time":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value)
        if rule["format"] == "Currency Format":
            assert re.fullmatch(r"[A-Z]{3}", value)
        if rule["format"].startswith("Unit Format"):
            assert re.fullmatch(r"[A-Za-z]+-(Hours|Days|Minutes|Seconds)", value)


def test_values_that_the_specification_lists_are_among_those():
    for row in exported():
        for column in set(ALLOWED) & set(COLUMNS) - {"ServiceSubcategory"}:
            assert not row[column] or row[column] in ALLOWED[column]
        assert f"{row['ServiceCategory']}/{row['ServiceSubcategory']}" in ALLOWED["ServiceSubcategory"]


def test_what_is_asked_of_charges_of_usage_holds():
    for row in exported():
        assert ("Usage", "") == (row["ChargeCategory"], row["ChargeClass"])
        needed = (
            "PricingQuantity",
            "PricingUnit",
            "PricingCategory",
            "SkuId",
            "SkuPriceId",
            "ConsumedQuantity",
            "ConsumedUnit",
        )
        assert all(row[column] for column in needed)
        # Without unit prices, costs that are calculated from no other charge are what is billed.
        assert {row["BilledCost"]} == {row["ContractedCost"], row["ListCost"], row["EffectiveCost"]}
        assert row["ResourceId"] != row["ResourceName"]
        assert (row["SubAccountId"], row["SubAccountName"]) == ("team-a", "team-a")


@pytest.mark.parametrize("period", Period)
def test_a_charge_lies_within_its_month_and_periods_do_not_overlap(period: Period):
    seen: set[tuple[str, str, str]] = set()
    for row in exported(period):
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]
        place = (row["ResourceId"], row["SkuPriceId"], row["ChargePeriodStart"])
        assert place not in seen
        seen.add(place)


def test_one_price_of_a_sku_belongs_to_one_sku_whatever_the_category():
    parents: dict[str, set[str]] = {}
    for row in exported():
        parents.setdefault(row["SkuPriceId"], set()).add(row["SkuId"])

    assert all(len(found) == 1 for found in parents.values())
    assert {"Standard", "Dynamic"} == {row["PricingCategory"] for row in exported()}


def test_plain_rows_have_the_same_costs():
    found = plain(rows(CHARGES, Period.DAY))

    assert Decimal(sum(each.cost.micros for each in CHARGES)) / 10**6 == sum(Decimal(row["cost"]) for row in found)
    assert {"2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"} >= {row["since"] for row in found}


def test_nothing_is_a_header_alone():
    assert ",".join(COLUMNS) + "\n" == as_csv(COLUMNS, focus_rows((), PAYER))
