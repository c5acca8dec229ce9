"""``costpolicy route label`` and ``renew``: answers, exit codes, and what they say about wrong input.

Not covered: what becomes a label (tests/unit/evaluator), and the ConfigMap (tests/integration/manifests).
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
from costpolicy.cli.route_label import ROUTER_KEY


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    code = main(("route", *arguments), Console(out=out, err=err))
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    day = folder / "2026-11-29"
    day.mkdir(parents=True)
    for number in range(3):
        request = {"messages": [{"role": "user", "content": f"question {number}"}]}
        (day / f"{number:06d}.jsonl").write_text(json.dumps(request) + "\n")
    return folder


@pytest.fixture
def router() -> Iterator[Answering]:
    with answering(lambda _: completion("yes", tokens=(1_000_000, 0))) as server:
        yield server


def label(samples: Path, *arguments: str) -> tuple[int, str, str]:
    return run("label", "--samples", str(samples), "--labels", str(samples.parent / "labels.csv"), *arguments)


def of(router: Answering) -> tuple[str, ...]:
    return ("--router", router.url, "--strong", "chat/large", "--weak", "chat/small")


def test_through_a_router_both_tiers_are_asked_by_its_administrator_and_no_other_may_answer(
    samples: Path, router: Answering, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(ROUTER_KEY, "sk-administrator")
    code, out, _ = label(samples, *of(router), "-o", "json")

    assert (0, 3, 3) == (code, json.loads(out)["made"], json.loads(out)["labels"])
    assert {("chat/large", True), ("chat/small", True)} == {
        (body["model"], body["disable_fallbacks"]) for body in router.asked
    }
    assert {"Bearer sk-administrator"} == {body["authorization"] for body in router.asked}


def test_a_run_tells_what_it_cost(samples: Path, router: Answering):
    prices = ("--strong-prices", "2.50,10", "--weak-prices", "0.10,0.40")
    _, out, _ = label(samples, *of(router), *prices, "-o", "json")

    assert "7.80" == json.loads(out)["cost"]
    assert "3 labels made for 7.8000; the file holds 3" == json.loads(out)["message"]


def test_what_a_judging_model_took_is_said_to_be_missing(samples: Path, router: Answering):
    prices = ("--strong-prices", "2.50,10", "--weak-prices", "0.10,0.40")
    _, out, _ = label(samples, *of(router), *prices, "--judge", "Model", "--judge-url", router.url)

    assert out.endswith("what the judging model took is not in it\n")


def test_without_prices_it_says_that_they_are_missing(samples: Path, router: Answering):
    _, out, _ = label(samples, *of(router))

    assert "3 labels made at a cost that needs --strong-prices and --weak-prices; the file holds 3\n" == out


def test_samples_above_the_days_number_wait(samples: Path, router: Answering):
    _, out, _ = label(samples, *of(router), "--per-day", "2")

    assert "2 labels made" in out
    assert "samples that wait for another day: 1\n" in out


def test_a_router_that_is_down_is_told_and_the_answer_is_no(samples: Path):
    with answering(lambda _: (401, {})) as refusing:
        code, out, err = label(samples, *of(refusing))

    assert (1, "") == (code, out)
    assert "401" in err
    assert "the key" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --router, or --strong-url and --weak-url"),
        (("--router", "http://r", "--weak-url", "http://w"), "give --router, or"),
        (("--router", "http://r"), "--router needs --strong ROUTE/TIER"),
        (("--strong-url", "here", "--weak-url", "http://w"), "'here' is not the address of a server"),
        (("--strong-url", "http://s", "--weak-url", "http://w", "--per-day", "0"), "--per-day must be at least 1"),
        (("--strong-url", "http://s", "--weak-url", "http://w", "--weak-prices", "1"), "--weak-prices 1: write two"),
        (("--strong-url", "http://s", "--weak-url", "http://w", "--judge", "Model"), "needs --judge-url"),
        (("--strong-url", "http://s", "--weak", "w", "--compress-minimum", "9"), "judges the trusted model alone"),
        (("--strong-url", "http://s", "--compress-minimum", "0"), "--compress-minimum must be at least 1"),
        (
            ("--strong-url", "http://s", "--compress-minimum", "9", "--compress-ratio", "0"),
            "--compress-ratio more than",
        ),
        (("--strong-url", "http://s", "--compress-minimum", "9", "--compress-ratio", "x"), "--compress-ratio: "),
        (("--router", "http://r", "--compress-minimum", "9"), "--router needs --strong ROUTE/TIER"),
    ],
)
def test_wrong_input_is_told_with_what_to_write(samples: Path, arguments: Any, said: str):
    code, _, err = label(samples, *arguments)

    assert 2 == code
    assert said in err


@pytest.mark.parametrize("through", ["--router", "--strong-url"])
def test_a_compression_is_judged_on_the_trusted_model_alone_and_both_answers_cost_its_price(
    samples: Path, router: Answering, through: str
):
    text = "".join(f"Sentence {number} says little. " for number in range(40))
    messages = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": text}]
    (samples / "2026-11-29" / "000009.jsonl").write_text(json.dumps({"messages": messages}) + "\n")
    asked = (through, router.url, "--strong", "chat/large", "--strong-prices", "2,8", "--compress-minimum", "500")
    code, out, _ = label(samples, *asked, "-o", "json")

    assert (0, 1, "4.00") == (code, json.loads(out)["made"], json.loads(out)["cost"])
    assert ["chat/large"] * 2 == [body["model"] for body in router.asked]
    assert [len(text), True] == [
        len(router.asked[0]["messages"][1]["content"]),
        len(router.asked[1]["messages"][1]["content"]) < len(text),
    ]


def test_labels_of_somebody_else_are_not_touched(samples: Path, router: Answering):
    (samples.parent / "labels.csv").write_text("a,b\n1,2\n")
    code, _, err = label(samples, *of(router))

    assert 2 == code
    assert "name another file" in err


def test_without_a_sample_nothing_is_proven_and_nothing_is_written(tmp_path: Path, router: Answering):
    """No cluster is reached, so writing would fail."""
    places = ("--samples", str(tmp_path), "--labels", str(tmp_path / "labels.csv"))
    code, out, _ = run("renew", *places, *of(router), "--config-map", "chat", "-n", "shop")

    assert 0 == code
    assert "there is no label yet" in out
