"""What clients of a simulated replica saw, and how full it was."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from costpolicy.simulation.replica.requests import Request

_LOWEST_SHARE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Mean and percentiles of a duration, in seconds; ``count`` is how many there were."""

    mean: float
    p50: float
    p95: float
    p99: float
    count: int


def distribution(values: Iterable[tuple[float, int]]) -> Distribution:
    """Return mean and percentiles of (seconds, how often) pairs; a percentile is a value that occurred.

    Raises:
        ValueError: there are no values.
    """
    ordered = sorted(values)
    cumulated = list(accumulate(often for _, often in ordered))
    if not cumulated:
        raise ValueError("no request was measured: simulate more, or leave out fewer")
    count = cumulated[-1]
    median, high, highest = (
        ordered[bisect_left(cumulated, share * count - _LOWEST_SHARE)][0] for share in (0.5, 0.95, 0.99)
    )
    mean = sum(seconds * often for seconds, often in ordered) / count
    return Distribution(mean=mean, p50=median, p95=high, p99=highest, count=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run, its start and end left out.

    ``requests`` are those measured, in order of arrival; ``token_gaps`` all times between tokens of one request
    (with speculation between its steps) while they were served, as (seconds, how often). ``running``, ``waiting``
    and ``kv_utilization`` are means over
    time, the last as a share of all blocks (a shared prefix counts once); ``requests_per_second`` is the rate of
    answers, ``preemptions`` their number, both over the same ``seconds``.
    """

    requests: tuple[Request, ...]
    token_gaps: tuple[tuple[float, int], ...]
    seconds: float
    running: float
    waiting: float
    kv_utilization: float
    preemptions: int
    requests_per_second: float

    def ttft(self) -> Distribution:
        """Return the time to first token over requests."""
        return distribution((request.ttft, 1) for request in self.requests)

    def queued(self) -> Distribution:
        """Return the time until the scheduler took a request for the first time."""
        return distribution((request.queued, 1) for request in self.requests)

    def inter_token(self) -> Distribution:
        """Return the mean time between tokens of each request, over requests of at least two tokens."""
        means = (request.inter_token for request in self.requests)
        return distribution((seconds, 1) for seconds in means if seconds is not None)

    def token_gap(self) -> Distribution:
        """Return the time between two tokens of a request, over tokens: stalls show that a mean hides."""
        return distribution(self.token_gaps)
