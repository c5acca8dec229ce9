"""Ridge regression on hashed words and pairs of words, solved by conjugate gradients: the matrix is mostly zeros."""

from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from costpolicy.router_plugin.score import buckets

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUCKETS: Final = 2**14
"""Half of what separates hashes a little better, and 44 KB of a ConfigMap."""
PENALTY: Final = 6.0
"""On squared weights, of questions whose n-grams have length 1."""
_LEAST_QUESTIONS: Final = 2
"""A bucket that one question alone fell into says nothing about others."""
_MOST_STEPS: Final = 60
_PRECISION: Final = 1e-8
_INT16: Final = 32767


def fit_ngrams(texts: Sequence[Sequence[str]], target: "NDArray[Any]") -> dict[str, Any]:
    """Fit the weights of buckets.

    Args:
        texts: the words of each question.
        target: one number a question.

    Returns:
        The part ``Ngrams`` of a score's coefficients, without its scale.
    """
    import numpy as np

    bags = [buckets(words, BUCKETS) for words in texts]
    rows = np.repeat(np.arange(len(bags)), [len(bag) for bag in bags])
    columns = np.array([bucket for bag in bags for bucket in bag], dtype=np.int64)
    values = 1.0 + np.log(np.array([count for bag in bags for count in bag.values()], dtype=float))
    lengths = np.sqrt(np.bincount(rows, values**2, len(bags)))
    values = values / lengths[rows]
    seldom = np.bincount(columns, minlength=BUCKETS) < _LEAST_QUESTIONS
    values[seldom[columns]] = 0.0

    def times(weights: "NDArray[Any]") -> "NDArray[Any]":
        return np.bincount(rows, values * weights[columns], len(bags))

    def transposed(residuals: "NDArray[Any]") -> "NDArray[Any]":
        return np.bincount(columns, values * residuals[rows], BUCKETS)

    # The dual has as many unknowns as there are questions: (X X' + penalty) a = y, weights = X' a.
    solution = np.zeros(len(bags))
    residual = target - target.mean()
    direction = residual
    size = first = float(residual @ residual)
    for _ in range(_MOST_STEPS):
        if size <= _PRECISION * first:
            break
        image = times(transposed(direction)) + PENALTY * direction
        step = size / float(direction @ image)
        solution = solution + step * direction
        residual = residual - step * image
        size, before = float(residual @ residual), size
        direction = residual + size / before * direction
    return _packed(transposed(solution))


def _packed(weights: "NDArray[Any]") -> dict[str, Any]:
    import numpy as np

    scale = float(np.abs(weights).max()) / _INT16 or 1.0
    numbers = np.rint(weights / scale).astype("<i2")
    return {"kind": "Ngrams", "scale": scale, "buckets": b64encode(numbers.tobytes()).decode()}
