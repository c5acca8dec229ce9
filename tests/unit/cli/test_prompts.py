"""``costpolicy prompts analyze``: answers, exit codes, and what it says about wrong input.

Not covered: what is found (tests/unit/routing/prompts); the model's own tokenizer where the package is not installed.
"""

import importlib.util
import io
import json
from pathlib import Path

import pytest

from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from made_requests import RULES, desk, lines

SAMPLES = lines(*[desk(index) for index in range(30)])
WITHOUT_TOKENIZERS = importlib.util.find_spec("tokenizers") is None


def run(*arguments: str, stdin: str = SAMPLES) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO(stdin))
    code = main(("prompts", "analyze", "--samples", "-", *arguments), console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


def test_the_answer_has_tokens_costs_and_the_better_order():
    code, out, err = run("--price", "2.50", "-o", "json")
    answer = json.loads(out)
    [feature] = answer["features"]

    assert (0, "", "approximate", "desk", 30) == (
        code,
        err,
        answer["tokenizer"],
        feature["feature"],
        feature["requests"],
    )
    assert float(feature["cost"]) == pytest.approx(2.5e-6 * feature["promptTokens"], abs=1e-6)
    assert list(RULES) == feature["ordering"]["moveToFront"]
    assert feature["ordering"]["hitRatio"] < 0.1 < 0.5 < feature["ordering"]["hitRatioReordered"]


def test_the_table_says_that_tokens_are_approximate_and_what_to_move():
    code, out, _ = run()

    assert 0 == code
    assert out.startswith("Tokens are approximate")
    assert "move up   Answer in the language of the customer" in out
    assert "behind    It is 2026-11-29" in out


def test_larger_blocks_share_less():
    def ratio(block: str) -> float:
        return float(
            json.loads(run("--block-size", block, "-o", "json")[1])["features"][0]["ordering"]["hitRatioReordered"]
        )

    assert ratio("64") < ratio("16")


@pytest.mark.skipif(WITHOUT_TOKENIZERS, reason="the package tokenizers is not installed")
def test_the_models_own_tokenizer_counts(tmp_path: Path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))  # type: ignore[call-arg]
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    path = tmp_path / "tokenizer.json"
    made.save(str(path))
    code, out, _ = run("--tokenizer", str(path), "-o", "json", stdin='{"prompt": "one two three"}')

    assert (0, 3, str(path)) == (code, json.loads(out)["features"][0]["promptTokens"], json.loads(out)["tokenizer"])


@pytest.mark.skipif(not WITHOUT_TOKENIZERS, reason="the package tokenizers is installed")
def test_a_tokenizer_without_the_package_is_told_with_the_fix():
    code, _, err = run("--tokenizer", "tokenizer.json")

    assert (2, True) == (code, "pip install tokenizers" in err)


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        ([], "{", "line 1, column 2: not JSON"),
        (["--block-size", "0"], SAMPLES, "--block-size must be at least 1"),
        (["--price", "small=x"], SAMPLES, "--price small=x: 'x' is not an amount of money"),
        (["--price", "large=1"], SAMPLES, "model 'small' has no price: add --price small=P"),
    ],
)
def test_wrong_input_is_told_with_the_fix(arguments: list[str], stdin: str, said: str):
    code, out, err = run(*arguments, stdin=stdin)

    assert (2, "") == (code, out)
    assert said in err
