"""From what engines counted to what audits look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.totals import Totals
from costpolicy.savings.audit.evidence import Evidence, Figure, Held, Startup, Stated
from costpolicy.savings.audit.lengths import Lengths, lengths
from costpolicy.savings.replan import Pricing

_FIGURES: Final[Mapping[Figure, str]] = {
    Figure.FIRST_TOKENS: f"{EngineMetric.TTFT}_count",
    Figure.PROMPT_TOKENS: EngineMetric.PROMPT_TOKENS,
    Figure.CACHED_TOKENS: EngineMetric.PREFIX_HITS,
    Figure.GENERATED_TOKENS: EngineMetric.GENERATED_TOKENS,
    Figure.ANSWERED_PROMPT_TOKENS: f"{EngineMetric.REQUEST_PROMPT_TOKENS}_sum",
    Figure.ANSWERED_COMPUTED_TOKENS: f"{EngineMetric.REQUEST_COMPUTED_TOKENS}_sum",
    Figure.RUNNING: EngineMetric.RUNNING,
    Figure.WAITING: EngineMetric.WAITING,
    Figure.KV_CACHE_USAGE: EngineMetric.KV_CACHE_USAGE,
    Figure.PREEMPTIONS: EngineMetric.PREEMPTIONS,
    Figure.END_TO_END_SECONDS: f"{EngineMetric.END_TO_END_TIME}_sum",
    Figure.QUEUED_SECONDS: f"{EngineMetric.QUEUE_TIME}_sum",
    Figure.WORKED_ON_SECONDS: f"{EngineMetric.INFERENCE_TIME}_sum",
    Figure.DECODE_STEPS: f"{EngineMetric.INTER_TOKEN}_count",
    Figure.PROPOSED_TOKENS: EngineMetric.PROPOSED_TOKENS,
    Figure.ACCEPTED_TOKENS: EngineMetric.ACCEPTED_TOKENS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a deployment beside its counters; see :class:`Evidence`."""

    span: timedelta | None = None
    startup: Startup = field(default_factory=Startup)
    stated: Stated = field(default_factory=Stated)
    held: Held | None = None
    pricing: Pricing | Missing = field(
        default_factory=lambda: Missing(reason=Reason.NOT_STATED, message="no model to plan for is named")
    )


def evidence_of(totals: Totals, known: Known) -> Evidence:
    """Return what audits look at."""
    read = {figure: totals.value(name) for figure, name in _FIGURES.items()}
    return Evidence(
        engines=totals.engines,
        span=known.span,
        counted={figure: value for figure, value in read.items() if value is not None},
        finished=totals.values.get(EngineMetric.FINISHED, {}),
        answers=_lengths(totals, EngineMetric.REQUEST_OUTPUT_TOKENS),
        limits=_lengths(totals, EngineMetric.REQUEST_LIMIT),
        startup=known.startup,
        stated=known.stated,
        held=known.held,
        pricing=known.pricing,
    )


def _lengths(totals: Totals, metric: EngineMetric) -> Lengths | None:
    tokens = totals.value(f"{metric}_sum")
    return None if tokens is None else lengths(totals.values.get(f"{metric}_bucket", {}), tokens)
