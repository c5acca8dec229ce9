"""Conditions: merging, kstatus, documented reasons.  Not covered: which reason is given when (reconcile)."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from costpolicy.api.conditions import (
    CONDITIONS,
    REASONS,
    Condition,
    ConditionType,
    Reason,
    condition,
    find,
    kstatus,
    merge_conditions,
)
from costpolicy.api.reference import conditions_page, main

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=7)


def ready(status: bool | None, reason: Reason = Reason.SERVING, message: str = "") -> Condition:
    return condition(ConditionType.READY, status, reason, message, generation=3)


def test_the_transition_time_moves_only_with_the_status():
    first = merge_conditions((), (ready(True),), NOON)
    same = merge_conditions(first, (ready(True, Reason.SCHEDULED_TO_ZERO, "night"),), LATER)
    other = merge_conditions(same, (ready(False, Reason.WAITING_FOR_REPLICAS),), LATER)

    assert same[0].last_transition_time == NOON
    assert (same[0].reason, same[0].message) == ("ScheduledToZero", "night")
    assert other[0].last_transition_time == LATER


def test_merged_conditions_have_one_order_and_forget_what_is_not_renewed():
    stalled = condition(ConditionType.STALLED, True, Reason.UNKNOWN_MODEL)
    budget = condition(ConditionType.WITHIN_BUDGET, None, Reason.NO_BUDGET)

    merged = merge_conditions((stalled,), (budget, ready(True)), NOON)

    assert [item.type for item in merged] == ["Ready", "WithinBudget"]
    assert merged == merge_conditions(merged, (ready(True), budget), LATER)
    assert find(merged, ConditionType.STALLED) is None


def test_a_long_message_is_cut_and_never_refused():
    merged = ready(False, message="x" * 5000)

    assert len(merged.message.encode()) == 400
    assert merged.message.endswith("…")


def test_a_reason_of_a_newer_operator_can_be_read():
    stored = {"type": "Shiny", "status": "True", "reason": "BrandNew", "message": "", "extra": 1}

    assert Condition.model_validate(stored).reason == "BrandNew"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"metadata": {"generation": 1}}, "Current"),
        ({"metadata": {"generation": 2}, "status": {"observedGeneration": 1}}, "InProgress"),
        ({"metadata": {"generation": 1, "deletionTimestamp": "2026-11-22T12:00:00Z"}}, "Terminating"),
        ({"metadata": {}, "status": {"conditions": [{"type": "Stalled", "status": "True"}]}}, "Failed"),
        (
            {"metadata": {}, "status": {"conditions": [{"type": "Reconciling", "status": "True"}]}},
            "InProgress",
        ),
        ({"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}, "InProgress"),
        ({"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, "InProgress"),
        (
            {
                "metadata": {"generation": 4},
                "status": {
                    "observedGeneration": 4,
                    "conditions": [
                        {"type": "Ready", "status": "True"},
                        {"type": "Reconciling", "status": "False"},
                        {"type": "RolloutInProgress", "status": "True"},
                        {"type": "WithinBudget", "status": "False"},
                        {"type": "ObjectivesMet", "status": "False"},
                    ],
                },
            },
            "Current",
        ),
    ],
)
def test_kstatus_reads_a_resource_as_published(document: dict[str, object], expected: str):
    assert expected == kstatus(document)


def test_every_reason_and_condition_is_documented_in_a_sentence():
    assert set(Reason) == set(REASONS)
    assert set(ConditionType) == set(CONDITIONS)
    assert [reason for reason, text in REASONS.items() if not text.endswith((".", "?"))] == []


def test_reasons_have_the_shape_that_the_schema_asks_for():
    assert all(re.fullmatch(r"[A-Z][A-Za-z]{2,63}", reason) for reason in Reason)


def test_the_page_names_each_reason_once_and_can_be_checked(tmp_path: Path):
    page = tmp_path / "reference" / "conditions.md"

    assert main(["--write", str(page)]) == 0
    assert main(["--check", str(page)]) == 0
    reasons = conditions_page().split("## Reasons")[1]
    assert all(reasons.count(f"| `{reason}` | {REASONS[reason]} |") == 1 for reason in Reason)

    page.write_text(page.read_text() + "\n")
    assert main(["--check", str(page)]) == 1
