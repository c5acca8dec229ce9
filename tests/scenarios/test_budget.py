"""The end of a month on a budget: growth stops where the month would cost more, service does not, and another month begins.

Covered: what is spent against the replicas that really ran, the limit to growth, both months' conditions.
Not covered: the arithmetic (tests/unit/savings/test_month.py), each reason by itself (tests/unit/reconcile/test_budget.py).
"""

from datetime import UTC, datetime

import pytest

from costpolicy.simulation.traffic import Steps
from costpolicy.units import Money
from stories import HOUR, KEY, MINUTE, START, conditions, serving, totals

BUDGET, PRICE = Money.parse("1400.00"), Money.parse("1.86")
"""Four replicas for the eight days that are left of the month, one for a whole month."""
RISE = START + HOUR
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
QUIET = HOUR / 2
"""Steps so long that nothing is measured any more, and so nothing changes: the days between are not played out."""


@pytest.fixture(scope="module")
def november():
    made = serving(
        Steps(((START, 2.0), (RISE, 30.0))),
        hardware={"accelerators": ["nvidia-l40s"]},
        budget={"monthly": BUDGET.text(2), "currency": "USD"},
    )
    made.run(START + 3 * HOUR - made.clock.now())
    made.run(DECEMBER - HOUR - made.clock.now(), step=QUIET)
    made.run(DECEMBER - 2 * MINUTE - made.clock.now())
    return made


def test_growth_stops_at_what_the_month_has_left_and_the_month_costs_no_more(november):
    replicas, spent = totals(november), november.status(*KEY)["spending"]

    assert 4 == max(replicas.values()) == replicas[max(replicas)]
    assert "2026-11" == spent["month"]
    begun = datetime.fromisoformat(spent["until"])
    paid = Money.parse(spent["spent"]) + Money.parse(spent["costPerHour"]).scaled(
        int((DECEMBER - begun).total_seconds()), 3600
    )
    assert BUDGET - PRICE * 184 < paid <= BUDGET  # another replica since its first day would have been too much


def test_the_next_month_begins_with_its_own_budget_and_what_serves_stays(november):
    november.run(HOUR)
    ready = [moment.ready for moment in november.timeline if moment.at >= DECEMBER]

    assert "2026-12" == november.status(*KEY)["spending"]["month"]
    assert ("False", "ForecastExceedsBudget") == conditions(november)["WithinBudget"]
    assert ("True", "Serving") == conditions(november)["Ready"]
    assert 1 == totals(november)[max(totals(november))]  # what 1,400 pay for in a whole month
    assert min(ready) >= 1
