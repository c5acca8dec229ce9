"""``costpolicy evaluate``: what it answers, its exit codes, and what it says about wrong input.

Not covered: a real engine (tests/contract/engine).
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from answering import Answering, answering, completion
from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from costpolicy.quality.result import parse_result

NUMBERS = 300


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    console = Console(out=io.StringIO(), err=io.StringIO())
    code = main(("evaluate", *arguments), console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


@pytest.fixture
def baseline() -> Iterator[Answering]:
    with answering(lambda body: completion(f"It is {body['prompt']}.")) as server:
        yield server


@pytest.fixture
def canary() -> Iterator[Answering]:
    """It has forgotten the even numbers."""
    with answering(lambda body: completion(body["prompt"] if int(body["prompt"]) % 2 else "?")) as server:
        yield server


@pytest.fixture
def prompts(tmp_path: Path) -> str:
    path = tmp_path / "prompts.jsonl"
    path.write_text("\n".join(json.dumps({"prompt": str(one), "answer": str(one)}) for one in range(NUMBERS)))
    return str(path)


def asked(baseline: Answering, canary: Answering, prompts: str, *more: str) -> tuple[int, Any]:
    code, out, _ = run(
        "--baseline", baseline.url, "--canary", canary.url, "--prompts", prompts, "--judge", "Numeric", "-o", "json", *more
    )  # fmt: skip
    return code, json.loads(out)


def test_a_worse_canary_is_rejected_with_exit_1(baseline: Answering, canary: Answering, prompts: str):
    code, answer = asked(baseline, canary, prompts, "--max-loss", "5%")

    assert (1, "Inferior") == (code, answer["verdict"])
    assert {"baseline": 1.0, "canary": 0.5} == answer["score"]
    assert 0.4 < answer["interval"]["low"] < answer["loss"] == 0.5 < answer["interval"]["high"] < 0.6
    assert (NUMBERS, 150) == (answer["prompts"], answer["counts"]["lost"])


def test_a_canary_that_says_the_same_is_accepted(baseline: Answering, prompts: str):
    with answering(lambda body: completion(f"I think {body['prompt']}")) as other:
        code, answer = asked(baseline, other, prompts, "--max-loss", "5%")

    assert (0, "NonInferior", None) == (code, answer["verdict"], answer["promptsNeeded"])


def test_too_few_prompts_decide_nothing_and_it_says_how_many_would(baseline: Answering, tmp_path: Path):
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(json.dumps({"prompt": str(one), "answer": str(one)}) for one in range(20)))
    with answering(lambda body: completion(f"I think {body['prompt']}")) as other:
        code, answer = asked(baseline, other, str(few), "--max-loss", "2%")

    assert (1, "Inconclusive") == (code, answer["verdict"])
    assert answer["promptsNeeded"] > 150


@pytest.mark.parametrize(("max_loss", "code", "verdict"), [("5%", 0, "Adequate"), ("1%", 1, "TooSmall")])
def test_one_deployment_named_twice_judges_the_prompts(
    baseline: Answering, prompts: str, max_loss: str, code: int, verdict: str
):
    found, answer = asked(baseline, baseline, prompts, "--max-loss", max_loss)

    assert (code, verdict) == (found, answer["verdict"])
    assert 0.01 < answer["smallestExcludableLoss"] < 0.05


def test_without_a_loss_to_exclude_it_only_counts_and_keeps_the_result(
    baseline: Answering, canary: Answering, prompts: str, tmp_path: Path
):
    file = tmp_path / "result"
    code, answer = asked(baseline, canary, prompts, "--result", str(file))

    assert (0, None) == (code, answer["verdict"])
    assert parse_result(file.read_text()).model_dump(mode="json", by_alias=True) == answer["counts"]


def test_the_table_says_it_in_words(baseline: Answering, canary: Answering, prompts: str):
    deployments = ("--baseline", baseline.url, "--canary", canary.url)
    code, out, err = run(*deployments, "--prompts", prompts, "--max-loss", "5%", "--judge", "Contains")

    assert 1 == code
    assert "Verdict   Inferior: it loses more than 5.00% of the prompts" in out
    assert f"{NUMBERS} of {NUMBERS} prompts" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--prompts", "no-such-file"), "no-such-file: No such file"),
        (("--canary", "chat:8000"), "'chat:8000' is not the address of a server"),
        (("--judge", "Model"), "the judge Model needs --judge-url"),
        (("--max-loss", "2"), "--max-loss: '2' is not a share"),
        (("--concurrency", "0"), "--concurrency must be at least 1"),
        (("--max-tokens", "0"), "--max-tokens must be at least 1"),
        (("--record", "no-such-folder/record"), "no-such-folder/record: No such file"),
        (("--result", "no-such-folder/result"), "no-such-folder/result: No such file"),
    ],
)
def test_wrong_input_is_exit_2_with_what_to_do(
    baseline: Answering, prompts: str, arguments: tuple[str, ...], said: str
):
    given = ("--baseline", baseline.url, "--canary", baseline.url, "--prompts", prompts)
    code, out, err = run(*given, *arguments)

    assert (2, "") == (code, out)
    assert said in err


def test_a_bad_line_is_named(baseline: Answering, tmp_path: Path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"prompt": "1", "answer": "1"}\n{"prompt": "2"}')
    code, _, err = run("--baseline", baseline.url, "--canary", baseline.url, "--prompts", str(path))

    assert 2 == code
    assert f"{path}: line 2: answer must be a text" in err


@pytest.mark.parametrize("output", ["table", "json"])
def test_a_deployment_that_does_not_answer_is_exit_1_with_the_reason(baseline: Answering, prompts: str, output: str):
    with answering(lambda body: (404, {"error": "no such model"})) as broken:
        code, out, err = run(
            "--baseline", baseline.url, "--canary", broken.url, "--prompts", prompts, "-o", output
        )  # fmt: skip

    assert 1 == code
    if output == "json":
        assert "answered 404" in json.loads(out)["message"]
    else:
        assert ("", True) == (out, "answered 404" in err)
