"""The monthly review as data, JSON, CSV and page.

Covered: sums, order, what is not known, currencies, policies that are gone, texts of others.  Not covered: how it looks
(tests/browser), that Prometheus answers as assumed (tests/contract/observe/test_review.py).
"""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest

from costpolicy.observe.review import Review
from costpolicy.reporting.composing import statement
from costpolicy.reporting.page import page
from costpolicy.reporting.statement import Bill, Statement
from costpolicy.reporting.statement_json import drivers_csv, statement_json
from costpolicy.units import ZERO, Money
from reviews import HOSTILE, NOW, SINCE, change, fleet, measured, recorded, spending, status, stored


def month(prometheus: bool = True) -> Statement:
    policies = fleet()
    return statement(policies, recorded(policies) if prometheus else None, SINCE, NOW)


def only(review: Statement) -> Bill:
    [bill] = review.bills
    return bill


@pytest.mark.parametrize("prometheus", [True, False])
def test_the_total_is_what_every_policy_cost_and_the_dearest_is_first(prometheus: bool):
    bill = only(month(prometheus))

    expected = "6900.40 4012.77 2160.00 1055.31 430.10 401.00 120.50 0.00"
    costs = [driver.cost for driver in bill.drivers]
    assert [Money.parse(text) for text in expected.split()] == [
        cost if not prometheus else Money(round(cost.micros, -3)) for cost in costs
    ]
    assert bill.total == Money(sum(cost.micros for cost in costs))


def test_features_sum_up_to_the_bill_and_what_no_router_saw_is_said():
    bill = only(month())

    assert ["search", "chat", "other", "unattributed"] == list(bill.features)
    assert bill.total == Money(sum(cost.micros for cost in bill.features.values()))
    routed = Money.parse("6900.40") + Money.parse("4012.77")
    assert routed.scaled(40, 100) == Money(round(bill.features["search"].micros, -3))
    told = page(month())
    assert "Cost by feature" in told
    assert "Unattributed is what names no feature" in told


def test_tokens_that_were_bought_are_a_driver_and_have_features():
    policies = fleet()
    bought = {
        ("team-a", "help/large"): {
            "USD": {date(2026, 11, 3): Money.parse("90.10"), date(2026, 11, 4): Money.parse("9.90")}
        }
    }
    month = recorded(policies)
    month = replace(
        month,
        days={**month.days, **bought},
        features={**month.features, ("team-a", "help/large"): {"USD": {"search": Money.parse("100.00")}}},
    )
    before, bill = (
        only(statement(policies, recorded(policies), SINCE, NOW)),
        only(statement(policies, month, SINCE, NOW)),
    )

    [driver] = [one for one in bill.drivers if one.policy == "team-a/help/large"]
    assert ("tokens that another provider served", Money.parse("100.00")) == (driver.runs, driver.cost)
    assert (None, None) == (driver.per_hour, driver.forecast)
    assert before.features["search"] + Money.parse("100.00") == bill.features["search"]
    assert bill.total == Money(sum(cost.micros for cost in bill.features.values()))


def test_without_a_router_features_are_not_known_and_no_zero_is_shown():
    policies = fleet()
    review = statement(policies, replace(recorded(policies), features={}), SINCE, NOW)

    assert ["unattributed"] == list(only(review).features)
    assert "Not known: features are told apart by routers" in page(review)
    assert {} == only(month(prometheus=False)).features


@pytest.mark.parametrize("shown", [1, 3, 7, 8, 20])
def test_what_is_not_shown_is_in_the_rest_and_nothing_is_lost(shown: int):
    bill = only(month())
    first, rest = bill.largest(shown)

    parts = [driver.cost.micros for driver in (*first, *([rest] if rest else []))]
    assert bill.total.micros == sum(parts)
    assert len(bill.drivers) == len(first) + (rest.policies if rest else 0)


def test_without_prometheus_days_and_requests_are_missing_and_not_zero():
    review = month(prometheus=False)
    bill = only(review)

    assert {} == bill.days
    assert {None} == {driver.requests for driver in bill.drivers}
    assert any("Without --prometheus" in text for text in review.missing)
    assert "Not known: by day, costs are read from Prometheus" in page(review)


def test_hours_that_nobody_saw_and_hours_without_a_price_are_named():
    told = " ".join(month().missing)

    assert "Of 2 of 567 hours it is not known what was held" in told
    assert "held accelerators without a price, which are in no sum: team-c/nightly" in told
    assert "1 policy the operator has not answered yet" in told


def test_a_policy_that_is_gone_is_still_on_the_bill():
    policies = fleet()
    review = statement(policies[1:], recorded(policies), SINCE, NOW)
    bill = only(review)

    assert ("team-a/assistant", "is not there any more") == (bill.drivers[0].policy, bill.drivers[0].runs)
    assert only(month()).total == bill.total


