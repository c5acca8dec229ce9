"""How often proposed tokens are accepted in a deployment's own traffic, and what of that a promise may rest on.

An hour's acceptance is the one at which the closed form (``Speculation.tokens_per_step``) yields as many tokens a step as
were seen; steps in which nothing was proposed count, so that an n-gram proposer that finds nothing is seen to.  What is
counted on is the lower bound of the mean over hours, less what published measurements say that the slowest requests lack
of a mean (``Acceptance.cautious`` over ``lowest``): counters tell the mean of all requests only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import floor, sqrt
from typing import Final

from costpolicy.perf.calibration import PRIOR_WINDOWS, independent_weights
from costpolicy.perf.speculation import Acceptance, Speculation
from costpolicy.perf.uncertainty import QUANTILE

MIN_STEPS: Final = 5_000
"""Steps of single requests in an hour, below which it says nothing: some 30 answers of 250 tokens.  Requests differ by a
quarter of their mean (EAGLE's slowest in the published measurements), so that the mean of 30 is known to 5 %."""

_SMALLEST_SPREAD: Final = 0.02
"""Of the acceptance between hours, as a standard deviation: half of what EAGLE's means differ by from text to text."""

_HALVINGS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeculatedHour:
    """One hour of one proposer: decode steps of single requests, and tokens proposed and accepted in them."""

    until: datetime
    steps: float
    proposed: float
    accepted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedAcceptance:
    """What hours of traffic showed of one proposer.

    Attributes:
        counted: probability that a promise may rest on, as :attr:`Acceptance.cautious`, in whole hundredths.
        mean: probability of the mean request, its lower bound ``lowest``.
        tokens_per_step: tokens that a step yielded on average.
        accepted_share: accepted tokens over proposed ones.
        steps: steps of single requests that were seen, in ``hours`` hours.
    """

    counted: float
    mean: float
    lowest: float
    tokens_per_step: float
    accepted_share: float
    steps: float
    hours: int


def observed_acceptance(
    published: Acceptance, tokens: int, hours: Iterable[SpeculatedHour]
) -> ObservedAcceptance | None:
    """Return what hours of a proposer of ``tokens`` tokens say; ``None`` where none of them saw enough."""
    used = sorted((each for each in hours if each.steps >= MIN_STEPS), key=lambda each: each.until)
    if not used:
        return None
    found = [acceptance_of(each.accepted / each.steps, tokens) for each in used]
    weights = independent_weights([each.until for each in used])
    independent = sum(weights)
    mean = sum(weight * each for weight, each in zip(weights, found, strict=True)) / independent
    prior = max(_SMALLEST_SPREAD, (published.highest - published.lowest) / 2.0)
    seen = sum(weight * (each - mean) ** 2 for weight, each in zip(weights, found, strict=True))
    variance = (PRIOR_WINDOWS * prior**2 + seen) / (PRIOR_WINDOWS + independent - 1.0)
    lowest = max(0.0, mean - QUANTILE * sqrt(variance / independent))
    steps, proposed = sum(each.steps for each in used), sum(each.proposed for each in used)
    accepted = sum(each.accepted for each in used)
    return ObservedAcceptance(
        counted=floor(100.0 * lowest * published.cautious / published.lowest) / 100.0,
        mean=mean,
        lowest=lowest,
        tokens_per_step=1.0 + accepted / steps,
        accepted_share=accepted / proposed if proposed else 0.0,
        steps=steps,
        hours=len(used),
    )


def acceptance_of(accepted: float, tokens: int) -> float:
    """Return the acceptance at which so many of ``tokens`` proposed tokens are accepted a step, to a millionth."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if Speculation(tokens=tokens, acceptance=middle).tokens_per_step - 1.0 < accepted:
            low = middle
        else:
            high = middle
    return low if accepted < tokens else 1.0
