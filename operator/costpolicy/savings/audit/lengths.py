"""How long answers, or the limits that were set for them, are: what a histogram with few buckets can tell."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple


class Excess(NamedTuple):
    """What lies beyond a length: how many requests, and how many of their tokens."""

    requests: float
    tokens: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Token counts of requests: upper bounds of buckets, requests up to each, and the exact sum of all tokens.

    The last bound is infinite and its count is that of all requests.
    """

    bounds: tuple[float, ...]
    cumulative: tuple[float, ...]
    tokens: float

    @property
    def requests(self) -> float:
        """How many requests were counted."""
        return self.cumulative[-1] if self.cumulative else 0.0

    @property
    def mean(self) -> float | None:
        """Mean tokens of a request; ``None`` without requests."""
        return self.tokens / self.requests if self.requests > 0 else None

    def bound_of(self, share: float) -> float | None:
        """Return the smallest boundary that at least this share of the requests keeps; ``None``: no finite one, or no
        requests.
        """
        wanted = share * self.requests
        if wanted <= 0:
            return None
        kept = (bound for bound, count in zip(self.bounds, self.cumulative, strict=True) if count >= wanted - 1e-9)
        found = next(kept)
        return None if math.isinf(found) else found

    def beyond(self, length: float) -> Excess:
        """Return what lies beyond a length.

        Requests are taken to be spread evenly inside a bucket.  Long buckets are wide, so what lies beyond is not added up
        from them: it is the exact sum less what lies below, where buckets are narrow.
        """
        below, shorter = 0.0, 0.0
        for lower, upper, count in self._buckets():
            inside = min(max((length - lower) / (upper - lower), 0.0), 1.0) if not math.isinf(upper) else 0.0
            shorter += count * inside
            below += count * inside * (lower + min(upper, length)) / 2.0
        longer = max(self.requests - shorter, 0.0)
        return Excess(longer, max(self.tokens - below - longer * length, 0.0) if longer > 0 else 0.0)

    def _buckets(self) -> Iterator[tuple[float, float, float]]:
        edges = pairwise((0.0, *self.bounds))
        counts = pairwise((0.0, *self.cumulative))
        for (lower, upper), (before, until) in zip(edges, counts, strict=True):
            yield lower, upper, max(until - before, 0.0)


def lengths(buckets: Mapping[str, float], tokens: float) -> Lengths | None:
    """Read a histogram of tokens by its ``le`` label; ``None`` without the bucket of all requests."""
    if "+Inf" not in buckets:
        return None
    ordered = sorted((float(bound), count) for bound, count in buckets.items())
    cumulative: list[float] = []
    for _, count in ordered:
        cumulative.append(max(count, cumulative[-1] if cumulative else 0.0))
    return Lengths(bounds=tuple(bound for bound, _ in ordered), cumulative=tuple(cumulative), tokens=tokens)
