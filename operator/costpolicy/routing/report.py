"""The complexity score and prompt length on the same labelled questions, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean
from typing import Any, Self

from costpolicy.routing.coefficients import OutOfFold, out_of_fold
from costpolicy.routing.evaluation import Effectiveness, evaluate
from costpolicy.routing.labels import Label
from costpolicy.units import Money

DRAWS = 3
"""Ways to divide questions into folds, of which the mean is told, where there are few: there it matters how."""
FEW = 2000
_REQUESTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPair:
    """What one request costs at either model."""

    strong: Money
    weak: Money

    def per_thousand(self, share: Fraction) -> Money:
        """Return what 1,000 requests cost with this share of them sent to the strong model."""
        mixed = share * self.strong.micros + (1 - share) * self.weak.micros
        return Money(round(mixed * _REQUESTS))

    def saving(self, kept: float) -> float:
        """Return the share of the strong model's cost that is saved where it is spared this share of requests."""
        return kept * (1 - self.weak.micros / self.strong.micros)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What both recover.

    Attributes:
        score: of the complexity score, on questions that it was not fitted on.
        prompt_length: of sending the longest prompts to the strong model.
    """

    score: Effectiveness
    prompt_length: Effectiveness

    @classmethod
    def of(cls, labels: Sequence[Label], first: OutOfFold | None = None) -> Self:
        """Evaluate both.

        Args:
            labels: any number.
            first: the first way to divide them, if it is there already.

        Raises:
            NoGapError: the strong model is not better on these questions.
        """
        by_length = evaluate(labels, [float(len(label.prompt)) for label in labels])
        draws = [first or out_of_fold(labels)]
        if len(labels) < FEW:
            draws += [out_of_fold(labels, draw) for draw in range(1, DRAWS)]
        return cls(score=_mean([evaluate(labels, draw.raw) for draw in draws]), prompt_length=by_length)

    def document(self, costs: CostPair | None) -> dict[str, Any]:
        """Return the JSON answer (names fixed by the design)."""
        return {"score": _figures(self.score, costs), "promptLength": _figures(self.prompt_length, costs)}


def _mean(found: Sequence[Effectiveness]) -> Effectiveness:
    def of(name: str) -> Fraction:
        return Fraction(fmean(getattr(one, name) for one in found)).limit_denominator(10**6)

    return Effectiveness(apgr=of("apgr"), cpt50=of("cpt50"), cpt80=of("cpt80"), share_for_95=of("share_for_95"))


def _figures(found: Effectiveness, costs: CostPair | None) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "apgr": round(float(found.apgr), 4),
        "cpt50": round(float(found.cpt50), 4),
        "cpt80": round(float(found.cpt80), 4),
        "shareFor95": round(float(found.share_for_95), 4),
    }
    if costs is not None:
        figures["costPer1k"] = costs.per_thousand(found.share_for_95).text()
    return figures
