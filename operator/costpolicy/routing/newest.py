"""The labels that were made last: what is lost of late must not hide among a month of labels that lost nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from costpolicy.routing.labels import Label

NEWEST: Final = 500
"""Labels that are looked at by themselves: enough to show a loss of twice the 2 % that are usually allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """What they show of a threshold.

    Attributes:
        strong_right: those that the strong model got right, above the threshold too.
        lost: of those below it, the ones that only the strong model got right. gained: only the weak one.
    """

    strong_right: int = 0
    lost: int = 0
    gained: int = 0


def newest(labels: Sequence[Label]) -> Sequence[Label]:
    """Return the last of labels that stand in the order in which they were made."""
    return labels[-NEWEST:]


def newest_of(labels: Sequence[Label], scores: Sequence[float], threshold: Fraction) -> Newest:
    """Return what the newest labels show; nothing where it is not known which those are.

    Args:
        labels: in the order in which they were made.
        scores: theirs, each by a score that was not fitted on the question.
        threshold: the weak model has what scores below it.
    """
    if any(label.made is None for label in labels):
        return Newest()
    last = newest(labels)
    routed = [label for label, score in zip(last, scores[-NEWEST:], strict=True) if score < threshold]
    return Newest(
        strong_right=sum(label.strong for label in last),
        lost=sum(label.benefit > 0 for label in routed),
        gained=sum(label.benefit < 0 for label in routed),
    )
