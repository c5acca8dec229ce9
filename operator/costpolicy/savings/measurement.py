"""What the last change has saved, from the ledger's hours before it and after it.

The window before a change ends when the change begins, the one after it begins when it has ended: what both variants cost
meanwhile is the price of the change and in neither.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, Protocol, TypeAlias

from costpolicy.savings.changes import FEWEST_HOURS, Change
from costpolicy.savings.impact import Impact, measure_impact
from costpolicy.savings.window import Window
from costpolicy.units import ZERO, Money

HOUR: Final = timedelta(hours=1)
_INSTANT: Final = timedelta.resolution

Offering: TypeAlias = tuple[str, str]
"""An accelerator and how it is paid for."""


class Hour(Protocol):
    """An hour of which costs and what was served are known."""

    @property
    def until(self) -> datetime:
        """Its end."""

    @property
    def costs(self) -> Mapping[Offering, Money]:
        """What each offering cost."""

    @property
    def accelerators(self) -> Mapping[Offering, float]:
        """Accelerator-hours of each offering."""

    @property
    def requests(self) -> int:
        """Requests that were answered."""

    @property
    def prompt_tokens(self) -> int:
        """Prompt tokens of all requests."""

    @property
    def output_tokens(self) -> int:
        """Generated tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A window of time and what is known of it; ``hours`` of it are known."""

    since: datetime
    until: datetime
    totals: Window
    hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What can be said of the last change; ``complete``: as much time has passed since as is measured before it.

    Attributes:
        baseline: before the change; ``None`` without a change, or where too little is known of the time before it.
        current: since the change, at most as long as is measured; without a change the latest such window.
        impact: ``None`` until a day is known on both sides.
        saved_per_hour: by the change, at the traffic since; at the baseline's prices where prices are told apart.
        released: accelerators of each offering that were held before on average and are not any more.
        reason: why there is no more.
    """

    baseline: Span | None = None
    current: Span | None = None
    impact: Impact | None = None
    saved_per_hour: Money | None = None
    released: Mapping[Offering, float] = field(default_factory=dict)
    complete: bool = False
    reason: str = ""


def latest_window(hours: Sequence[Hour], length: timedelta, now: datetime) -> Measured:
    """Return what the latest window cost and served, where nothing was changed that could be measured."""
    current = span_of(hours, begin_of_hour(now) - length, begin_of_hour(now), {})
    if current is None:
        return Measured(reason="no hour is known yet: costs are recorded from the hour the operator is scraped")
    return Measured(current=current, reason="nothing was changed yet")


def measure(
    hours: Sequence[Hour],
    change: Change,
    length: timedelta,
    now: datetime,
    *,
    frozen: Span | None = None,
    quality_maintained: bool | None = None,
) -> Measured:
    """Return what a change has saved.

    Args:
        hours: known ones, oldest first.
        change: the change.
        length: of the window on either side.
        now: the time.
        frozen: the window before as it was read once; it counts where less of it is kept by now.
        quality_maintained: what a check of the answers found.
    """
    begin = max(begin_of_hour(change.began) - length, change.after or begin_of_hour(change.began) - length)
    end = window_end(change, length)
    prices = prices_before(hours, change)
    baseline = _fuller(span_of(hours, begin, change.began, prices), frozen)
    current = span_of(hours, change.ended, end, prices)
    complete = now >= end
    thin = _too_thin(baseline, current, complete=complete)
    if thin or baseline is None or current is None:
        return Measured(baseline=baseline, current=current, complete=complete, reason=thin)
    impact = measure_impact(baseline.totals, current.totals, quality_maintained=quality_maintained)
    return Measured(
        baseline=baseline,
        current=current,
        impact=impact,
        saved_per_hour=_saved_per_hour(impact, baseline, current),
        released=_released(hours, baseline, current),
        complete=complete,
        reason="; ".join(filter(None, (_several(change), impact.reason))),
    )


def realised(saved: Money, released: Mapping[Offering, float], spare: Mapping[Offering, tuple[int, Money]]) -> Money:
    """Return how much of what is saved left the bill: an accelerator that stands idle is paid for as before.

    Args:
        saved: an hour, by price times accelerators.
        released: accelerators that the policy held before and does not now.
        spare: of each offering, accelerators on nodes that nobody holds now, and their price an hour.
    """
    idle = sum(
        round(min(count, spare[offering][0]) * spare[offering][1].micros)
        for offering, count in released.items()
        if offering in spare
    )
    return max(saved - Money(idle), min(saved, ZERO))


def window_end(change: Change, length: timedelta) -> datetime:
    """Return when as much time has passed since a change as is measured before it, in whole hours."""
    return begin_of_hour(change.ended + HOUR - _INSTANT) + length


