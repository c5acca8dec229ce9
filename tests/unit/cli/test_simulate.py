"""``costpolicy simulate``: its answers, exit codes, and what it says about wrong input.

Not covered: what comes of the shipped scenarios (tests/scenarios/test_shipped.py).
"""

import io
import json

import pytest

from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from costpolicy.simulation.scenario import shipped_text

SHORT = shipped_text("flash-crowd").replace("prices:", "length: 2h\nprices:", 1)


def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO(stdin))
    code = main(arguments, console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


def test_the_shipped_scenarios_are_listed_and_printed():
    code, out, _ = run("simulate", "--list")

    assert 0 == code
    assert "flash-crowd" in out
    assert (0, shipped_text("flash-crowd"), "") == run("simulate", "--print", "flash-crowd")


def test_the_answer_in_json_has_the_bill_of_all_three_and_exit_code_1_where_an_expectation_fails():
    code, out, _ = run("simulate", "-f", "-", "-o", "json", stdin=SHORT)
    answer = json.loads(out)
    [chat] = answer["policies"]

    assert 1 == code
    assert not answer["kept"]  # nobody answers while the first model loads, which is much of two hours
    assert {"requests", "insideObjectives", "cost", "mostReplicas"} == set(chat["operator"]) == set(chat["staticPeak"])
    assert "11.16" == chat["operator"]["cost"]  # three accelerators at 1.86 for two hours
    assert [0.0, 1.0] == [piece["hour"] for piece in chat["timeline"]]
    assert "Planned" == chat["events"][0]["reason"]


def test_the_table_shows_hours_events_bill_and_expectations():
    _, out, _ = run("simulate", "-f", "-", "--hours", stdin=SHORT)

    for shown in ("day 1 01:00", "Planned:", "static peak", "HorizontalPodAutoscaler", "changes in an hour"):
        assert shown in out


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("rain",), "", "no scenario is called rain: costpolicy simulate --list names them"),
        (("--print", "rain"), "", "no scenario is called rain"),
        (("-f", "nowhere.yaml"), "", "nowhere.yaml: No such file"),
        (("-f", "-"), "name: x\n", "-:1: about"),
    ],
)
def test_wrong_input_exits_with_2_and_says_what_to_do(arguments: tuple[str, ...], stdin: str, says: str):
    code, out, err = run("simulate", *arguments, stdin=stdin)

    assert (2, "") == (code, out)
    assert says in err
