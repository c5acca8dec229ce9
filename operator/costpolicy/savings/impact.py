"""What a change was worth: one window before it, one after it, three figures.

``costReduction = 1 - costPerRequest(current) / costPerRequest(baseline)``,
``efficiencyImprovement = tokensPerDollar(current) / tokensPerDollar(baseline) - 1`` (prompt and output
tokens), and whether quality was kept.  A figure that cannot be said is None and ``reason`` says why; it is
never 0.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from costpolicy.savings.attribution import Attribution, Explained, Explanation, NotAttributable, explain
from costpolicy.savings.regression import Interval
from costpolicy.savings.window import Window

MAXIMUM_LOSS: Final = Fraction(2, 100)
"""Quality is kept if at most this share of the baseline's is lost, where there is no other evidence."""

_PRICES_UNKNOWN: Final = "a change of price counts as the change: no window says costAtBaselinePrices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """The three figures, as fractions of 1, negative where it got worse; and what explains the first of them.

    ``interval`` is that of the change's own share; ``None`` where it cannot be told from the traffic.
    """

    cost_reduction: Fraction | None
    efficiency_improvement: Fraction | None
    quality_maintained: bool | None
    reason: str
    interval: Interval | None = None
    attribution: Attribution | None = None


def measure_impact(baseline: Window, current: Window, *, quality_maintained: bool | None = None) -> Impact:
    """Compare two windows of the same length.

    Args:
        baseline: before the change.
        current: after it.
        quality_maintained: what a check of the answers found; ``None``: the windows' own quality decides, if they have one.
    """
    reduction = _relative(current.cost_per_request, baseline.cost_per_request)
    improvement = _relative(current.tokens_per_unit, baseline.tokens_per_unit)
    quality = quality_maintained
    if quality is None:
        quality = _quality_maintained(baseline.quality, current.quality)
    reasons = [
        _why_no_reduction(baseline, current) if reduction is None else "",
        _why_no_improvement(baseline, current) if improvement is None else "",
        "" if quality is not None else "quality was not evaluated in both windows",
    ]
    match explanation := _explanation(baseline, current):
        case NotAttributable(reason=reason):
            explained = None
            reasons.append(reason)
        case Explained():
            explained = explanation
            reasons.append("" if explanation.priced else _PRICES_UNKNOWN)
    return Impact(
        cost_reduction=None if reduction is None else -reduction,
        efficiency_improvement=improvement,
        quality_maintained=quality,
        reason="; ".join(filter(None, reasons)),
        interval=explained.interval if explained else None,
        attribution=explained.attribution if explained else None,
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


def _explanation(baseline: Window, current: Window) -> Explanation:
    if not (baseline.hours and current.hours):
        return NotAttributable(reason="interval and attribution need hours in both windows")
    return explain(baseline, current)
