"""How much of a difference in cost per request a change explains, and how much the traffic.

The logarithm of an hour's cost per request follows the volume (fixed costs are shared by more requests), the tokens of a
request, and whether the change was made already; its errors follow those of the hours before (``autoregression``).
Hours of the week need no term of their own: what differs between them is the traffic, which is in the model, and what
the model leaves over shows as errors that last, which widen the interval.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Final, NamedTuple, TypeAlias

from costpolicy.savings.autoregression import Expected, Posterior, Row, posterior
from costpolicy.savings.window import Window

LEVEL: Final = 0.95
FEWEST_HOURS: Final = 48
"""Hours with requests that each window needs: two days, so that no hour of the day stands for all."""
_COVERED: Final = 0.8
"""Share of the hours of a window that must have requests and costs."""
_OUTSIDE: Final = 0.2
"""Share of the hours now whose traffic may lie outside that of the baseline; beyond, the model would be extrapolated."""
_ROOM: Final = {"requests": 0.25, "prompt tokens per request": 0.1, "output tokens per request": 0.1}
"""By how much (logarithm) traffic may exceed the baseline's range and still be like it."""
_TOO_STEADY: Final = 0.975
"""Errors that last longer (half of one is left after a day) make a week one observation and not 168."""

_CHANGE: Final = 1
_EXPECTED: Final = (
    None,
    None,
    Expected(-0.5, 0.5),
    Expected(0.0, 0.3),
    Expected(0.5, 0.5),
    Expected(0.5, 0.5),
)
"""Level, change, volume, its square, prompt and output tokens of a request, all on logarithms.  A per cent more requests
makes one cheaper by nothing (no fixed costs) to one per cent (nothing else); a per cent more tokens makes it dearer by
none to one.  These only decide where the hours cannot, as where traffic grew in one step with the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where the share of the cost lies that the change saves with the traffic of now."""

    low: float
    high: float
    level: float


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


class _Hour(NamedTuple):
    """Logarithms of an hour's requests, prompt and output tokens per request, and cost per request in micro-units."""

    requests: float
    prompt: float
    output: float
    cost: float

    @property
    def weight(self) -> float:
        return exp(self.requests)


_Hours: TypeAlias = Sequence["_Hour | None"]


def explain(baseline: Window, current: Window) -> Explanation:
    """Return what explains the difference between two windows, from their hours."""
    before, after = ([_hour(one) for one in window.hours] for window in (baseline, current))
    thin = _too_thin("baseline", before) or _too_thin("current", after) or _unlike(before, after)
    if thin:
        return NotAttributable(reason=thin)
    model = _Model.of(before, after)
    if model.found.steady(_TOO_STEADY) > 0.5:
        reason = "not attributable: costs drift so slowly that windows of this length are one observation each"
        return NotAttributable(reason=reason)
    low, high = model.found.interval(_CHANGE, LEVEL)
    return Explained(
        interval=Interval(low=1.0 - exp(high), high=1.0 - exp(low), level=LEVEL),
        attribution=_attribution(model, baseline, current),
        priced=current.cost_at_baseline_prices is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    before: tuple[_Hour, ...]
    after: tuple[_Hour, ...]
    found: Posterior
    centre: _Hour

    @classmethod
    def of(cls, before: _Hours, after: _Hours) -> "_Model":
        there = tuple(hour for hour in before if hour is not None)
        centre = _Hour(*(sum(column) / len(there) for column in zip(*there, strict=True)))
        stretches = [
            [(*_row(hour, centre, changed), hour.cost - centre.cost) for hour in stretch]
            for hours, changed in ((before, 0.0), (after, 1.0))
            for stretch in _stretches(hours)
        ]
        kept = tuple(hour for hour in after if hour is not None)
        return cls(before=there, after=kept, found=posterior(stretches, _EXPECTED), centre=centre)

    @property
    def change(self) -> float:
        """Logarithm of what the change multiplies costs by."""
        return self.found.mean(_CHANGE)

    def unchanged(self, hours: Sequence[_Hour]) -> float:
        """Return the cost per request of hours as the model has it without the change, relative to the baseline's centre."""
        means = [self.found.mean(at) for at in range(len(_EXPECTED))]
        costs = (
            hour.weight * exp(sum(mean * one for mean, one in zip(means, _row(hour, self.centre, 0.0), strict=True)))
            for hour in hours
        )
        return sum(costs) / sum(hour.weight for hour in hours)


def _attribution(model: _Model, baseline: Window, current: Window) -> Attribution:
    before, now = baseline.cost_per_request_at_baseline_prices, current.cost_per_request_at_baseline_prices
    paid, paid_before = current.cost_per_request, baseline.cost_per_request
    if not (before and now and paid and paid_before):
        raise ValueError("windows whose hours have requests and costs have them in sum")
    ratio = float(now / before)
    change = ratio * (exp(-model.change) - 1.0)
    traffic = 1.0 - model.unchanged(model.after) / model.unchanged(model.before)
    price = ratio - float(paid / paid_before)
    return Attribution(change=change, traffic=traffic, price=price, unexplained=1.0 - ratio - change - traffic)


def _row(hour: _Hour, centre: _Hour, changed: float) -> Row:
    volume = hour.requests - centre.requests
    return (1.0, changed, volume, volume * volume, hour.prompt - centre.prompt, hour.output - centre.output)


def _hour(window: Window) -> _Hour | None:
    if not (window.requests and window.prompt_tokens and window.output_tokens):
        return None
    requests, cost = float(window.requests), window.cost_per_request_at_baseline_prices
    return (
        None
        if not cost
        else _Hour(
            requests=log(requests),
            prompt=log(float(window.prompt_tokens) / requests),
            output=log(float(window.output_tokens) / requests),
            cost=log(float(cost)),
        )
    )


def _stretches(hours: _Hours) -> Iterator[list[_Hour]]:
    stretch: list[_Hour] = []
    for hour in (*hours, None):
        if hour is not None:
            stretch.append(hour)
        elif stretch:
            yield stretch
            stretch = []


def _too_thin(name: str, hours: _Hours) -> str:
    there = sum(hour is not None for hour in hours)
    if there < FEWEST_HOURS:
        return (
            f"not attributable: {there} hours of the {name} window have requests and costs, {FEWEST_HOURS} are needed"
        )
    if there < _COVERED * len(hours):
        return f"not attributable: only {there} of {len(hours)} hours of the {name} window have requests and costs"
    return ""


def _unlike(before: _Hours, after: _Hours) -> str:
    """Return what of the traffic is unlike that of the baseline, if too much is."""
    for column, (name, room) in enumerate(_ROOM.items()):
        known = [hour[column] for hour in before if hour is not None]
        now = [hour[column] for hour in after if hour is not None]
        low, high = min(known) - room, max(known) + room
        outside = sum(not low <= one <= high for one in now) / len(now)
        if outside > _OUTSIDE:
            return f"not attributable: in {outside:.0%} of the hours now, {name} lie outside those of the baseline"
    return ""
