"""One past hour of one variant: its load, the shape of its requests, and the mean latencies that they met."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from costpolicy.observe.source import Sample

_SECONDS: Final = 3600.0


class WindowFigure(StrEnum):
    """What is recorded of an hour, as the label ``figure`` of one series."""

    REQUESTS = "requests"
    """First tokens that left in the hour; absent where no engine ran at its beginning."""
    ENGINES = "engines"
    """Mean number of replicas over the hour; the data-parallel ranks of one are one."""
    PROMPT_TOKENS = "prompt_tokens"
    OUTPUT_TOKENS = "output_tokens"
    PREFIX_HIT_RATIO = "prefix_hit_ratio"
    TTFT = "ttft_seconds"
    INTER_TOKEN = "inter_token_latency_seconds"  # noqa: S105 - a metric, not a secret
    DECODE_STEPS = "decode_steps"
    """Steps of single requests, of a variant that speculates; this and the next two carry the label ``proposer``."""
    PROPOSED_TOKENS = "proposed_tokens"
    ACCEPTED_TOKENS = "accepted_tokens"


class Speculated(NamedTuple):
    """What was proposed in an hour: by whom (``Proposer.label``), steps of single requests, and tokens."""

    proposer: str
    steps: float
    proposed: float
    accepted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadWindow:
    """An hour with requests.  Tokens are means a request, latencies means in seconds; ``None`` is not known.

    Attributes:
        until: its end.
        requests: of all replicas together.
        requests_per_second: of one replica.
        cached_tokens: prompt tokens found in the prefix cache.
        inter_token: of steps where several tokens come in one.
        speculated: what was proposed; ``None`` without speculative decoding.
    """

    until: datetime
    requests: float
    requests_per_second: float
    prompt_tokens: float
    output_tokens: float
    cached_tokens: float
    ttft: float
    inter_token: float | None
    speculated: Speculated | None = None


def load_windows(samples: Iterable[Sample]) -> tuple[LoadWindow, ...]:
    """Return the windows that samples of one variant describe completely, oldest first."""
    by_time: dict[datetime, dict[str, float]] = {}
    proposers: dict[datetime, str] = {}
    for sample in samples:
        by_time.setdefault(sample.timestamp, {})[sample.labels.get("figure", "")] = sample.value
        if sample.labels.get("proposer"):
            proposers[sample.timestamp] = sample.labels["proposer"]
    windows = (_window(until, by_time[until], proposers.get(until)) for until in sorted(by_time))
    return tuple(window for window in windows if window is not None)


def _window(until: datetime, figures: Mapping[str, float], proposer: str | None) -> LoadWindow | None:
    """Return a window; ``None`` where something is missing that a prediction needs, or where nothing was served."""
    try:
        requests, engines = figures[WindowFigure.REQUESTS], figures[WindowFigure.ENGINES]
        prompt, output = figures[WindowFigure.PROMPT_TOKENS], figures[WindowFigure.OUTPUT_TOKENS]
        ttft = figures[WindowFigure.TTFT]
    except KeyError:
        return None
    if min(requests, engines, prompt, output, ttft) <= 0.0:
        return None
    inter_token = figures.get(WindowFigure.INTER_TOKEN)
    return LoadWindow(
        until=until,
        requests=requests,
        requests_per_second=requests / engines / _SECONDS,
        prompt_tokens=prompt,
        output_tokens=output,
        cached_tokens=prompt * min(figures.get(WindowFigure.PREFIX_HIT_RATIO, 0.0), 1.0),
        ttft=ttft,
        inter_token=inter_token or None,
        speculated=None if proposer is None else _speculated(proposer, figures),
    )


def _speculated(proposer: str, figures: Mapping[str, float]) -> Speculated | None:
    """Return what was proposed; ``None`` where nothing was decoded, or where the engine does not say."""
    steps, accepted = figures.get(WindowFigure.DECODE_STEPS), figures.get(WindowFigure.ACCEPTED_TOKENS)
    if not steps or accepted is None:
        return None
    return Speculated(proposer, steps, figures.get(WindowFigure.PROPOSED_TOKENS, 0.0), accepted)
