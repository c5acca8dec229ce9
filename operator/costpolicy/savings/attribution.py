"""How much of a difference in cost per request a change explains, how much the traffic, and how much prices."""

from dataclasses import dataclass
from math import exp
from typing import Final, TypeAlias

from costpolicy.savings.regression import Interval, Regression
from costpolicy.savings.traffic import Hour, hour_of, too_thin, unlike
from costpolicy.savings.window import Window

DRIFTS: Final = "not attributable: costs drift so slowly that windows of this length are one observation each"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Parts of the cost reduction, in shares of the baseline's cost per request; their sum is the cost reduction.

    ``price`` is 0 where the window now does not say what it would have cost at the baseline's prices: then a change of
    price is part of ``change``.
    """

    change: float
    traffic: float
    price: float
    unexplained: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The parts of a cost reduction, and how sure the part of the change is; ``priced``: prices are told apart."""

    interval: Interval
    attribution: Attribution
    priced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAttributable:
    """Why nothing is said."""

    reason: str


Explanation: TypeAlias = Explained | NotAttributable


def explain(baseline: Window, current: Window) -> Explanation:
    """Return what explains the difference between two windows, from their hours."""
    before, after = ([hour_of(one) for one in window.hours] for window in (baseline, current))
    thin = too_thin("baseline window", before) or too_thin("current window", after) or unlike(before, after)
    if thin:
        return NotAttributable(reason=thin)
    model = Regression.of((before, after))
    if model.drifts:
        return NotAttributable(reason=DRIFTS)
    there, kept = ([hour for hour in hours if hour is not None] for hours in (before, after))
    return Explained(
        interval=model.interval(1),
        attribution=_attribution(model, (there, kept), baseline, current),
        priced=current.cost_at_baseline_prices is not None,
    )


def _attribution(
    model: Regression, hours: tuple[list[Hour], list[Hour]], baseline: Window, current: Window
) -> Attribution:
    before, now = baseline.cost_per_request_at_baseline_prices, current.cost_per_request_at_baseline_prices
    paid, paid_before = current.cost_per_request, baseline.cost_per_request
    if not (before and now and paid and paid_before):
        raise ValueError("windows whose hours have requests and costs have them in sum")
    ratio = float(now / before)
    change = ratio * (exp(-model.factor(1)) - 1.0)
    traffic = 1.0 - model.unchanged(hours[1]) / model.unchanged(hours[0])
    price = ratio - float(paid / paid_before)
    return Attribution(change=change, traffic=traffic, price=price, unexplained=1.0 - ratio - change - traffic)
