"""A paired difference of proportions against a margin: Tango's score test, and the interval that inverts it.

The loss is the difference between the shares of prompts that baseline and canary answer rightly, in points (0.02 is
two prompts of a hundred).  Only prompts on which the two differ carry evidence; the variance is the one that the
assumed loss implies (Tango, Statistics in Medicine 17, 1998, 891-908).  So where nothing differed, little is proven
by few prompts, whereas a variance estimated from what was seen would be 0 and prove anything.

Tango's test alone calls a loss of exactly the margin acceptable in up to 6.8 % of repeats where 5 % is meant, when few
pairs differ.  A part of the usual continuity correction brings that below 5 % everywhere
(docs/decisions/0013-quality-gate.md has the comparison).
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

CRITICAL: Final = 1.6448536269514722
"""Standard deviations that a normal variable exceeds with a chance of 5 %: each side of a decision."""
_CORRECTION: Final = 0.3
"""Pairs by which the evidence is lessened; the full correction, 0.5, would need a fifth more prompts where few differ."""
_STEPS: Final = 30
"""Halvings of the range of all losses, after which its ends are known to 2e-9."""


@dataclass(frozen=True, slots=True)
class LossInterval:
    """Losses, in points, that the answers do not rule out; each end is wrong in at most 5 % of repeats."""

    low: float
    high: float


def excludes(*, lost: int, gained: int, pairs: int, loss: float) -> bool:
    """Say whether these pairs rule out a loss as large as ``loss`` (points, between 0 and 1).

    They do in at most 5 % of repeats in which the true loss is that large.
    """
    return _deviations(lost, gained, pairs, loss) >= CRITICAL


def loss_interval(*, lost: int, gained: int, pairs: int) -> LossInterval:
    """Return the losses that these pairs do not rule out.

    Raises:
        ValueError: there are no pairs.
    """
    if pairs <= 0:
        raise ValueError("an interval needs at least one pair")
    return LossInterval(low=-_upper(gained, lost, pairs), high=_upper(lost, gained, pairs))


def _upper(lost: int, gained: int, pairs: int) -> float:
    """Return the smallest loss that is ruled out, with all that are larger."""
    low, high = -1.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _deviations(lost, gained, pairs, middle) >= CRITICAL:
            high = middle
        else:
            low = middle
    return high


def _deviations(lost: int, gained: int, pairs: int, loss: float) -> float:
    """Return by how many standard deviations the observed loss lies below ``loss``, less the correction."""
    distance = pairs * loss - (lost - gained) - _CORRECTION
    variance = pairs * (_gained_share(lost, gained, pairs, loss) * 2 + loss * (1 - loss))
    if variance <= 0:
        return 0.0
    return distance / sqrt(variance)


def _gained_share(lost: int, gained: int, pairs: int, loss: float) -> float:
    """Return the likeliest share of gained prompts if the loss were ``loss``: Tango's equation, a quadratic."""
    a = 2.0 * pairs
    b = (2 * pairs - lost + gained) * loss - (lost + gained)
    c = -gained * loss * (1 - loss)
    return max(0.0, -loss, (sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a))