def begin_of_hour(moment: datetime) -> datetime:
    """Return the begin of the hour in which a moment lies."""
    return moment.replace(minute=0, second=0, microsecond=0)


def span_of(hours: Sequence[Hour], begin: datetime, end: datetime, prices: Mapping[Offering, Fraction]) -> Span | None:
    """Return the known hours that lie wholly between two moments; those between them that are not known are empty ones."""
    inside = {hour.until: hour for hour in hours if begin <= hour.until - HOUR and hour.until <= end}
    if not inside:
        return None
    first, last = min(inside), max(inside)
    every = [first + HOUR * number for number in range((last - first) // HOUR + 1)]
    windows = tuple(_window(inside.get(until), prices) for until in every)
    return Span(since=first - HOUR, until=last, totals=_added(windows), hours=len(inside))


def _window(hour: Hour | None, prices: Mapping[Offering, Fraction]) -> Window:
    if hour is None:
        nothing = Fraction(0)
        return Window(total_cost=ZERO, requests=nothing, prompt_tokens=nothing, output_tokens=nothing)
    cost = Money(sum(cost.micros for cost in hour.costs.values()))
    priced = [(prices.get(offering), Fraction(count)) for offering, count in hour.accelerators.items()]
    known = [price * count for price, count in priced if price is not None]
    return Window(
        total_cost=cost,
        requests=Fraction(hour.requests),
        prompt_tokens=Fraction(hour.prompt_tokens),
        output_tokens=Fraction(hour.output_tokens),
        cost_at_baseline_prices=Money(round(sum(known, Fraction(0)))) if len(known) == len(priced) else cost,
    )


def _added(windows: tuple[Window, ...]) -> Window:
    return Window(
        total_cost=Money(sum(window.total_cost.micros for window in windows)),
        requests=sum((window.requests for window in windows), Fraction(0)),
        prompt_tokens=sum((window.prompt_tokens for window in windows), Fraction(0)),
        output_tokens=sum((window.output_tokens for window in windows), Fraction(0)),
        cost_at_baseline_prices=Money(
            sum((window.cost_at_baseline_prices or window.total_cost).micros for window in windows)
        ),
        hours=windows,
    )


def prices_before(hours: Iterable[Hour], change: Change) -> Mapping[Offering, Fraction]:
    """Return the price an hour of each offering, in micro-units: the last before the change, else the first after it."""
    before: dict[Offering, Fraction] = {}
    after: dict[Offering, Fraction] = {}
    for hour in hours:
        for offering, cost in hour.costs.items():
            count = hour.accelerators.get(offering, 0.0)
            if count <= 0.0:
                continue
            price = cost.micros / Fraction(count)
            if hour.until <= change.began:
                before[offering] = price
            else:
                after.setdefault(offering, price)
    return after | before


def _fuller(found: Span | None, frozen: Span | None) -> Span | None:
    """Return the totals of whichever knows more, with the hours that are still kept."""
    if frozen is None or (found is not None and found.hours >= frozen.hours):
        return found
    kept = found.totals.hours if found else ()
    return replace(frozen, totals=replace(frozen.totals, hours=kept))


def _too_thin(baseline: Span | None, current: Span | None, *, complete: bool) -> str:
    known = baseline.hours if baseline else 0
    if known < FEWEST_HOURS:
        return (
            f"of the time before the change {known} hours are known, "
            f"{FEWEST_HOURS} are needed: it cannot be said what it saved"
        )
    since = current.hours if current else 0
    if since < FEWEST_HOURS:
        waits = "it cannot be said what it saved" if complete else "what it saves is said from then on"
        return f"of the time since the change {since} hours are known, {FEWEST_HOURS} are needed: {waits}"
    return ""


def _several(change: Change) -> str:
    return f"{change.together} changes within a day of each other are measured as one" if change.together > 1 else ""


def _saved_per_hour(impact: Impact, baseline: Span, current: Span) -> Money | None:
    before = baseline.totals.cost_per_request
    if impact.cost_reduction is None or before is None:
        return None
    share = impact.cost_reduction if impact.attribution is None else Fraction(impact.attribution.change)
    return Money(round(share * before * current.totals.requests / current.hours))


def _released(hours: Sequence[Hour], baseline: Span, current: Span) -> Mapping[Offering, float]:
    before, after = (_held(hours, span) for span in (baseline, current))
    gone = {offering: held - after.get(offering, 0.0) for offering, held in before.items()}
    return {offering: count for offering, count in gone.items() if count > 0.0}


def _held(hours: Sequence[Hour], span: Span) -> dict[Offering, float]:
    """Return how many accelerators of each offering were held on average."""
    held: dict[Offering, float] = {}
    for hour in hours:
        if span.since < hour.until <= span.until:
            for offering, count in hour.accelerators.items():
                held[offering] = held.get(offering, 0.0) + count / span.hours
    return held
