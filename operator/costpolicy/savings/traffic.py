"""Hours as a model of costs sees them: their traffic and their cost per request, as logarithms.

Costs follow the volume (fixed costs are shared by more requests) and the tokens of a request; what of an hour's traffic lies
outside of what was seen before cannot be told from a change.
"""

from collections.abc import Iterator, Sequence
from math import exp, log
from typing import Final, NamedTuple, TypeAlias

from costpolicy.savings.autoregression import Expected, Row
from costpolicy.savings.window import Window

FEWEST_HOURS: Final = 48
"""Hours with requests that each window needs: two days, so that no hour of the day stands for all."""
_COVERED: Final = 0.8
"""Share of the hours of a window that must have requests and costs."""
_OUTSIDE: Final = 0.2
"""Share of the hours now whose traffic may lie outside that of the baseline; beyond, the model would be extrapolated."""
_ROOM: Final = {"requests": 0.25, "prompt tokens per request": 0.1, "output tokens per request": 0.1}
"""By how much (logarithm) traffic may exceed the baseline's range and still be like it."""
EXPECTED: Final = (Expected(-0.5, 0.5), Expected(0.0, 0.3), Expected(0.5, 0.5), Expected(0.5, 0.5))
"""Volume, its square, prompt and output tokens of a request, all on logarithms.  A per cent more requests makes one cheaper by
nothing (no fixed costs) to one per cent (nothing else); a per cent more tokens makes it dearer by none to one.  These only
decide where the hours cannot, as where traffic grew in one step with the change."""


class Hour(NamedTuple):
    """Logarithms of an hour's requests, prompt and output tokens per request, and cost per request in micro-units."""

    requests: float
    prompt: float
    output: float
    cost: float

    @property
    def weight(self) -> float:
        """Requests."""
        return exp(self.requests)


Hours: TypeAlias = Sequence["Hour | None"]


def centre_of(hours: Sequence[Hour]) -> Hour:
    """Return the mean of hours."""
    return Hour(*(sum(column) / len(hours) for column in zip(*hours, strict=True)))


def traffic_row(hour: Hour, centre: Hour) -> Row:
    """Return what costs follow, relative to a centre; one number for each of :data:`EXPECTED`."""
    volume = hour.requests - centre.requests
    return (volume, volume * volume, hour.prompt - centre.prompt, hour.output - centre.output)


def hour_of(window: Window) -> Hour | None:
    """Return an hour as a model sees it; ``None`` where it has no requests, no tokens or no costs."""
    if not (window.requests and window.prompt_tokens and window.output_tokens):
        return None
    requests, cost = float(window.requests), window.cost_per_request_at_baseline_prices
    return (
        None
        if not cost
        else Hour(
            requests=log(requests),
            prompt=log(float(window.prompt_tokens) / requests),
            output=log(float(window.output_tokens) / requests),
            cost=log(float(cost)),
        )
    )


def stretches(hours: Hours) -> Iterator[list[Hour]]:
    """Yield hours that follow each other without a gap."""
    stretch: list[Hour] = []
    for hour in (*hours, None):
        if hour is not None:
            stretch.append(hour)
        elif stretch:
            yield stretch
            stretch = []


def too_thin(name: str, hours: Hours, fewest: int = FEWEST_HOURS) -> str:
    """Return why a window has too few hours to say anything; empty: it has enough."""
    there = sum(hour is not None for hour in hours)
    if there < fewest:
        return f"not attributable: {there} hours of the {name} have requests and costs, {fewest} are needed"
    if there < _COVERED * len(hours):
        return f"not attributable: only {there} of {len(hours)} hours of the {name} have requests and costs"
    return ""


def unlike(before: Hours, after: Hours) -> str:
    """Return what of the traffic is unlike that of the baseline, if too much is."""
    for column, (name, room) in enumerate(_ROOM.items()):
        known = [hour[column] for hour in before if hour is not None]
        now = [hour[column] for hour in after if hour is not None]
        low, high = min(known) - room, max(known) + room
        outside = sum(not low <= one <= high for one in now) / len(now)
        if outside > _OUTSIDE:
            return f"not attributable: in {outside:.0%} of the hours now, {name} lie outside those of the baseline"
    return ""
