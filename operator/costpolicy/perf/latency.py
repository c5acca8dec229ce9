"""Answers of the performance model: latencies with quantiles, capacity, and the ways there is no answer."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple


class Quantiles(NamedTuple):
    """Mean, median, 95th and 99th percentile of a duration over requests, in seconds."""

    mean: float
    p50: float
    p95: float
    p99: float

    def scaled(self, factor: float) -> "Quantiles":
        """Return all of them times a factor."""
        return Quantiles(mean=self.mean * factor, p50=self.p50 * factor, p95=self.p95 * factor, p99=self.p99 * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What one replica delivers under a given load.

    ``ttft`` and ``inter_token`` (time per output token after the first, averaged over a request) are seconds
    as the client sees them; ``output_tokens_per_second`` and ``requests_per_second`` are totals of the
    replica; ``running`` is the mean number of requests in the batch, ``kv_utilization`` the share of
    KV-cache tokens used.
    """

    ttft: Quantiles
    inter_token: Quantiles
    output_tokens_per_second: float
    requests_per_second: float
    running: float
    kv_utilization: float

    def corrected(self, ttft: float, inter_token: float) -> "Latency":
        """Return this with both latencies times the factor by which predictions were found to be off."""
        return replace(self, ttft=self.ttft.scaled(ttft), inter_token=self.inter_token.scaled(inter_token))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpredictable:
    """The model cannot say anything about this load; ``reason`` says why in one sentence."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturated:
    """The offered rate exceeds what the replica can sustain: ``capacity`` requests per second (0: none
    fits)."""

    capacity: float


class Binding(StrEnum):
    """What stops a replica from taking more requests per second."""

    TTFT = "ttft"
    INTER_TOKEN = "inter_token"  # noqa: S105 - a token of text
    KV_CACHE = "kv_cache"
    THROUGHPUT = "throughput"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The highest rate one replica sustains inside the objectives.

    ``requests_per_second`` is 0 when even one request at a time misses an objective; ``binding`` is what
    limits it; ``latency_at_zero`` is one request at a time, or Unpredictable when not even that fits.
    """

    requests_per_second: float
    binding: Binding
    latency_at_zero: Latency | Unpredictable
