"""``costpolicy allocate``: the answer's names, exit codes, and what it says about wrong input.

Covered: a real solver in a real process for clean standard output.  Not covered: what a good allocation is
(``tests/unit/planning/test_allocation.py``).
"""

import io
import json
import subprocess
import sys
from copy import deepcopy

import pytest
import yaml

from costpolicy.cli.console import Console
from costpolicy.cli.main import main

PROBLEM = {
    "accelerators": {"l40s": {"hourly": "1.86", "limit": 3}, "h100": {"hourly": "6.88", "limit": None}},
    "workloads": [
        {"name": "chat", "requestsPerSecond": 14.5, "throughput": {"l40s": 2, "h100": 9}, "splittable": True},
        {
            "name": "code",
            "requestsPerSecond": 3.5,
            "throughput": {"l40s": None, "h100": 7},
            "priority": 1,
            "floor": {"h100": 1},
        },
    ],
}

DEFAULTS = {"splittable": False, "priority": 0, "floor": {}, "pool": "default"}


def run(text: str, *arguments: str) -> tuple[int, str, str]:
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO(text))
    code = main(["allocate", "-f", "-", *arguments], console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


def changed(path: str, value: object) -> str:
    """The problem as JSON with one field changed; ``...`` removes it."""
    document = deepcopy(PROBLEM)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    here = document
    for step in way:
        here = here[step]
    here[last] = value
    if value is ...:
        del here[last]
    return json.dumps(document)


def test_the_answer_has_the_fixed_names():
    code, out, err = run(json.dumps(PROBLEM), "-o", "json")
    answer = json.loads(out)

    assert (0, "") == (code, err)
    assert {"units", "costPerHour", "assignment", "pools", "optimal", "gap"} == answer.keys()
    assert ({"l40s": 1, "h100": 2}, "15.62", True, 0.0) == (
        answer["units"],
        answer["costPerHour"],
        answer["optimal"],
        answer["gap"],
    )
    shares = [row["share"] for row in answer["assignment"] if row["workload"] == "chat"]
    assert pytest.approx(1, abs=1e-9) == sum(shares)
    assert all(0 < share < 1 for share in shares)
    assert {"workload": "code", "accelerator": "h100", "share": 1.0, "units": 0.5} in answer["assignment"]


def test_yaml_says_the_same():
    _, as_json, _ = run(json.dumps(PROBLEM), "-o", "json")
    _, as_yaml, _ = run(json.dumps(PROBLEM), "-o", "yaml")

    assert json.loads(as_json) == yaml.safe_load(as_yaml)


def test_a_table_ends_with_the_cost_and_its_proof():
    code, out, _ = run(json.dumps(PROBLEM))

    assert 0 == code
    assert out.endswith("15.62 an hour, proven optimal\n")
    assert "chat" in out


def test_too_little_of_everything_is_exit_1_and_names_who_is_left_out():
    document = deepcopy(PROBLEM)
    for accelerator in document["accelerators"].values():
        accelerator["limit"] = 1
    code, out, _ = run(json.dumps(document), "-o", "json")
    answer = json.loads(out)

    assert (1, {"infeasible"}) == (code, answer.keys())
    assert ("NotEnoughAccelerators", ["chat"]) == (answer["infeasible"]["reason"], answer["infeasible"]["unserved"])
    assert "raise the limit of h100 (1 of 1 used)" in answer["infeasible"]["message"]
    assert {"l40s": 0, "h100": 1} == answer["infeasible"]["served"]["units"]


def test_a_throughput_of_0_is_null_and_missing_fields_have_defaults():
    document = {
        "accelerators": {"a": {"hourly": "1"}, "b": {"hourly": "0.10"}},
        "workloads": [{"name": "x", "requestsPerSecond": 1, "throughput": {"a": 1, "b": 0}}],
    }
    code, out, _ = run(json.dumps(document), "-o", "json")

    assert (0, {"a": 1, "b": 0}) == (code, json.loads(out)["units"])


@pytest.mark.parametrize("field", ["splittable", "priority", "floor", "pool"])
def test_null_in_a_field_that_may_be_missing_is_its_default(field: str):
    assert run(changed(f"workloads.0.{field}", None), "-o", "json") == run(
        changed(f"workloads.0.{field}", DEFAULTS[field]), "-o", "json"
    )


def test_standard_output_of_a_process_is_the_answer_alone():
    """The solver's own banner goes to the file descriptor, past ``sys.stdout``."""
    command = [sys.executable, "-m", "costpolicy.cli.main", "allocate", "-f", "-", "-o", "json"]
    done = subprocess.run(command, input=json.dumps(PROBLEM), capture_output=True, text=True, check=True)

    assert ("15.62", "") == (json.loads(done.stdout)["costPerHour"], done.stderr)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("accelerators", ..., "accelerators is missing"),
        ("workloads", {}, "workloads is an object: write a list"),
        ("accelerators.h100", "6.88", "accelerators.h100 is text: write an object"),
        ("accelerators.h100.hourly", ..., "accelerators.h100.hourly is missing"),
        ("accelerators.h100.hourly", "-1", "accelerators.h100.hourly: '-1' is not an amount of money"),
        ("accelerators.h100.hourly", "dear", "accelerators.h100.hourly: 'dear' is not an amount of money"),
        ("accelerators.h100.limit", -1, "accelerators.h100.limit is -1: write a whole number from 0"),
        ("accelerators.h100.limit", 1.5, "accelerators.h100.limit is the number 1.5: write a whole number"),
        ("workloads.0", [], "workloads[0] is a list: write an object"),
        ("workloads.0.name", ..., "workloads[0].name is missing"),
        ("workloads.0.name", "", "workloads[0].name is text: write a name"),
        ("workloads.1.name", "chat", "workloads[1].name: chat is there twice"),
        ("workloads.0.requestsPerSecond", ..., "workloads[0] (chat).requestsPerSecond is missing"),
        ("workloads.0.requestsPerSecond", -1, "workloads[0] (chat).requestsPerSecond is -1: write 0, or a number from"),
        ("workloads.0.requestsPerSecond", True, "is true or false: write requests per second as a number"),
        ("workloads.0.requestsPerSecond", float("nan"), "NaN is not a number that can be planned with"),
        ("workloads.0.requestsPerSecond", float("inf"), "Infinity is not a number that can be planned with"),
        ("workloads.0.throughput.a100", 3, "workloads[0] (chat).throughput.a100: there is no such accelerator"),
        ("workloads.0.throughput.h100", -3, "workloads[0] (chat).throughput.h100 is -3: write 0, or a number"),
        ("workloads.1.floor.a100", 3, "workloads[1] (code).floor.a100: there is no such accelerator"),
        ("workloads.1.floor.h100", -3, "workloads[1] (code).floor.h100 is -3: write a whole number from 0"),
        ("workloads.0.splittable", 1, "workloads[0] (chat).splittable is a number: write true or false"),
        ("workloads.0.priority", "high", "workloads[0] (chat).priority is text: write a whole number"),
        ("workloads.0.pool", 3, "workloads[0] (chat).pool is a number: write a name"),
    ],
)
def test_wrong_input_is_exit_2_and_names_the_place(path, value, message):
    code, out, err = run(changed(path, value))

    assert (2, "") == (code, out)
    assert message in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "the document is a list: write an object"),
        ('{"accelerators": {"a": {"hourly": "1"}, "a": {"hourly": "2"}}, "workloads": []}', "'a' is there twice"),
    ],
)
def test_what_is_no_problem_at_all_is_exit_2(text, message):
    code, out, err = run(text)

    assert (2, "") == (code, out)
    assert message in err


def test_an_unknown_field_is_named_and_ignored():
    code, _, err = run(changed("workloads.0.splitable", True), "-o", "json")

    assert 0 == code
    assert "workloads[0].splitable is not a known field and was ignored" in err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_a_time_limit_must_be_a_time(seconds):
    code, _, err = run(json.dumps(PROBLEM), "--time-limit", seconds)

    assert 2 == code
    assert "give seconds between 0 and 86400" in err


def test_a_missing_file_is_exit_2():
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO())

    assert 2 == main(["allocate", "-f", "does-not-exist.json"], console)
