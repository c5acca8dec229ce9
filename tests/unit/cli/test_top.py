"""``costpolicy top``: what runs, what it costs, what comes.

Covered: policies of a file, forms of the answer, wrong input.  Not covered: a cluster (tests/integration/kube/test_reader.py).
"""

import io
import json
from pathlib import Path

import pytest
import yaml

from builders import plan_status, policy_document
from costpolicy.cli.console import Console
from costpolicy.cli.main import main

PLAN = plan_status(acceleratorsPerReplica=2, tensorParallelSize=2, replicas=3, costPerHour="15.00")
STATUS = {
    "current": PLAN,
    "target": {**PLAN, "replicas": 1, "weights": "fp8", "costPerHour": "5.00"},
    "rollout": {"phase": "Steady"},
    "conditions": [
        {"type": "Ready", "status": "True", "reason": "Serving", "lastTransitionTime": "2026-11-23T11:00:00Z"}
    ],
}


@pytest.fixture
def policies(tmp_path) -> str:
    path = tmp_path / "policies.yaml"
    documents = [
        policy_document("young"),
        {**policy_document("chat", traffic={"requestsPerSecond": 2}), "status": STATUS},
    ]
    path.write_text(yaml.safe_dump_all(documents))
    return str(path)


def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO(stdin))
    code = main(("top", *arguments), console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


def test_one_row_a_policy_with_what_runs_and_what_is_planned(policies: str):
    code, out, _ = run("-f", policies, "-o", "json")
    chat, young = json.loads(out)["policies"]

    assert 0 == code
    assert ("default/chat", "3 x 2 nvidia-h100-80gb OnDemand, bf16 weights", "15.00") == (
        chat["policy"],
        chat["runs"],
        chat["costPerHour"],
    )
    assert ("1 x 2 nvidia-h100-80gb OnDemand, fp8 weights", "5.00") == (chat["plan"], chat["planCostPerHour"])
    assert ("True", "Serving") == (chat["ready"], chat["says"])
    assert (None, "the operator has not answered yet") == (young["runs"], young["says"])


@pytest.mark.parametrize(("mode", "when"), [("Initial", "-"), ("Auto", "20")])
def test_what_comes_depends_on_the_operators_default_mode(policies: str, mode: str, when: str):
    code, out, _ = run("-f", policies, "--upcoming", "--default-mode", mode)
    [row] = [line for line in out.splitlines() if "default/chat" in line]

    assert 0 == code
    assert row.split()[1].startswith(when)
    assert "7300.00" in row


def test_policies_may_come_from_kubectl(policies: str):
    items = list(yaml.safe_load_all(Path(policies).read_text()))
    stored = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items})

    assert "default/chat" in run("-f", "-", stdin=stored)[1]


def test_wrong_input_is_named():
    code, _, err = run("-f", "-", stdin="kind: Secret\napiVersion: v1\n")

    assert 2 == code
    assert "Secret" in err


def test_without_policies_there_is_nothing_to_show():
    code, _, err = run("-f", "-")

    assert (0, "costpolicy: nothing to show\n") == (code, err)
