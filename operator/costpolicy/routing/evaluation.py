"""How good a score is at routing: the quality it recovers for the share of requests that it sends to the strong model."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Final

from costpolicy.routing.labels import Label, strong_score, weak_score

SHARES: Final = tuple(Fraction(tenth, 10) for tenth in range(11))
"""At which recovered quality is averaged, both ends included: random routing has 0.5."""
MOST_OF_STRONG: Final = Fraction(95, 100)


class NoGapError(ValueError):
    """The strong model is not better than the weak one: there is nothing to recover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effectiveness:
    """What a score recovers.

    Attributes:
        apgr: average performance gap recovered (RouteLLM's measure): 0.5 is random, a perfect score is above 1.
        cpt50: least share of calls to the strong model that recovers half of the gap. cpt80: 80 % of it.
        share_for_95: least share that has 95 % of the strong model's score.
    """

    apgr: Fraction
    cpt50: Fraction
    cpt80: Fraction
    share_for_95: Fraction


def evaluate(labels: Sequence[Label], scores: Sequence[float]) -> Effectiveness:
    """Send the highest scores to the strong model first, and see what it recovers.

    Questions with equal scores are taken in no order: the curve is straight across them.

    Raises:
        NoGapError: the strong model is not better on these questions.
    """
    strong, weak = strong_score(labels), weak_score(labels)
    gap = strong - weak
    if gap <= 0:
        raise NoGapError(
            f"the strong model is right on {float(strong):.1%} of the questions and the weak one on {float(weak):.1%}: "
            "without a gap there is nothing to recover; are the columns exchanged?"
        )
    curve = _curve(labels, scores)
    needed = MOST_OF_STRONG * strong - weak
    return Effectiveness(
        apgr=sum((_at(curve, share) for share in SHARES), Fraction(0)) / (gap * len(SHARES)),
        cpt50=_first(curve, gap / 2),
        cpt80=_first(curve, gap * 4 / 5),
        share_for_95=_first(curve, needed),
    )


def _curve(labels: Sequence[Label], scores: Sequence[float]) -> list[tuple[Fraction, Fraction]]:
    """Return points (share of calls to the strong model, score gained over the weak model alone)."""
    count = len(labels)
    order = sorted(range(count), key=lambda index: -scores[index])
    called = gained = 0
    points = [(Fraction(0), Fraction(0))]
    for _, equal in groupby(order, key=lambda index: scores[index]):
        for index in equal:
            called += 1
            gained += labels[index].benefit
        points.append((Fraction(called, count), Fraction(gained, count)))
    return points


def _at(curve: Sequence[tuple[Fraction, Fraction]], share: Fraction) -> Fraction:
    """Return what is gained at a share of calls."""
    for (low, below), (high, above) in pairwise(curve):
        if share <= high:
            return below + (above - below) * (share - low) / (high - low)
    return curve[-1][1]


def _first(curve: Sequence[tuple[Fraction, Fraction]], gain: Fraction) -> Fraction:
    """Return the least share of calls that gains so much; the last point gains all."""
    if gain <= 0:
        return Fraction(0)
    for (low, below), (high, above) in pairwise(curve):
        if above >= gain:
            return low + (high - low) * (gain - below) / (above - below)
    return Fraction(1)
