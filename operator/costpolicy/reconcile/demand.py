"""From what is observed and what the policy expects to the demand that is planned for."""

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from costpolicy.api.policy import CostPolicySpec
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.shapes import RequestShape
from costpolicy.observe.source import Missing
from costpolicy.planning.demand import Demand, expected_demand
from costpolicy.reconcile.snapshot import MetricsDown

WORKED_OFF_IN: Final = timedelta(minutes=5)
"""Time in which requests that queue shall be served: replicas that only keep up with arrivals never get rid of a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """The demand of now, for replicas, and the one that a configuration is chosen for.

    ``now`` is ``None`` while nothing is measured: then replicas are neither added nor taken away on a guess.
    ``doubtful``: requests come, but how long they are is only expected, or some engines are not scraped; then no replica
    is taken away.
    """

    now: Demand | None
    planning: Demand
    doubtful: bool = False


def demands(spec: CostPolicySpec, observed: PolicyObservation | MetricsDown, ready: int = 0) -> Demands:
    """Return both demands.

    A configuration is chosen for the larger of what is expected and what was measured as peak: what a young
    deployment has not seen yet must not shrink its hardware.  Its requests are as long as those of long hours over days
    were, and no shorter than those of now.  ``ready`` are the replicas that may serve now.
    """
    expected = expected_demand(spec.traffic)
    now = observed_demand(observed, expected)
    if now is None:
        return Demands(now=None, planning=expected)
    peak = _number(observed.requests_per_second_p95) if isinstance(observed, PolicyObservation) else None
    measured = _shape_is_measured(observed)
    highest = max(now.requests_per_second, peak or 0.0, expected.requests_per_second)
    return Demands(
        now=_coarse(_with_queue(now, observed)),
        planning=_coarse(_over_days(now, highest, observed, measured=measured)),
        doubtful=(now.requests_per_second > 0 and not measured) or _is_partial(observed, ready),
    )


def observed_demand(observed: PolicyObservation | MetricsDown, expected: Demand) -> Demand | None:
    """Return the offered load as measured, or ``None`` where it is not measured or nothing was ever asked.

    Token shapes that a quiet deployment cannot show are those expected.
    """
    if isinstance(observed, MetricsDown) or not observed.fresh:
        return None
    rate = _number(observed.requests_per_second)
    if rate is None:
        return None
    prompt, output = _number(observed.prompt_tokens), _number(observed.output_tokens)
    if prompt is None or output is None:
        asked = rate > 0 or bool(_number(observed.requests_per_second_p95))
        return replace(expected, requests_per_second=rate, source="Observed") if asked else None
    hits = _number(observed.prefix_hit_ratio) or 0.0
    return Demand(
        requests_per_second=rate,
        prompt_tokens=max(prompt, 1.0),
        output_tokens=max(output, 1.0),
        cached_tokens=min(prompt * hits, max(prompt - 1.0, 0.0)),
        source="Observed",
    )


def _is_partial(observed: PolicyObservation | MetricsDown, ready: int) -> bool:
    """Return whether engines that may serve are not scraped: what they were asked is unknown, not nothing."""
    return isinstance(observed, PolicyObservation) and observed.pods_up < ready


def _shape_is_measured(observed: PolicyObservation | MetricsDown) -> bool:
    return isinstance(observed, PolicyObservation) and not (
        isinstance(observed.prompt_tokens, Missing) or isinstance(observed.output_tokens, Missing)
    )


def _over_days(now: Demand, highest: float, observed: PolicyObservation | MetricsDown, *, measured: bool) -> Demand:
    """Return the demand at the highest rate, with requests as long as over days; where the present shows no request, as only
    days say.
    """
    known = observed.shape_over_days if isinstance(observed, PolicyObservation) else None
    if not isinstance(known, RequestShape):
        return replace(now, requests_per_second=highest)
    shape = known.at_least(_shape_of(now)) if measured else known
    return replace(
        now,
        requests_per_second=highest,
        prompt_tokens=max(shape.prompt_tokens, 1.0),
        output_tokens=max(shape.output_tokens, 1.0),
        cached_tokens=max(shape.prompt_tokens - max(shape.computed_tokens, 1.0), 0.0),
    )


def _shape_of(demand: Demand) -> RequestShape:
    return RequestShape(
        prompt_tokens=demand.prompt_tokens,
        computed_tokens=demand.prompt_tokens - demand.cached_tokens,
        output_tokens=demand.output_tokens,
    )


def _with_queue(now: Demand, observed: PolicyObservation | MetricsDown) -> Demand:
    """Return the demand with what is waiting already, spread over the time in which it shall be served."""
    waiting = _number(observed.waiting) if isinstance(observed, PolicyObservation) else None
    if not waiting:
        return now
    return replace(now, requests_per_second=now.requests_per_second + waiting / WORKED_OFF_IN.total_seconds())


def _coarse(demand: Demand) -> Demand:
    """Return the demand in two significant digits, rounded up, and its cached tokens down.

    Live traffic flutters; a plan and a status that fluttered with it would be written every cycle, and nothing that is
    predicted is known better than this.
    """
    prompt = two_digits(demand.prompt_tokens, up=True)
    return Demand(
        requests_per_second=two_digits(demand.requests_per_second, up=True),
        prompt_tokens=prompt,
        output_tokens=two_digits(demand.output_tokens, up=True),
        cached_tokens=min(two_digits(demand.cached_tokens, up=False), prompt - 1.0) if prompt > 1.0 else 0.0,
        source=demand.source,
    )


def two_digits(value: float, *, up: bool) -> float:
    """Return a figure in the two significant digits that are planned with, rounded up or down."""
    if value <= 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    steps = value / step
    # A value that already has two digits must stay: its quotient may be off by a rounding error.
    whole = math.ceil(steps - 1e-9) if up else math.floor(steps + 1e-9)
    return float(f"{whole * step:.12g}")


def _number(value: float | Missing) -> float | None:
    return None if isinstance(value, Missing) else value
