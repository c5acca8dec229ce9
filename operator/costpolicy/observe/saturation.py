"""What engines served while they were saturated: the most that they can, whatever is predicted for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from costpolicy.observe.source import Sample


class SaturationFigure(StrEnum):
    """What is asked of saturated engines, as the label ``figure``."""

    MINUTES = "minutes"
    """Minutes in which engines of a variant were saturated."""
    REQUESTS = "requests"
    """First tokens per second and replica in them."""
    PROMPT_TOKENS = "prompt_tokens"
    OUTPUT_TOKENS = "output_tokens"
    PREFIX_HIT_RATIO = "prefix_hit_ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """What a replica served while its queue never emptied and grew.  Tokens are means a request.

    Attributes:
        minutes: over which this was seen.
        requests_per_second: of one replica.
        cached_tokens: prompt tokens found in the prefix cache.
    """

    minutes: float
    requests_per_second: float
    prompt_tokens: float
    output_tokens: float
    cached_tokens: float


def saturations(samples: Iterable[Sample]) -> Mapping[str, Saturation]:
    """Return what samples of one policy describe completely, by kernels (``Configuration.kernels``)."""
    by_kernels: dict[str, dict[str, float]] = {}
    for sample in samples:
        figures = by_kernels.setdefault(sample.labels.get("kernels", ""), {})
        figures[sample.labels.get("figure", "")] = sample.value
    return described(by_kernels)


def described(by_kernels: Mapping[str, Mapping[str, float]]) -> Mapping[str, Saturation]:
    """Return the same of figures that are told apart already."""
    found = {kernels: _saturation(figures) for kernels, figures in by_kernels.items() if kernels}
    return {kernels: each for kernels, each in found.items() if each is not None}


def _saturation(figures: Mapping[str, float]) -> Saturation | None:
    """Return a saturation; ``None`` where something is missing that a prediction needs."""
    try:
        minutes, requests = figures[SaturationFigure.MINUTES], figures[SaturationFigure.REQUESTS]
        prompt, output = figures[SaturationFigure.PROMPT_TOKENS], figures[SaturationFigure.OUTPUT_TOKENS]
    except KeyError:
        return None
    if min(minutes, requests, prompt, output) <= 0.0:
        return None
    return Saturation(
        minutes=minutes,
        requests_per_second=requests,
        prompt_tokens=prompt,
        output_tokens=output,
        cached_tokens=prompt * min(figures.get(SaturationFigure.PREFIX_HIT_RATIO, 0.0), 1.0),
    )
