"""``plan --diff``: what a merge request changes, and why.

Covered: new prices, new hardware, more traffic, policies that come and go, what can no longer be planned.
Not covered: the plans themselves (tests/unit/planning).
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import policy_document, price_book_document
from costpolicy.cli.main import main

CHAT = {"hardware": {"accelerators": ["nvidia-h100-80gb", "nvidia-l40s"]}}
L40S = {
    "accelerator": "nvidia-l40s",
    "capacityType": "OnDemand",
    "hourly": "1.86",
    "source": "a test",
    "effectiveFrom": "2026-01-01",
}


def prices(**hourly: str) -> dict[str, Any]:
    offerings = [
        {**L40S, "accelerator": f"nvidia-{name.replace('_', '-')}", "hourly": amount} for name, amount in hourly.items()
    ]
    return price_book_document(offerings=offerings)


@pytest.fixture
def compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def run(
        before: list[dict[str, Any]], after: list[dict[str, Any]], *more: str
    ) -> tuple[int, dict[str, dict[str, Any]]]:
        for name, documents in (("before", before), ("after", after)):
            (tmp_path / name).write_text(yaml.safe_dump_all(documents))
        code = main(["plan", "-f", str(tmp_path / "after"), "--diff", str(tmp_path / "before"), "-o", "json", *more])
        rows = json.loads(capsys.readouterr().out)["changes"]
        return code, {row["policy"]: row for row in rows}

    return run


def test_a_lower_price_is_named_with_what_it_saves_a_month(compare):
    code, rows = compare(
        [policy_document(**CHAT), prices(h100_80gb="4.00", l40s="5.00")],
        [policy_document(**CHAT), prices(h100_80gb="3.00", l40s="5.00")],
    )

    row = rows["default/chat"]
    assert code == 0
    assert (row["costPerHourChange"], row["costPerMonthChange"]) == ("-1.00", "-730.00")
    assert row["reasons"] == ["nvidia-h100-80gb OnDemand: 4.00 -> 3.00 an hour"]


def test_new_prices_alone_are_asked_of_the_same_policies(compare):
    _, rows = compare(
        [prices(h100_80gb="4.00", l40s="5.00")], [policy_document(**CHAT), prices(h100_80gb="4.00", l40s="2.00")]
    )

    row = rows["default/chat"]
    assert "nvidia-h100-80gb" in row["before"]
    assert "nvidia-l40s" in row["after"]
    assert row["reasons"] == ["nvidia-l40s OnDemand: 5.00 -> 2.00 an hour"]


def test_traffic_that_grew_is_the_reason_for_more_replicas(compare):
    book = prices(l40s="2.00")
    few, many = ({**CHAT, "traffic": {"requestsPerSecond": rate}} for rate in (1, 20))
    _, rows = compare([policy_document(**few), book], [policy_document(**many), book])

    assert rows["default/chat"]["costPerHourChange"].startswith("+")
    assert rows["default/chat"]["reasons"] == ["spec.traffic changed"]


def test_policies_that_come_and_go_cost_and_save_all_they_cost(compare):
    book = prices(h100_80gb="4.00", l40s="9.00")
    old, new = policy_document("old", **CHAT), policy_document("new", **CHAT)
    _, rows = compare([old, book], [new, book])

    assert (rows["default/new"]["costPerHourChange"], rows["default/new"]["reasons"]) == (
        "+4.00",
        ["the policy is new"],
    )
    assert (rows["default/old"]["costPerHourChange"], rows["default/old"]["reasons"]) == (
        "-4.00",
        ["the policy is gone"],
    )


def test_what_can_no_longer_be_planned_is_no_and_says_why(compare):
    book = prices(h100_80gb="4.00")
    hopeless = policy_document(**CHAT, objectives={"ttft": {"p95": "1ms"}})
    code, rows = compare([policy_document(**CHAT), book], [hopeless, book])

    row = rows["default/chat"]
    assert code == 1
    assert row["after"] == "no plan: ObjectiveUnreachable"
    assert row["costPerMonthChange"] is None
    assert "spec.objectives changed" in row["reasons"]
    assert "is out of reach" in row["reasons"][-1]
