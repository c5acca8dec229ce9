"""``costpolicy playbook``: what stands in a policy's status.

Covered: policies of a file, one policy, forms of the answer, wrong input.  Not covered: a cluster
(tests/integration/kube/test_reader.py), how rows come about (tests/unit/savings/playbook).
"""

import io
import json
from pathlib import Path

import pytest
import yaml

from builders import plan_status, policy_document
from costpolicy.cli.console import Console
from costpolicy.cli.main import main

ROWS = [
    {
        "technique": "quantization",
        "effort": "medium",
        "state": "Recommended",
        "savesPerMonth": "1825.00",
        "reason": "fp8 weights would be cheaper",
    },
    {"technique": "smart-routing", "effort": "medium", "state": "Unknown", "reason": "needs a cheaper tier"},
]


@pytest.fixture
def policies(tmp_path: Path) -> str:
    status = {"target": plan_status(), "playbook": ROWS, "playbookSavesPerMonth": "1825.00"}
    file = tmp_path / "policies.yaml"
    file.write_text(yaml.safe_dump_all([{**policy_document("chat"), "status": status}, policy_document("young")]))
    return str(file)


def run(*arguments: str) -> tuple[int, str, str]:
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO())
    code = main(("playbook", *arguments), console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


def test_the_rows_are_those_of_the_status_with_what_they_save_together(policies: str):
    code, out, _ = run("-f", policies, "-o", "json")
    chat, young = json.loads(out)["playbooks"]

    assert 0 == code
    assert ROWS == [{key: value for key, value in row.items() if value is not None} for row in chat["rows"]]
    assert ("1825.00", "USD") == (chat["savesPerMonthTogether"], chat["currency"])
    assert [] == young["rows"]


def test_the_table_says_what_to_do_first_and_that_rows_do_not_add_up(policies: str):
    code, out, _ = run("chat", "-f", policies)

    assert 0 == code
    assert out.index("quantization") < out.index("smart-routing")
    assert "at once: 1825.00 USD a month" in out
    assert "young" not in out


def test_a_policy_without_a_playbook_says_so(policies: str):
    _, out, _ = run("young", "-f", policies)
    assert "the operator has not written a playbook yet" in out


def test_a_policy_that_is_not_there_is_wrong_input(policies: str):
    code, _, err = run("nobody", "-f", policies)

    assert 2 == code
    assert "there is no CostPolicy nobody" in err
