"""What each part of a score learns, against solutions that are known, as the router then computes it.

Not covered: how good they are on questions (test_evaluation.py, test_real_labels.py).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from costpolicy.router_plugin.features import FEATURES, Prompt
from costpolicy.router_plugin.score import Part, buckets, part_of
from costpolicy.routing import ngrams
from costpolicy.routing.boosting import fit_trees
from costpolicy.routing.coefficients import TREES_FROM, fit, out_of_fold
from costpolicy.routing.ridge import PENALTY, fit_linear
from made_labels import made_labels

WORDS = ("red", "green", "blue", "white", "black", "grey")


def answers(part: Part, rows: Any, words: Sequence[str] = ()) -> Any:
    return np.array([part(Prompt(values=list(row), words=words)) for row in rows])


@pytest.fixture(scope="module")
def features() -> Any:
    return np.random.default_rng(0).normal(size=(800, len(FEATURES)))


def test_the_linear_part_is_the_solution_of_the_normal_equations(features: Any):
    target = features[:, 3] - 2 * features[:, 7] + np.random.default_rng(1).normal(size=800)
    part = part_of(fit_linear(features, target))
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    solved = np.linalg.lstsq(
        np.vstack([standard, np.sqrt(PENALTY) * np.eye(len(FEATURES))]),
        np.concatenate([target - target.mean(), np.zeros(len(FEATURES))]),
        rcond=None,
    )[0]

    assert answers(part, features) == pytest.approx(np.clip(standard, -4, 4) @ solved, abs=1e-3)


def test_a_feature_that_never_varies_is_no_error(features: Any):
    still = features.copy()
    still[:, 5] = 1.0

    assert np.isfinite(answers(part_of(fit_linear(still, still[:, 3])), still)).all()


def test_the_part_of_words_is_the_solution_of_a_dense_ridge():
    dice = np.random.default_rng(2)
    texts = [list(dice.choice(WORDS, size=8)) for _ in range(120)]
    target = np.array([text.count("red") - text.count("blue") for text in texts], dtype=float)
    part = part_of(ngrams.fit_ngrams(texts, target))

    dense = np.zeros((120, ngrams.BUCKETS))
    for row, text in enumerate(texts):
        for bucket, count in buckets(text, ngrams.BUCKETS).items():
            dense[row, bucket] = 1 + np.log(count)
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    dense[:, (dense > 0).sum(axis=0) < 2] = 0.0
    dual = np.linalg.solve(dense @ dense.T + ngrams.PENALTY * np.eye(120), target - target.mean())
    found = [part(Prompt(values=(), words=text)) for text in texts]

    assert found == pytest.approx(list(dense @ dense.T @ dual), abs=1e-3)


def test_trees_find_steps_and_their_combination(features: Any):
    target = np.where((features[:, 4] > 0.5) & (features[:, 9] < 0), 1.0, 0.0)
    part = part_of(fit_trees(features, target))
    fresh = np.random.default_rng(3).normal(size=(500, len(FEATURES)))
    wanted = (fresh[:, 4] > 0.5) & (fresh[:, 9] < 0)
    found = answers(part, fresh)

    assert found[wanted].min() > np.median(found[~wanted])
    assert np.corrcoef(found, wanted)[0, 1] > 0.8


def test_trees_of_nothing_but_chance_stay_near_nothing(features: Any):
    part = part_of(fit_trees(features, np.zeros(800)))

    assert 0 == pytest.approx(np.abs(answers(part, features)).max())


@pytest.mark.thorough
def test_trees_join_in_from_2000_labels():
    labels = made_labels(TREES_FROM)
    document = fit(labels, out_of_fold(labels))

    assert ["Capitals", "Length", "Linear", "Ngrams", "Trees"] == [part["kind"] for part in document["parts"]]
