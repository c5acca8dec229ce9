"""A healthy deployment as audits see it, and the same with one kind of waste."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from asking import request
from costpolicy.catalog.engines import newest_engine
from costpolicy.planning.request import PlanRequest
from costpolicy.savings.audit.evidence import Evidence, Figure, Held, Startup, Stated
from costpolicy.savings.audit.lengths import Lengths
from costpolicy.savings.replan import Replanner
from costpolicy.units import Money

REQUESTS = 360_000.0
"""Of ten minutes: 600 a second, which a dozen of H100 serve."""
PROMPT, CACHED, OUTPUT, SPREAD_TO = 1200.0, 1000.0, 150.0, 300.0
BOUNDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, float("inf"))
SPAN = timedelta(minutes=10)


def spread(requests: float, longest: float) -> Lengths:
    """Answers (or limits) of all lengths up to the longest, equally often."""
    counts = tuple(requests * min(bound / longest, 1.0) for bound in BOUNDS)
    return Lengths(bounds=BOUNDS, cumulative=counts, tokens=requests * longest / 2.0)


def equal(requests: float, length: float) -> Lengths:
    """Answers (or limits) of one length."""
    counts = tuple(requests if bound >= length else 0.0 for bound in BOUNDS)
    return Lengths(bounds=BOUNDS, cumulative=counts, tokens=requests * length)


def both(one: Lengths, other: Lengths) -> Lengths:
    """Two histograms together."""
    counts = tuple(sum(pair) for pair in zip(one.cumulative, other.cumulative, strict=True))
    return Lengths(bounds=BOUNDS, cumulative=counts, tokens=one.tokens + other.tokens)


def question(**changes: Any) -> PlanRequest:
    """Llama-3.1-8B on H100s at 2.50 an hour, with room for many replicas."""
    return request(**{"scaling": {"maxReplicas": 1000}, **changes})


def healthy(**changes: Any) -> Evidence:
    """Ten minutes without waste: answers end by themselves, and as many accelerators are held as the plan asks for."""
    return replace(_healthy(), **changes)


@cache
def _healthy() -> Evidence:
    replanner = Replanner(question())
    counted = {
        Figure.FIRST_TOKENS: REQUESTS,
        Figure.PROMPT_TOKENS: REQUESTS * PROMPT,
        Figure.CACHED_TOKENS: REQUESTS * CACHED,
        Figure.GENERATED_TOKENS: REQUESTS * OUTPUT,
        Figure.ANSWERED_PROMPT_TOKENS: REQUESTS * PROMPT,
        Figure.ANSWERED_COMPUTED_TOKENS: REQUESTS * (PROMPT - CACHED),
        Figure.RUNNING: 0.0,
        Figure.WAITING: 0.0,
        Figure.KV_CACHE_USAGE: 0.5,
        Figure.PREEMPTIONS: 0.0,
        Figure.END_TO_END_SECONDS: REQUESTS * 2.0,
        Figure.QUEUED_SECONDS: REQUESTS * 0.1,
        Figure.WORKED_ON_SECONDS: REQUESTS * 1.8,
        Figure.DECODE_STEPS: REQUESTS * 100.0,
        Figure.PROPOSED_TOKENS: REQUESTS * 150.0,
        Figure.ACCEPTED_TOKENS: REQUESTS * 75.0,
    }
    evidence = Evidence(
        engines=4,
        span=SPAN,
        counted=counted,
        finished={"stop": REQUESTS, "length": 0.0, "abort": 0.0},
        answers=spread(REQUESTS, SPREAD_TO),
        limits=equal(REQUESTS, 500.0),
        startup=Startup(release=newest_engine(), arguments={}, environment={}, prefix_caching=True),
        stated=Stated(shared_prefix_tokens=CACHED),
        pricing=replanner,
    )
    target = replanner.target(evidence.demand())  # type: ignore[arg-type]  # there is traffic
    held = Held(
        accelerators=target.accelerators,  # type: ignore[union-attr]  # there is a plan
        accelerators_per_replica=1,
        cost_per_hour=target.cost_per_hour,  # type: ignore[union-attr]
    )
    return replace(evidence, held=held)


def counting(evidence: Evidence, counted: Mapping[Figure, float], **changes: Any) -> Evidence:
    """The same with other counters."""
    return replace(evidence, counted={**evidence.counted, **counted}, **changes)


def twice_held(evidence: Evidence) -> Held:
    """Twice the accelerators that it holds."""
    assert evidence.held is not None
    return Held(
        accelerators=2 * evidence.held.accelerators,
        accelerators_per_replica=1,
        cost_per_hour=Money(2 * evidence.held.cost_per_hour.micros),
    )
