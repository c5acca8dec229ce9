"""How many requests the weak model may have, proven: the share that loses too much is ruled out, not estimated.

The loss of a threshold is what goes wrong below it that the strong model would have got right, minus what only the weak
model gets right, as a share of the strong model's score.  Both counts are bounded exactly (Clopper and Pearson), so the
difference of the bounds is exceeded in at most 5 % of repeats, whatever the truth.  Thresholds are tested from the most
careful one on, each at the full level, up to the first that fails (fixed-sequence testing, as in Learn then Test,
Angelopoulos et al. 2021): the order is fixed before the labels are seen, so many thresholds cost nothing.

A threshold whose *estimated* loss is allowed breaks the promise in a quarter to three quarters of repeats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log, log1p
from typing import Final

from costpolicy.binomial import lower_bound, upper_bound
from costpolicy.routing.labels import Label

LOSSES_ERROR: Final = 0.045
GAINS_ERROR: Final = 0.005
"""Chances of error of the two bounds: together 5 %. Most of it where there is least to go by."""
STEPS: Final = 100
THRESHOLDS: Final = tuple(Fraction(step, STEPS) for step in range(1, STEPS + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What questions below a threshold show.

    Attributes:
        threshold: the weak model has what scores below it.
        routed: questions below it. lost: of them, those that only the strong model got right. gained: only the weak one.
        strong_right: all questions, above it too, that the strong model got right.
    """

    threshold: Fraction
    routed: int
    lost: int
    gained: int
    strong_right: int

    @property
    def loss(self) -> Fraction:
        """Estimated loss, as a share of the strong model's score."""
        return Fraction(self.lost - self.gained, self.strong_right)

    @property
    def loss_bound(self) -> float:
        """The loss that is exceeded in at most 5 % of repeats."""
        lost = upper_bound(self.lost, self.strong_right, LOSSES_ERROR)
        # Gains happen where the strong model fails; of what either one alone settles they are a share q, and per
        # right answer of the strong one q / (1 - q).
        gained = lower_bound(self.gained, self.strong_right + self.gained, GAINS_ERROR)
        return lost - gained / (1 - gained)


def largest_proven(labels: Sequence[Label], scores: Sequence[float], max_loss: Fraction) -> Examined | None:
    """Return the largest threshold below which no more than ``max_loss`` is lost; None if not even the smallest is proven.

    Args:
        labels: questions of the traffic that is to be routed.
        scores: theirs, each by a score that was not fitted on the question.
        max_loss: as a share of the strong model's score.
    """
    strong_right = sum(label.strong for label in labels)
    if not strong_right:
        return None
    order = sorted(range(len(labels)), key=lambda index: scores[index])
    proven: Examined | None = None
    routed = lost = gained = 0
    for threshold in THRESHOLDS:
        while routed < len(order) and scores[order[routed]] < threshold:
            benefit = labels[order[routed]].benefit
            lost, gained, routed = lost + (benefit > 0), gained + (benefit < 0), routed + 1
        examined = Examined(threshold=threshold, routed=routed, lost=lost, gained=gained, strong_right=strong_right)
        if examined.loss_bound > max_loss:
            break
        proven = examined
    return proven if proven is not None and proven.routed else None


def fewest_labels(max_loss: Fraction, strong_score: Fraction) -> int:
    """Return how many labels could prove anything, if not a single question were lost."""
    right = ceil(log(LOSSES_ERROR) / log1p(-float(max_loss)))
    return ceil(right / strong_score)
