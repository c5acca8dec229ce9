"""``costpolicy route``: answers, exit codes, and what it says about wrong input.

Not covered: real questions (tests/unit/routing/test_real_labels.py).
"""

import io
import json
from pathlib import Path

import pytest
import yaml

from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from made_labels import as_csv, made_labels

FIGURES = {"apgr", "cpt50", "cpt80", "shareFor95"}
TIERS = """
tiers:
- {name: small, perMillionTokens: "0.25", complexityBelow: "0.3", share: 60%}
- {name: middle, perMillionTokens: "3", complexityBelow: "0.7", share: 30%}
- {name: large, perMillionTokens: "15", share: 10%}
"""


def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO(stdin))
    code = main(("route", *arguments), console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


@pytest.fixture
def labels(tmp_path: Path) -> str:
    path = tmp_path / "labels.csv"
    path.write_text(as_csv(made_labels(450)))
    return str(path)


def test_evaluate_has_the_score_and_prompt_length_beside_each_other(labels: str):
    code, out, err = run("evaluate", "--labels", labels, "-o", "json")
    answer = json.loads(out)

    assert (0, "", ["score", "promptLength"]) == (code, err, list(answer))
    assert FIGURES == set(answer["score"]) == set(answer["promptLength"])
    assert answer["score"]["apgr"] > answer["promptLength"]["apgr"] > 0.4


def test_with_costs_a_thousand_requests_have_a_price(labels: str):
    _, out, _ = run("evaluate", "--labels", labels, "--strong-cost", "0.01", "--weak-cost", "0.001", "-o", "json")
    score = json.loads(out)["score"]

    assert float(score["costPer1k"]) == pytest.approx(1 + 9 * score["shareFor95"], abs=0.01)
    assert isinstance(score["costPer1k"], str)


def test_the_table_has_a_line_for_each(labels: str):
    code, out, _ = run("evaluate", "--labels", labels, "--strong-cost", "0.01", "--weak-cost", "0.001")

    assert 0 == code
    assert ["450", "APGR", "score", "prompt"] == [line.split()[0] for line in out.splitlines()]


def test_labels_may_come_from_standard_input():
    assert 0 == run("evaluate", "--labels", "-", stdin=as_csv(made_labels(100)))[0]


def test_calibrate_answers_with_threshold_evidence_and_the_config_map(labels: str, tmp_path: Path):
    written = tmp_path / "map.yaml"
    code, out, _ = run(
        "calibrate", "--labels", labels, "--max-loss", "5%", "--date", "2026-11-29", "--strong-cost", "1", "--weak-cost", "0",
        "--config-map", str(written), "--name", "assistant-routing", "-o", "json",
    )  # fmt: skip
    answer = json.loads(out)
    config_map = yaml.safe_load(written.read_text())

    assert (0, "Proven", "2026-11-29") == (code, answer["calibration"]["verdict"], answer["calibration"]["date"])
    assert FIGURES <= set(answer["score"])
    assert (
        answer["calibration"]["costSaved"] == answer["calibration"]["callsSaved"]
    )  # the weak model costs nothing here
    assert ("ConfigMap", "assistant-routing") == (config_map["kind"], config_map["metadata"]["name"])
    assert answer["configMap"] == config_map["data"]


def test_where_nothing_is_proven_the_answer_is_no(labels: str):
    code, out, err = run("calibrate", "--labels", labels, "--max-loss", "0.1%")

    assert (1, "") == (code, err)
    assert "Nothing is routed: 450 labels cannot prove a loss of at most 0.10%" in out


def test_the_missions_example_is_priced(tmp_path: Path):
    path = tmp_path / "tiers.yaml"
    path.write_text(TIERS)

    assert 0 == run("price", "-f", str(path))[0]
    assert {
        "blendedPerMillionTokens": "2.55",
        "savingAgainst": {"small": -9.2, "middle": 0.15, "large": 0.83},
    } == json.loads(run("price", "-f", str(path), "-o", "json")[1])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--labels", "nowhere.csv"], "nowhere.csv: No such file"),
        (["--strong-cost", "1"], "--weak-cost is missing"),
        (["--strong-cost", "1", "--weak-cost", "x"], "--weak-cost: 'x' is not an amount of money"),
        (["--strong-cost", "1", "--weak-cost", "2"], "--strong-cost must be more than --weak-cost"),
        (["--max-loss", "0"], "--max-loss 0: give more than 0"),
        (["--max-loss", "two"], "--max-loss: 'two' is not a share"),
        (["--date", "today"], "--date today: write a date such as"),
        (["--config-map", "/nowhere/map.yaml"], "/nowhere/map.yaml: No such file"),
    ],
)
def test_wrong_options_are_told_with_the_fix(labels: str, arguments: list[str], said: str):
    code, out, err = run("calibrate", "--labels", labels, *arguments)

    assert (2, "") == (code, out)
    assert said in err


@pytest.mark.parametrize(
    ("action", "option", "text", "said"),
    [
        ("evaluate", "--labels", "task,prompt\n", "strong_correct is missing"),
        ("evaluate", "--labels", "task,prompt,strong_correct,weak_correct\na,b,0,1\n", "are the columns exchanged?"),
        ("calibrate", "--labels", "task,prompt,strong_correct,weak_correct\na,b,0,1\n", "are the columns exchanged?"),
        (
            "calibrate",
            "--labels",
            "task,prompt,strong_correct,weak_correct\na,b,yes,1\n",
            "line 2: strong_correct is 'yes'",
        ),
        ("price", "-f", "tiers: [", "while parsing"),
        ("price", "-f", TIERS.replace('"0.7"', '"0.2"'), "order tiers from the simplest"),
        ("price", "-f", TIERS.replace('perMillionTokens: "3", ', ""), "tier middle: perMillionTokens is missing"),
    ],
)
def test_wrong_files_are_told_with_the_fix(action: str, option: str, text: str, said: str):
    code, out, err = run(action, option, "-", stdin=text)

    assert (2, "") == (code, out)
    assert said in err
