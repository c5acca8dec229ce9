"""What audits look at: what the engines of one deployment counted, how they were started, and what is stated of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.catalog.engines import Engine
from costpolicy.planning.demand import Demand
from costpolicy.savings.audit.lengths import Lengths
from costpolicy.savings.replan import Pricing
from costpolicy.units import Money


class Figure(StrEnum):
    """What engines count, all engines of a deployment together; seconds are sums over requests."""

    FIRST_TOKENS = "first tokens"
    """Requests whose first token left, whether or not somebody waited for the rest."""
    PROMPT_TOKENS = "prompt tokens"
    CACHED_TOKENS = "prompt tokens found in the prefix cache"
    GENERATED_TOKENS = "generated tokens"
    """For whomever."""
    ANSWERED_PROMPT_TOKENS = "prompt tokens of finished requests"
    ANSWERED_COMPUTED_TOKENS = "computed prompt tokens of finished requests"
    RUNNING = "running requests"
    """More at the end of the span than at its beginning (negative: fewer); of a lifetime those at its end."""
    WAITING = "waiting requests"
    KV_CACHE_USAGE = "share of the KV cache in use"
    PREEMPTIONS = "preemptions"
    END_TO_END_SECONDS = "seconds from arrival to the end"
    QUEUED_SECONDS = "seconds in the queue"
    WORKED_ON_SECONDS = "seconds in execution batches"
    DECODE_STEPS = "decoding steps of single requests"
    PROPOSED_TOKENS = "proposed tokens"
    ACCEPTED_TOKENS = "accepted tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a deployment is paid for: accelerators of all its replicas, and their price an hour."""

    accelerators: int
    accelerators_per_replica: int
    cost_per_hour: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Startup:
    """How engines were started.

    Attributes:
        release: the release of vLLM; ``None``: not known.
        arguments: what each flag was given, by its name (:func:`costpolicy.catalog.arguments.values_of`); ``None``: not
            known.
        environment: variables of their containers; ``None``: not known.
        prefix_caching: whether the engines say that they share prefixes; ``None``: they do not say.
    """

    release: Engine | None = None
    arguments: Mapping[str, str] | None = None
    environment: Mapping[str, str] | None = None
    prefix_caching: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What only people can say: tokens after which an answer is of no use, and tokens that prompts share."""

    useful_tokens: float | None = None
    shared_prefix_tokens: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One deployment over a span of time.

    Attributes:
        engines: how many were read.
        span: how long was counted; ``None``: not known, so there are no rates and no money.
        counted: what was counted; what no engine exports is absent.
        finished: finished requests by ``finished_reason``; a client that hangs up is under none.
        answers: generated tokens of finished requests.
        limits: the limits that were in force for them (vLLM's *effective* ones, not what clients asked).
        held: what is paid for; ``None``: not known.
        pricing: what plans cost, for any demand; missing where no plan can be made.
    """

    engines: int
    span: timedelta | None
    counted: Mapping[Figure, float]
    finished: Mapping[str, float] = field(default_factory=dict)
    answers: Lengths | None = None
    limits: Lengths | None = None
    startup: Startup = field(default_factory=Startup)
    stated: Stated = field(default_factory=Stated)
    held: Held | None = None
    pricing: Pricing | Missing = field(
        default_factory=lambda: Missing(reason=Reason.NOT_STATED, message="no model to plan for is named")
    )

    def demand(self) -> Demand | Missing:
        """Return what was asked of the engines, wasted work included."""
        served = self.counted.get(Figure.FIRST_TOKENS)
        if served is None:
            return Missing(reason=Reason.NO_SAMPLES, message="the engines do not export how many first tokens left")
        if self.span is None:
            return Missing(
                reason=Reason.NOT_STATED,
                message="how long was counted is not known: give --window, and the counters before it",
            )
        if served <= 0:
            return Missing(reason=Reason.NO_TRAFFIC, message="no request was served")
        prompt = self.counted.get(Figure.PROMPT_TOKENS, 0.0) / served
        return Demand(
            requests_per_second=served / self.span.total_seconds(),
            prompt_tokens=max(prompt, 1.0),
            output_tokens=max(self.counted.get(Figure.GENERATED_TOKENS, 0.0) / served, 1.0),
            cached_tokens=min(self.counted.get(Figure.CACHED_TOKENS, 0.0) / served, max(prompt - 1.0, 0.0)),
            source="Observed",
        )
