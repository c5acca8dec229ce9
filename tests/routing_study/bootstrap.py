"""How sure a difference between two scores is: a paired bootstrap over questions, with NumPy."""

from collections.abc import Sequence

import numpy as np

from costpolicy.routing.labels import Label

_TENTHS = np.arange(11) / 10


def differences(
    labels: Sequence[Label], scores: Sequence[Sequence[float]], other: Sequence[float], draws: int = 300
) -> tuple[float, float]:
    """Return the 95 % interval of APGR by ``scores`` minus APGR by ``other``; ties are broken by chance.

    Scores are those of several ways to divide the questions into folds, of which the mean is taken.
    """
    dice = np.random.default_rng(0)
    benefit = np.array([label.benefit for label in labels], dtype=float)
    ones, against = [np.array(score) for score in scores], np.array(other)
    found: list[float] = []
    while len(found) < draws:
        drawn = dice.integers(0, len(labels), len(labels))
        if benefit[drawn].sum() > 0:
            noise = dice.random(len(labels))
            mean = float(np.mean([_apgr(benefit[drawn], one[drawn], noise) for one in ones]))
            found.append(mean - _apgr(benefit[drawn], against[drawn], noise))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _apgr(benefit: np.ndarray, scores: np.ndarray, noise: np.ndarray) -> float:
    order = np.lexsort((noise, -scores))
    gained = np.concatenate([[0.0], benefit[order].cumsum()]) / benefit.sum()
    return float(np.interp(_TENTHS, np.linspace(0, 1, len(gained)), gained).mean())
