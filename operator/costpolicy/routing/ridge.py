"""Least squares with a penalty (ridge regression) on the features of prompts."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

PENALTY: Final = 200.0
"""On squared weights, of features with deviation 1: about as strong as 200 questions, so that few say little."""
_SMALLEST: Final = 1e-9


def fit_linear(features: "NDArray[Any]", target: "NDArray[Any]") -> dict[str, Any]:
    """Fit weights.

    Args:
        features: questions x features.
        target: one number a question.

    Returns:
        The part ``Linear`` of a score's coefficients, without its scale.
    """
    import numpy as np

    means = features.mean(axis=0)
    deviations = features.std(axis=0)
    deviations[deviations < _SMALLEST] = 1.0
    standard = (features - means) / deviations
    normal = standard.T @ standard + PENALTY * np.eye(features.shape[1])
    weights = np.linalg.solve(normal, standard.T @ (target - target.mean()))
    return {
        "kind": "Linear",
        "means": _rounded(means),
        "deviations": _rounded(deviations),
        "weights": _rounded(weights),
    }


def _rounded(numbers: "NDArray[Any]") -> list[float]:
    """Six significant digits: the document is mounted as text."""
    return [float(f"{number:.6g}") for number in numbers]
