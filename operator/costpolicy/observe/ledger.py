"""Hours of the ledger: what a policy's accelerators cost in each, and what they served."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from costpolicy.observe.source import Sample
from costpolicy.units import MICROS_PER_UNIT, Money

_KNOWN: Final = 0.9
"""Share of an hour in which an operator has to be scraped for its cost to be known."""
_SERVED: Final = 0.75
"""Share of the time in which accelerators were held that engines have to be scraped in: starting ones answer no scrape."""


class LedgerFigure(StrEnum):
    """What is recorded of an hour, as the label ``figure`` of one series."""

    COST = "cost"
    """Price in force times accelerators held, by accelerator, capacity type, state and currency."""
    ACCELERATORS = "accelerators"
    """Accelerator-hours, by accelerator, capacity type and state."""
    REQUESTS = "requests"
    """Requests that got their answer."""
    PROMPT_TOKENS = "prompt_tokens"
    CACHED_TOKENS = "cached_tokens"
    """Prompt tokens that were found in the prefix cache, and so not computed."""
    OUTPUT_TOKENS = "output_tokens"
    SCRAPED = "scraped"
    """Share of the hour in which engines of the policy were scraped."""
    HELD = "held"
    """Share of the hour in which the policy held accelerators."""


class Per(StrEnum):
    """What a cost is divided by, as the label ``per`` of one series.

    Of all tokens: the whole cost over prompt and output tokens.  Input and output split it by the time that requests spent in
    prefill and in decoding, as OpenCost's inference costs do; cached tokens are no work and carry no cost of their own.
    """

    REQUEST = "request"
    MILLION_TOKENS = "million_tokens"
    MILLION_INPUT_TOKENS = "million_input_tokens"
    """Prompt tokens, cached ones included: what a client sees."""
    MILLION_COMPUTED_INPUT_TOKENS = "million_computed_input_tokens"
    """Prompt tokens that were computed: what the accelerator sees."""
    MILLION_OUTPUT_TOKENS = "million_output_tokens"


Held: TypeAlias = tuple[str, str]
"""An accelerator and how it is paid for, by their names in the API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerHour:
    """One hour of one policy, of which enough is known.

    Attributes:
        until: its end.
        costs: what each offering cost, rounded to the micro-unit.
        accelerators: accelerator-hours of each.
        requests, prompt_tokens, cached_tokens, output_tokens: what was served.
    """

    until: datetime
    costs: Mapping[Held, Money]
    accelerators: Mapping[Held, float]
    requests: int
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int


@dataclass(slots=True)
class _Page:
    """The samples of one hour; ``currencies``: those of its costs."""

    plain: dict[str, float] = field(default_factory=dict)
    costs: dict[Held, Money] = field(default_factory=dict)
    accelerators: dict[Held, float] = field(default_factory=dict)
    currencies: set[str] = field(default_factory=set)

    def take(self, sample: Sample) -> None:
        labels = sample.labels
        held = (labels.get("accelerator", ""), labels.get("capacity_type", ""))
        match labels.get("figure"):
            case LedgerFigure.COST:
                self.costs[held] = Money(round(sample.value * MICROS_PER_UNIT))
                self.currencies.add(labels.get("currency", ""))
            case LedgerFigure.ACCELERATORS:
                self.accelerators[held] = sample.value
            case str(figure):
                self.plain[figure] = sample.value
            case None:
                pass

    def hour(self, until: datetime) -> LedgerHour | None:
        """Return the hour; ``None`` where its costs or what it served are not known well enough."""
        held = self.plain.get(LedgerFigure.HELD, 0.0)
        unpriced = self.accelerators.keys() - self.costs.keys()
        unscraped = self.plain.get(LedgerFigure.SCRAPED, 0.0) < _SERVED * held
        if unpriced or unscraped or len(self.currencies) > 1:
            return None
        requests, prompt, cached, output = (
            round(self.plain.get(figure, 0.0))
            for figure in (
                LedgerFigure.REQUESTS,
                LedgerFigure.PROMPT_TOKENS,
                LedgerFigure.CACHED_TOKENS,
                LedgerFigure.OUTPUT_TOKENS,
            )
        )
        return LedgerHour(
            until=until,
            costs=self.costs,
            accelerators=self.accelerators,
            requests=requests,
            prompt_tokens=prompt,
            cached_tokens=cached,
            output_tokens=output,
        )


def ledger_hours(samples: Iterable[Sample], known: Iterable[Sample]) -> tuple[LedgerHour, ...]:
    """Return the hours of one policy that are known, oldest first.

    Args:
        samples: of the policy (:func:`costpolicy.observe.ledger_queries.ledger_of`).
        known: at each hour, the share of it in which an operator was scraped.  A policy without samples then held nothing.
    """
    pages = {sample.timestamp: _Page() for sample in known if sample.value >= _KNOWN}
    for sample in samples:
        page = pages.get(sample.timestamp)
        if page is not None:
            page.take(sample)
    hours = (pages[until].hour(until) for until in sorted(pages))
    return tuple(hour for hour in hours if hour is not None)
