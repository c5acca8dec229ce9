"""What the operator exports of each policy's status.  Not covered: that alerts read it (tests/contract/observe)."""

from datetime import UTC, datetime

from builders import policy, policy_document
from costpolicy.api.policy import CostPolicy
from costpolicy.kube.parsing import parse_policy
from costpolicy.observe.exported import (
    BUDGET,
    MONTH_FORECAST,
    MONTH_SPENT,
    OBJECTIVE,
    SAVED_PER_HOUR,
    UNMET_CONDITION,
)
from costpolicy.reconcile.policy_exports import policy_series

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AT = "2026-11-20T10:00:00Z"
SPENDING = {
    "month": "2026-11",
    "spent": "100.00",
    "until": AT,
    "costPerHour": "2.50",
    "currency": "EUR",
    "forecast": "750.00",
}


def stored(status: dict[str, object], **spec: object) -> CostPolicy:
    found = parse_policy({**policy_document("chat", **spec), "status": status})
    assert isinstance(found, CostPolicy)
    return found


def condition(kind: str, status: str, reason: str) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "lastTransitionTime": AT}


def test_only_promises_that_are_not_kept_are_exported_with_their_reason():
    conditions = [
        condition("Ready", "False", "WaitingForReplicas"),
        condition("ObjectivesMet", "False", "ObjectiveMissed"),
        condition("WithinBudget", "True", "WithinBudget"),
        condition("MetricsAvailable", "Unknown", "NoTraffic"),
    ]

    assert {("default", "chat", "ObjectivesMet", "ObjectiveMissed"): 1.0} == policy_series(
        [stored({"conditions": conditions})], NOW
    )[UNMET_CONDITION]


def test_the_month_is_counted_on_until_now():
    series = policy_series([stored({"spending": SPENDING}, budget={"monthly": "700", "hourly": "3"})], NOW)

    assert {("default", "chat", "EUR"): 105.0} == series[MONTH_SPENT]
    assert {("default", "chat", "EUR"): 750.0} == series[MONTH_FORECAST]
    assert {("default", "chat", "EUR", "month"): 700.0, ("default", "chat", "EUR", "hour"): 3.0} == series[BUDGET]


def test_a_month_that_is_over_is_not_told_as_this_one():
    assert {} == policy_series([stored({"spending": {**SPENDING, "month": "2026-10"}})], NOW)[MONTH_SPENT]


def test_a_month_whose_rate_is_unknown_costs_what_is_known_of_it():
    spending = {name: value for name, value in SPENDING.items() if name != "costPerHour"}

    assert {("default", "chat", "EUR"): 100.0} == policy_series([stored({"spending": spending})], NOW)[MONTH_SPENT]


def test_savings_are_told_allocated_and_realised_apart_and_losses_as_such():
    measured = {"changedAt": AT, "savedPerHour": "-1.25", "realisedPerHour": "0.00"}

    assert {
        ("default", "chat", "EUR", "allocated"): -1.25,
        ("default", "chat", "EUR", "realised"): 0.0,
    } == policy_series([stored({"measurement": measured, "spending": SPENDING})], NOW)[SAVED_PER_HOUR]


def test_a_policy_without_an_answer_exports_what_it_promises_and_no_figure():
    series = policy_series([policy(objectives={"ttft": {"p95": "800ms"}})], NOW)

    assert {("default", "chat", "ttft"): 0.8} == series[OBJECTIVE]
    assert [OBJECTIVE] == [gauge for gauge, found in series.items() if found]
