"""What requests were like over days: the lengths that a configuration is chosen for.

An hour's means are recorded of each policy, from the engines' histograms.  Of those a high one counts, by the same days and
quantiles as of rates (:mod:`costpolicy.observe.days`), so that a configuration which long requests need is not given up each
morning.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from costpolicy.observe.days import high_rate
from costpolicy.observe.source import Sample

QUIET: Final = 0.05
"""An hour with less than this share of the mean load of a day says nothing: a few odd requests are no shape."""


class ShapeFigure(StrEnum):
    """What is recorded of an hour's requests, as the label ``figure`` of one series.  All are means of tokens a request."""

    PROMPT_TOKENS = "prompt_tokens"
    COMPUTED_TOKENS = "computed_tokens"
    """Prompt tokens that were not found in the prefix cache."""
    OUTPUT_TOKENS = "output_tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestShape:
    """Tokens of a request; ``computed_tokens`` are those of the prompt that the prefix cache does not hold."""

    prompt_tokens: float
    computed_tokens: float
    output_tokens: float

    def at_least(self, other: "RequestShape") -> "RequestShape":
        """Return the longer of both in each respect."""
        return RequestShape(
            prompt_tokens=max(self.prompt_tokens, other.prompt_tokens),
            computed_tokens=max(self.computed_tokens, other.computed_tokens),
            output_tokens=max(self.output_tokens, other.output_tokens),
        )


def high_shape(samples: Iterable[Sample], span: timedelta | None) -> RequestShape | None:
    """Return the shape that a configuration is chosen for; ``None`` where nothing is recorded of it.

    Each figure by itself: the longest prompts and the longest answers need not have been the same requests.

    Args:
        samples: of one policy, by ``figure`` and by ``stretch`` of its history.
        span: how far back history reaches, as for rates.
    """
    figures: dict[str, dict[str, float]] = {}
    for sample in samples:
        if (figure := sample.labels.get("figure")) is not None:
            figures.setdefault(figure, {})[sample.labels.get("stretch", "")] = sample.value
    prompt, computed, output = (high_rate(figures.get(figure, {}), span) for figure in ShapeFigure)
    if prompt is None or computed is None or output is None or min(prompt, output) <= 0.0:
        return None
    return RequestShape(prompt_tokens=prompt, computed_tokens=min(computed, prompt), output_tokens=output)
