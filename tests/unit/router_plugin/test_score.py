"""The score as the router computes it: what it says of prompts, what it costs, what it needs, what it refuses.

Not covered: how good it is (tests/unit/routing), milliseconds (`make bench`).
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import costpolicy.router_plugin
from costpolicy.router_plugin.features import FEATURES, LOOKED_AT, look
from costpolicy.router_plugin.score import CoefficientError, Scorer
from costpolicy.routing.coefficients import fit, generic_coefficients
from made_labels import held_out, made_labels

LABELS = made_labels(1500)
SIMPLE = "hi, what time is it?"
COMPLEX = (
    "Compare the Treaty of Westphalia with the Congress of Vienna, then explain how Metternich, Castlereagh and Talleyrand "
    "each argued for the Balance of Power, and evaluate which of them Henry Kissinger followed in A World Restored."
)


@pytest.fixture(scope="module")
def learned() -> dict[str, Any]:
    return fit(LABELS, held_out(1500))


def scorer(document: dict[str, Any]) -> Scorer:
    return Scorer.parse(json.dumps(document))


def test_every_feature_has_a_name_and_a_value():
    assert len(look(COMPLEX).values) == len(look("").values) == len(FEATURES) == len(set(FEATURES))


def test_what_is_counted_is_what_stands_there():
    seen = dict(zip(FEATURES, look("If X = 3.5 then\nWHY is Y not 1200?").values, strict=True))

    assert (9, 5) == (len(look("If X = 3.5 then\nWHY is Y not 1200?").words), round(2.718281828 ** seen["capitals"]))
    assert [seen["share of question"], seen["share of negation"], seen["longest number"]] == [1 / 9, 1 / 9, 4.0]


def test_without_labels_a_long_prompt_with_names_is_more_complex_than_a_greeting():
    generic = scorer(generic_coefficients())

    assert generic.score(SIMPLE) < 0.1 < 0.5 < generic.score(COMPLEX)


@given(st.text())
def test_any_text_has_a_score_between_0_and_1(text: str):
    assert 0.0 <= scorer(generic_coefficients()).score(text) <= 1.0


def test_text_that_is_no_valid_unicode_has_a_score_too(learned: dict[str, Any]):
    assert 0.0 <= scorer(learned).score("broken \ud800 surrogate") <= 1.0


def test_what_a_score_costs_does_not_grow_with_the_prompt():
    endless = look("Word " * 1_000_000)

    assert len(endless.words) <= LOOKED_AT
    assert 5_000_000 == round(2.718281828459045 ** endless.values[FEATURES.index("characters")]) - 1
    assert 1_000_000 == pytest.approx(2.718281828459045 ** endless.values[FEATURES.index("capitals")], rel=0.01)


def test_scores_of_calibrated_questions_are_spread_evenly(learned: dict[str, Any]):
    score = scorer(learned)
    shares = sorted(score.share(raw) for raw in held_out(1500).raw)

    assert max(abs(share - index / len(shares)) for index, share in enumerate(shares)) < 0.02


def test_the_coefficients_fit_into_a_config_map_beside_the_plugin(learned: dict[str, Any]):
    folder = Path(costpolicy.router_plugin.__file__).parent
    code = sum(path.stat().st_size for path in folder.glob("*.py"))

    assert code + len(json.dumps(learned)) < 512 * 1024


def test_nobody_can_read_in_the_coefficients_what_was_asked(learned: dict[str, Any]):
    assert not any(word in json.dumps(learned) for word in ("eigenvalue", "Hilbert", "window"))


def test_a_router_without_our_packages_gets_the_same_scores(learned: dict[str, Any], tmp_path: Path):
    folder = tmp_path / "costpolicy_router"
    shutil.copytree(
        Path(costpolicy.router_plugin.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "coefficients.json").write_text(json.dumps(learned))
    program = (
        "import sys; sys.path[:] = [path for path in sys.path if 'site-packages' not in path] + ['.']\n"
        "from costpolicy_router.score import Scorer\n"
        "score = Scorer.parse(open('coefficients.json').read()).score\n"
        f"print([score(text) for text in {[SIMPLE, COMPLEX]!r}], 'costpolicy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert f"{[scorer(learned).score(text) for text in (SIMPLE, COMPLEX)]} False\n" == done.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 0}, "another version"),
        ({"features": 3}, "another version"),
        ({"knots": [1, 0]}, "knots"),
        ({"knots": None}, "not the coefficients"),
        ({"parts": [{"kind": "Length", "weight": 1, "mean": 0, "deviation": 0}]}, "deviation"),
        ({"parts": [{"kind": "Soul", "weight": 1, "mean": 0, "deviation": 1}]}, "unknown kind"),
        ({"parts": [{"kind": "Length"}]}, "not the coefficients"),
    ],
)
def test_broken_coefficients_are_refused_with_the_reason(change: dict[str, Any], said: str):
    with pytest.raises(CoefficientError, match=said):
        scorer({**generic_coefficients(), **change})


@pytest.mark.parametrize(
    "part",
    [
        {"kind": "Linear", "means": [0], "deviations": [1], "weights": [1]},
        {"kind": "Ngrams", "scale": 1, "buckets": "?"},
        {"kind": "Trees", "trees": [{"features": [999], "cuts": [0], "leaves": [0, 1]}]},
        {"kind": "Trees", "trees": [{"features": [0], "cuts": [0], "leaves": [0]}]},
    ],
)
def test_a_broken_part_is_refused(part: dict[str, Any]):
    with pytest.raises(CoefficientError):
        scorer({**generic_coefficients(), "parts": [{**part, "weight": 1, "mean": 0, "deviation": 1}]})


def test_text_that_is_no_json_is_refused():
    with pytest.raises(CoefficientError, match="not the coefficients"):
        Scorer.parse("{")
