"""What simulated engines answer to each question about a variant, from its scrapes within the window of rates."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Final

from costpolicy.observe.answers import AnswerFigure
from costpolicy.observe.latency import Histogram, Tail
from costpolicy.simulation.engine import Reading
from costpolicy.simulation.scrape import Scrape
from costpolicy.simulation.traffic import Traffic
from costpolicy.units import MICROS_PER_UNIT

_NARROW: Final = 0.001
_SHARES: Final = (0.5 - _NARROW, 0.5 + _NARROW, 0.95 - _NARROW, 0.95 + _NARROW)


def answer(name: str, series: Sequence[Scrape]) -> list[tuple[dict[str, str], float]]:
    """Return what is answered to a question, by the labels that are there beside the variant's."""
    last = series[-1]
    if name in _PERCENTILES:
        return _buckets(last, *_PERCENTILES[name](last.reading))
    if name == "accelerators":
        return [({"state": state}, float(count)) for state, count in last.accelerators.items()]
    if name == "cost_per_hour":
        return [({"currency": "USD"}, last.cost_per_hour.micros / MICROS_PER_UNIT)]
    if name == "requests_finished":
        return [({"finished_reason": "stop"}, last.reading.served * last.replicas)]
    value = plain(name, series)
    if name == "output_tokens" and value is not None:
        # Simulated clients wait for the end, and no answer is longer than they ask for.
        longest = 2.0 * value
        extra = {AnswerFigure.LIMIT: longest, AnswerFigure.LONG: longest, AnswerFigure.ABANDONED: 0.0}
        return [({}, value), *(({"figure": figure.value}, of) for figure, of in extra.items())]
    return [] if value is None else [({}, value)]


def _buckets(last: Scrape, median: float, p95: float) -> list[tuple[dict[str, str], float]]:
    """Return a histogram that has its boundaries where the percentiles are, so that they can be read from it."""
    rate = last.reading.served * last.replicas
    if rate <= 0:
        return []
    buckets = zip(_edges(median, p95), _SHARES, strict=True)
    return [({"le": repr(edge)}, rate * share) for edge, share in buckets] + [({"le": "+Inf"}, rate)]


def tail(name: str, last: Scrape) -> Tail:
    """Return the 95th percentile that is read from the answer to a question about latency, where requests are served."""
    rate = last.reading.served * last.replicas
    bounds = (*_edges(*_PERCENTILES[name](last.reading)), inf)
    return Histogram(bounds=bounds, cumulative=(*(rate * share for share in _SHARES), rate)).quantile(0.95)


def _edges(median: float, p95: float) -> list[float]:
    return sorted(middle * (1 + side * _NARROW) for middle in (median, p95) for side in (-1, 1))


_PERCENTILES: Final[Mapping[str, Callable[[Reading], tuple[float, float]]]] = {
    "ttft_buckets": lambda reading: (reading.ttft_p50, reading.ttft_p95),
    "inter_token_buckets": lambda reading: (reading.inter_token_mean, reading.inter_token_p95),
}
"""Median and 95th percentile."""
_COUNTS: Final[Mapping[str, Callable[[Scrape], float]]] = {
    "generated_tokens": lambda last: last.reading.served * last.replicas * last.traffic.output_tokens,
    "waiting": lambda last: last.reading.waiting * last.replicas,
    "running": lambda last: last.reading.running * last.replicas,
    "kv_cache_usage": lambda last: last.reading.kv_cache_usage,
    "preemptions": lambda _: 0.0,
    "pods_up": lambda last: float(last.replicas),
    "last_sample": lambda last: last.at.timestamp(),
}
_SHAPES: Final[Mapping[str, Callable[[Traffic], float]]] = {
    "prompt_tokens": lambda traffic: traffic.prompt_tokens,
    "output_tokens": lambda traffic: traffic.output_tokens,
    "prefix_hit_ratio": lambda traffic: traffic.cached_tokens / traffic.prompt_tokens,
}
"""Means of requests, which do not exist without any."""


def plain(name: str, series: Sequence[Scrape]) -> float | None:
    """Return the one value of an answer; ``None`` where there is none."""
    last = series[-1]
    if name == "requests_offered":
        return sum(scrape.offered for scrape in series) / len(series)
    if name in _SHAPES:
        return _SHAPES[name](last.traffic) if last.reading.served > 0 else None
    return _COUNTS[name](last) if name in _COUNTS else None