def test_the_forecast_is_the_operators_own_or_what_the_present_rate_leads_to():
    forecasts = {driver.policy: driver.forecast for driver in only(month()).drivers}

    assert Money.parse("9120.00") == forecasts["team-a/assistant"]
    left = datetime(2026, 12, 1, tzinfo=UTC) - NOW
    assert forecasts["team-c/translate"] == Money.parse("430.10") + Money.parse("0.80").scaled(
        left.seconds + left.days * 86400, 3600
    )
    assert forecasts["team-c/new"] is None


def test_amounts_of_two_currencies_are_two_bills():
    euros = stored("euros", status={"spending": {**spending("1.00", "10.00"), "currency": "EUR"}})
    review = statement([*fleet(), euros], None, SINCE, NOW)

    assert {"USD": Money.parse("15080.08"), "EUR": Money.parse("10.00")} == {
        bill.currency: bill.total for bill in review.bills
    }


def test_changes_that_saved_most_come_first_and_those_of_other_months_do_not():
    old = stored("old", status=status("1.00", "1.00", history=[change("2026-10-31T23:59:00Z")]))
    review = statement([*fleet(), old], None, SINCE, NOW)

    assert ["team-a/assistant", "team-a/search", "team-b/summaries"] == [made.policy for made in review.changes]
    assert [Money.parse("5051.60"), -Money.parse("445.30"), None] == [made.saved_per_month for made in review.changes]


def test_only_the_last_change_has_the_figures_that_were_measured():
    at = "2026-11-09T09:40:00Z"
    earlier = change("2026-11-03T00:00:00Z", "cost per request -10.0%")
    policy = stored("chat", status=status("1.00", "1.00", history=[change(at), earlier], measurement=measured(at)))
    last, first = statement([policy], None, SINCE, NOW).changes

    assert last.measured is not None
    assert first.measured is None
    assert "cost per request -10.0%" in first.paragraph


def test_a_month_that_is_over_is_not_told_by_status():
    review = statement(fleet(), None, datetime(2026, 10, 1, tzinfo=UTC), NOW)

    assert ZERO == only(review).total
    assert any("give --prometheus to review an earlier one" in text for text in review.missing)


def test_the_playbook_shows_what_can_be_done_first_or_says_that_there_is_none():
    rows = [one.row.technique for one in month().advice]

    assert ["quantization", "maxTokensAudit", "prefixCaching", "smartRouting", "customKernels"] == rows
    assert "Not yet known: no policy's status has a playbook" in page(statement([stored("new")], None, SINCE, NOW))


class Seen(HTMLParser):
    """Every tag and attribute of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attributes if name in {"src", "href", "action", "srcset"}]
        assert not any(name.startswith("on") for name, _ in attributes)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_texts_of_others_are_text_and_the_page_asks_nobody_for_anything():
    at = "2026-11-09T09:40:00Z"
    row = {"technique": "quantization", "state": "Unknown", "reason": HOSTILE}
    told = change(at, before=HOSTILE, after=HOSTILE, proof=HOSTILE, undo=HOSTILE, change=HOSTILE)
    waiting = {"changedAt": at, "reason": HOSTILE}
    policy = stored("chat", status=status("1.00", "1.00", history=[told], measurement=waiting, playbook=[row]))
    seen = Seen()
    text = page(statement([policy], None, SINCE, NOW))
    seen.feed(text)

    assert "script" not in seen.tags
    assert [] == seen.addresses
    assert seen.text.count("document.title='taken'") >= 4
    assert "url(" not in text


def test_nothing_at_all_is_a_page_as_well():
    assert "There is no policy, and no cost." in page(statement([], None, SINCE, NOW))


def test_json_and_csv_carry_the_same_costs():
    review = month()
    bill = statement_json(review)["bills"][0]
    rows = list(csv.DictReader(io.StringIO(drivers_csv(review))))

    assert [driver["cost"] for driver in bill["drivers"]] == [row["cost"] for row in rows]
    assert bill["total"] == Money(sum(Money.read(row["cost"]).micros for row in rows)).text()
    assert (
        bill["drivers"][0]["days"]["2026-11-01"]
        == recorded(fleet()).days["team-a", "assistant"]["USD"][date(2026, 11, 1)].text()
    )
    assert None is bill["drivers"][-1]["requests"]


def test_a_month_of_which_nothing_is_recorded_has_no_days():
    nothing = Review(since=SINCE, until=NOW, days={}, served={}, known_hours=0, unpriced={})
    review = statement(fleet(), replace(nothing, known_hours=0), SINCE, NOW)

    assert ZERO == only(review).total
    assert "Of 567 of 567 hours it is not known what was held" in " ".join(review.missing)
