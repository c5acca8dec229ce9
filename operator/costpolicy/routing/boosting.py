"""Gradient boosting with squared loss: small trees, each fitted to what those before it left over.

Cuts are looked for between quantiles of each feature, with sums over bins; a tree is offered a third of the features,
picked by a hash, which costs a third and makes trees differ, without a random number.
"""

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    from numpy.typing import NDArray

TREES: Final = 120
DEPTH: Final = 3
RATE: Final = 0.08
"""How much of what a tree finds is believed."""
BINS: Final = 32
LEAST_IN_LEAF: Final = 20
SHRINKAGE: Final = 5.0
"""Questions with nothing to explain that every leaf is taken to hold beside its own."""
_ABOVE_ALL: Final = 1e9
"""No feature is as large: a node that divides nothing."""
_EVERY: Final = 3


class _Split(NamedTuple):
    features: "NDArray[Any]"
    bins: "NDArray[Any]"


def fit_trees(features: "NDArray[Any]", target: "NDArray[Any]") -> dict[str, Any]:
    """Fit trees.

    Args:
        features: questions x features.
        target: one number a question.

    Returns:
        The part ``Trees`` of a score's coefficients, without its scale.
    """
    import numpy as np

    questions, width = features.shape
    cuts = [np.unique(np.quantile(column, np.arange(1, BINS) / BINS)) for column in features.T]
    binned = np.stack([np.searchsorted(cut, column) for cut, column in zip(cuts, features.T, strict=True)], axis=1)
    residual = target - target.mean()
    trees = []
    for turn in range(TREES):
        offered = np.array([column for column in range(width) if crc32(b"%d %d" % (turn, column)) % _EVERY == 0])
        node = np.zeros(questions, dtype=np.int64)
        splits = []
        for depth in range(DEPTH):
            split = _best(binned[:, offered], residual, node, 1 << depth)
            split = _Split(offered[split.features], split.bins)
            node = 2 * node + (binned[np.arange(questions), split.features[node]] > split.bins[node])
            splits.append(split)
        sums = np.bincount(node, residual, 1 << DEPTH)
        leaves = RATE * sums / (np.bincount(node, minlength=1 << DEPTH) + SHRINKAGE)
        residual = residual - leaves[node]
        trees.append(_tree(splits, leaves, cuts))
    return {"kind": "Trees", "trees": trees}


def _best(binned: "NDArray[Any]", residual: "NDArray[Any]", node: "NDArray[Any]", nodes: int) -> _Split:
    """Return for each node which feature and bin divides the residuals best; the last bin where none does."""
    import numpy as np

    width = binned.shape[1]
    cell = ((node[:, None] * width + np.arange(width)) * BINS + binned).ravel()
    shape, size = (nodes, width, BINS), nodes * width * BINS
    below = np.bincount(cell, np.repeat(residual, width), size).reshape(shape).cumsum(axis=2)
    count = np.bincount(cell, minlength=size).reshape(shape).cumsum(axis=2)
    total, all_ = below[:, :, -1:], count[:, :, -1:]
    gain = (
        below**2 / (count + SHRINKAGE)
        + (total - below) ** 2 / (all_ - count + SHRINKAGE)
        - total**2 / (all_ + SHRINKAGE)
    )
    gain[(count < LEAST_IN_LEAF) | (all_ - count < LEAST_IN_LEAF)] = 0.0
    flat = gain.reshape(nodes, -1)
    best = flat.argmax(axis=1)
    chosen, bins = np.divmod(best, BINS)
    bins[flat[np.arange(nodes), best] <= 0] = BINS - 1
    return _Split(chosen, bins)


def _tree(splits: list[_Split], leaves: "NDArray[Any]", cuts: "list[NDArray[Any]]") -> dict[str, Any]:
    features = [int(feature) for split in splits for feature in split.features]
    bins = [int(place) for split in splits for place in split.bins]
    return {
        "features": features,
        # A bin holds what is more than the cut below it and at most its own; past the last cut lies no value.
        "cuts": [
            float(cuts[feature][place]) if place < len(cuts[feature]) else _ABOVE_ALL
            for feature, place in zip(features, bins, strict=True)
        ],
        "leaves": [float(f"{leaf:.5g}") for leaf in leaves],
    }
