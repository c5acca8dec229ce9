"""What a change was worth: one window before it, one after it, three figures.

``costReduction = 1 - costPerRequest(current) / costPerRequest(baseline)``,
``efficiencyImprovement = tokensPerDollar(current) / tokensPerDollar(baseline) - 1`` (prompt and output
tokens), and whether quality was kept.  A figure that cannot be said is None and ``reason`` says why; it is
never 0.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from costpolicy.units import Money

MAXIMUM_LOSS: Final = Fraction(2, 100)
"""Quality is kept if at most this share of the baseline's is lost, where there is no other evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Totals of a span of time.

    Attributes:
        requests, prompt_tokens, output_tokens: what was served; Prometheus extrapolates, so they may be
        fractions. quality: score of the answers, higher is better; None where nothing was evaluated.
        hours: how many hours the totals were given by; 0 if only totals were given.
    """

    total_cost: Money
    requests: Fraction
    prompt_tokens: Fraction
    output_tokens: Fraction
    quality: Fraction | None = None
    hours: int = 0

    @property
    def cost_per_request(self) -> Fraction | None:
        """Micro-units per request; None without requests."""
        return self.total_cost.micros / self.requests if self.requests else None

    @property
    def tokens_per_unit(self) -> Fraction | None:
        """Tokens, prompt and output, per micro-unit; None if nothing was paid."""
        tokens = self.prompt_tokens + self.output_tokens
        return tokens / self.total_cost.micros if self.total_cost.micros else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """The three figures; ratios as fractions of 1, negative where it got worse."""

    cost_reduction: Fraction | None
    efficiency_improvement: Fraction | None
    quality_maintained: bool | None
    reason: str


def measure_impact(baseline: Window, current: Window) -> Impact:
    """Compare two windows of the same length."""
    reduction = _relative(current.cost_per_request, baseline.cost_per_request)
    improvement = _relative(current.tokens_per_unit, baseline.tokens_per_unit)
    quality = _quality_maintained(baseline.quality, current.quality)
    reasons = [
        _why_no_reduction(baseline, current) if reduction is None else "",
        _why_no_improvement(baseline, current) if improvement is None else "",
        "" if quality is not None else "quality was not evaluated in both windows",
        _why_no_interval(baseline, current),
    ]
    return Impact(
        cost_reduction=None if reduction is None else -reduction,
        efficiency_improvement=improvement,
        quality_maintained=quality,
        reason="; ".join(filter(None, reasons)),
    )


def _relative(current: Fraction | None, baseline: Fraction | None) -> Fraction | None:
    """Return the relative difference, or None where one of the two does not exist or there is nothing to
    compare."""
    if current is None or not baseline:
        return None
    return current / baseline - 1


def _quality_maintained(baseline: Fraction | None, current: Fraction | None) -> bool | None:
    if baseline is None or current is None:
        return None
    return current >= baseline * (1 - MAXIMUM_LOSS)


def _why_no_reduction(baseline: Window, current: Window) -> str:
    for name, window in (("baseline", baseline), ("current", current)):
        if not window.requests:
            return f"no cost reduction: no requests in the {name} window"
    return "no cost reduction: the baseline cost nothing"


def _why_no_improvement(baseline: Window, current: Window) -> str:
    for name, window in (("baseline", baseline), ("current", current)):
        if not window.total_cost.micros:
            return f"no efficiency improvement: the {name} window cost nothing"
    return "no efficiency improvement: no tokens in the baseline window"


def _why_no_interval(baseline: Window, current: Window) -> str:
    if baseline.hours and current.hours:
        return "interval and attribution are not computed: hours are only added up"
    return "interval and attribution need hours in both windows"
