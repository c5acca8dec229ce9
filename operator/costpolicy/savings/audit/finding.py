"""What an audit answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.planning.demand import Demand
from costpolicy.savings.audit.evidence import Evidence, Figure
from costpolicy.savings.replan import Pricing, Saving, nothing_saved


class Confidence(StrEnum):
    """How sure it is that what was found is waste."""

    HIGH = "High"
    """Counted."""
    MEDIUM = "Medium"
    """Counted, and one usual reading of it."""
    LOW = "Low"
    """Inferred, so ask those who wrote the client; or priced by what is claimed in general."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Waste.

    Attributes:
        evidence: what was seen, in a sentence with its figures.
        advice: what to do.
        saving: by planning anew without it; missing where that cannot be said.
        wasted_tokens: over the span, where tokens are what is wasted.
        share: of the tokens of their kind.
    """

    evidence: str
    advice: str
    confidence: Confidence
    saving: Saving | Missing
    wasted_tokens: float | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """No waste, but something that already saves; without it the plan would cost as much more."""

    evidence: str
    saving: Saving | Missing
    spared_tokens: float


@dataclass(frozen=True, slots=True)
class Healthy:
    """Looked at, and nothing to say."""


Answer: TypeAlias = Found | Kept | Healthy | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One kind of waste: its name, what it is in words, the counters that it reads, and the judgement."""

    name: str
    title: str
    needs: tuple[Figure, ...]
    judge: Callable[[Evidence], Answer]

    def answer(self, evidence: Evidence) -> Answer:
        """Return what is to be said; what is not counted is never taken for 0."""
        absent = [figure for figure in self.needs if figure not in evidence.counted]
        if absent:
            return Missing(reason=Reason.NO_SAMPLES, message=f"the engines do not export {' and '.join(absent)}")
        return self.judge(evidence)


def saving_of(evidence: Evidence, without: Callable[[Demand], Demand]) -> Saving | Missing:
    """Return what it saves when the demand becomes what it is without some waste."""

    def saving(pricing: Pricing, demand: Demand) -> Saving | Missing:
        less = without(demand)
        return nothing_saved() if less == demand else pricing.saving(demand, less)

    return priced(evidence, saving)


def priced(evidence: Evidence, saving: Callable[[Pricing, Demand], Saving | Missing]) -> Saving | Missing:
    """Return what is saved of what was asked of the engines; missing where that or its price is not known."""
    demand = evidence.demand()
    if isinstance(demand, Missing):
        return demand
    return evidence.pricing if isinstance(evidence.pricing, Missing) else saving(evidence.pricing, demand)


def per_request(evidence: Evidence, total: float) -> float:
    """Return a total over the requests that were served."""
    return total / max(evidence.counted[Figure.FIRST_TOKENS], 1.0)


Answers: TypeAlias = Mapping[Audit, Answer]
