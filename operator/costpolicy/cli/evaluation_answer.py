"""What ``costpolicy evaluate`` says of an evaluation's counts."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from costpolicy.quality.adequacy import Adequacy, Adequate, TooSmall, judge_evaluation
from costpolicy.quality.result import EvaluationResult
from costpolicy.quality.tango import loss_interval
from costpolicy.quality.verdict import Inconclusive, NonInferior, Verdict, judge, margin_of
from costpolicy.quality.wording import in_words

_LEVEL = 0.9
"""Of the interval: each end is wrong in at most 5 % of repeats."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A result and what follows from it; nothing does where no loss to exclude was given."""

    result: EvaluationResult
    finding: Verdict | Adequacy | None

    @classmethod
    def of(cls, result: EvaluationResult, max_loss: Fraction | None, *, same: bool) -> Self:
        """Judge the canary, or, where both are the ``same`` deployment, the prompts."""
        if max_loss is None:
            return cls(result, None)
        if same:
            return cls(result, judge_evaluation(result.counts, max_loss))
        margin = margin_of(max_loss, result.counts.baseline_score)
        return cls(result, judge(result.counts, margin))

    @property
    def accepted(self) -> bool:
        """Whether the answer is yes."""
        return self.finding is None or isinstance(self.finding, NonInferior | Adequate)

    def document(self) -> dict[str, Any]:
        """Return the JSON answer; scores and losses are shares of all prompts, except those of ``maxLoss``'s
        kind, which are shares of the baseline's score."""
        counts = self.result.counts
        interval = loss_interval(lost=counts.lost, gained=counts.gained, pairs=counts.pairs)
        finding = self.finding
        return {
            "prompts": counts.pairs,
            "score": {"baseline": float(counts.baseline_score), "canary": float(counts.canary_score)},
            "loss": float(counts.loss),
            "interval": {"low": interval.low, "high": interval.high, "level": _LEVEL},
            "verdict": None if finding is None else type(finding).__name__,
            "smallestExcludableLoss": finding.smallest_loss if isinstance(finding, Adequate | TooSmall) else None,
            "promptsNeeded": finding.prompts_needed if isinstance(finding, TooSmall | Inconclusive) else None,
            "message": self.message,
            "counts": self.result.model_dump(mode="json", by_alias=True),
        }

    def lines(self) -> list[str]:
        """Return the answer for people."""
        counts, result = self.result.counts, self.result
        interval = loss_interval(lost=counts.lost, gained=counts.gained, pairs=counts.pairs)
        cut = result.baseline.truncated + result.canary.truncated
        refused = result.baseline.refused + result.canary.refused
        pairs = f"{counts.both_right} right by both, {counts.lost} lost, {counts.gained} gained, {counts.both_wrong} wrong by both"
        rows = {
            "Prompts": f"{counts.pairs}, {result.identical} with the same answer to the character",
            "Score": f"{float(counts.baseline_score):.1%} baseline, {float(counts.canary_score):.1%} canary",
            "Pairs": pairs,
            "Loss": f"{float(counts.loss):+.2%} of the prompts, between {interval.low:+.2%} and {interval.high:+.2%}",
            "Cut off": f"{cut} answers, at their longest length" if cut else "",
            "Refused": f"{refused} prompts, counted as wrong" if refused else "",
            "Ungraded": f"{result.ungraded} answers, counted as wrong" if result.ungraded else "",
            "Verdict": self.message,
        }
        return [f"{name:<10}{text}" for name, text in rows.items() if text]

    @property
    def message(self) -> str:
        """The finding in words."""
        return "" if self.finding is None else f"{type(self.finding).__name__}: {in_words(self.finding)}"
