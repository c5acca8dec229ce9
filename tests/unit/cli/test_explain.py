"""``costpolicy explain``: one policy in full.

Covered: every section, what is not known, several namespaces, wrong names, markup in texts.  Not covered: a cluster
(tests/integration/kube/test_reader.py).
"""

import io
import json
from typing import Any

import pytest
import yaml

from builders import plan_status, policy_document
from costpolicy.cli.console import Console
from costpolicy.cli.main import main

PLAN = plan_status()
STATUS: dict[str, Any] = {
    "current": PLAN,
    "target": {**PLAN, "costPerMillionTokens": "0.42"},
    "recommended": {**PLAN, "replicas": 1, "weights": "fp8", "costPerHour": "2.50"},
    "whyNotCheaper": "TTFT of 800ms binds: at 1s it would cost 2.50 less an hour",
    "variants": [
        {
            "hash": "0123456789",
            "templateRevision": 3,
            "image": "vllm",
            "replicas": 2,
            "readyReplicas": 1,
            "role": "Stable",
        }
    ],
    "observed": {"ttftP95Seconds": 0.61},
    "spending": {
        "month": "2026-11",
        "spent": "812.50",
        "until": "2026-11-20T10:00:00Z",
        "gap": "2h",
        "currency": "USD",
        "forecast": "3600.00",
    },
    "conditions": [
        {"type": "Ready", "status": "True", "reason": "Serving", "message": "at least 1 replica(s) ready"},
        {"type": "WithinBudget", "status": "False", "reason": "OverBudget", "message": "[red]dear[/red]"},
    ],
    "history": [
        {
            "at": "2026-11-09T14:00:00Z",
            "change": "a cheaper plan",
            "before": "3 of them",
            "after": "2 of them",
            "undo": "edit spec",
        }
    ],
}


def explain(*arguments: str, status: dict[str, Any] | None = STATUS, **spec: Any) -> tuple[int, str, str]:
    document = policy_document("chat", objectives={"ttft": {"p95": "800ms"}}, **spec)
    if status is not None:
        document["status"] = status
    other = policy_document("chat")
    other["metadata"] = {**other["metadata"], "namespace": "other"}
    text = yaml.safe_dump_all([document, other])
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO(text))
    code = main(("explain", "-f", "-", *arguments), console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


def test_every_question_has_its_answer():
    code, out, _ = explain("default/chat", budget={"monthly": "3000"})

    assert 0 == code
    for told in (
        "2 nvidia-h100-80gb OnDemand, bf16 weights",
        "800 ms    610 ms    not known",
        "5.00 USD an hour, 3650.00 USD a month",
        "0.42 USD per million tokens",
        "2026-11: 812.50 USD spent until 2026-11-20T10:00:00Z; of 2h the cost is not known",
        "Budget 3000 USD a month, forecast 3600.00",
        "TTFT of 800ms binds",
        "Recommended: 1 nvidia-h100-80gb OnDemand, fp8 weights, which saves 1825.00 USD a month",
        "Since 9 November 2026, default/chat runs on 2 of them instead of 3 of them",
        "What it saved was not measured.",
        "To undo it: edit spec.",
        "Not known yet: the status has no playbook.",
    ):
        assert " ".join(told.split()) in " ".join(out.split()), told


def test_text_of_others_is_no_markup():
    assert "[red]dear[/red]" in explain("default/chat")[1]


def test_the_answer_as_json_has_the_same_facts():
    code, out, _ = explain("default/chat", "-o", "json")
    found = json.loads(out)

    assert 0 == code
    assert "3650.00" == found["cost"]["perMonth"]
    assert "1825.00" == found["cheaper"]["recommendedSavesPerMonth"]
    assert [{"what": "time to first token", "promised": 0.8, "observed": 0.61, "predicted": None}] == found["latencies"]
    assert [] == found["playbook"]


def test_a_playbook_is_shown_row_by_row():
    rows = [
        {"technique": "quantization", "state": "Recommended", "savesPerMonth": "1825.00", "reason": "no gate"},
        {"technique": "smartRouting", "state": "Unknown"},
    ]
    out = explain("default/chat", status={**STATUS, "playbook": rows})[1]

    assert "Recommended  1825.00" in out
    assert "Unknown      not known" in out


def test_a_policy_that_nobody_answered_says_so():
    assert "The operator has not answered yet." in explain("default/chat", status=None)[1]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("chat", "chat is in several namespaces: write one of default/chat, other/chat"),
        ("docs", "no CostPolicy docs was found; there are: default/chat, other/chat"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_ones(name: str, says: str):
    code, _, err = explain(name)

    assert (2, f"costpolicy: {says}\n") == (code, err)
