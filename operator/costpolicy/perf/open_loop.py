"""An open loop: requests arrive at random, whether or not earlier ones are answered.

A stated approximation, steady state, in the mean number of requests that decode (:mod:`costpolicy.perf.load`) and
in moments of the latencies (:mod:`costpolicy.perf.random_latency`), checked against a simulation of the scheduler.
"""

from math import inf, sqrt
from typing import Final

from costpolicy.perf import constants
from costpolicy.perf.crossing import NEARLY_IDLE, crossing, running_at
from costpolicy.perf.latency import Binding, Capacity, Latency, Saturated, Unpredictable
from costpolicy.perf.load import Load, Replica, flow_at, loaded, reduced
from costpolicy.perf.random_latency import inter_token, ttft
from costpolicy.perf.shape import EngineShape, Workload


def open_loop(
    shape: EngineShape, workload: Workload, requests_per_second: float
) -> Latency | Saturated | Unpredictable:
    """Return the latencies at a rate of arrivals.

    Saturated carries the rate beyond which the queue grows without end; Unpredictable means that not even one
    request fits.

    Raises:
        ValueError: the rate is negative or not finite.
    """
    replica = reduced(shape, workload)
    return replica if isinstance(replica, Unpredictable) else latency_at(replica, requests_per_second)


def latency_at(replica: Replica, requests_per_second: float) -> Latency | Saturated:
    """Return :func:`open_loop` of a replica that is reduced already.

    Raises:
        ValueError: the rate is negative or not finite.
    """
    if not 0.0 <= requests_per_second < inf:
        raise ValueError(f"requests per second must be finite and not negative, not {requests_per_second}")
    most, highest = replica.saturation
    if requests_per_second >= highest:
        return Saturated(capacity=highest)
    running = NEARLY_IDLE
    if requests_per_second > 0.0:
        ends = flow_at(replica, NEARLY_IDLE).rate, highest
        running = running_at(requests_per_second, lambda n: flow_at(replica, n).rate, most, ends)
    return _latency(replica, loaded(replica, running))


def capacity(shape: EngineShape, workload: Workload, ttft_p95: float | None, inter_token_p95: float | None) -> Capacity:
    """Return the highest rate of arrivals at which p95 of both latencies keeps its objective (seconds).

    ``None`` is no objective; an objective is more than 0.  Margins for the model's own error are the caller's: pass
    objectives divided by them.
    """
    return capacity_of(reduced(shape, workload), ttft_p95, inter_token_p95)


def capacity_of(
    replica: Replica | Unpredictable, ttft_p95: float | None, inter_token_p95: float | None, reached: float = 1.0
) -> Capacity:
    """Return :func:`capacity` of a replica that is reduced already.

    ``reached`` is the share of the predicted saturation at which it was seen to be saturated.
    """
    if isinstance(replica, Unpredictable):
        return Capacity(requests_per_second=0.0, binding=Binding.KV_CACHE, latency_at_zero=replica)
    most, highest = replica.saturation
    limits = _Limits(
        replica,
        highest * reached,
        inf if ttft_p95 is None else ttft_p95,
        inf if inter_token_p95 is None else inter_token_p95,
    )
    idle = loaded(replica, NEARLY_IDLE)
    at_zero = _latency(replica, idle)
    strain, binding = limits.strain(idle)
    if strain > 1.0:
        return Capacity(requests_per_second=0.0, binding=binding, latency_at_zero=at_zero)
    ends = strain, limits.strain(loaded(replica, most))[0]
    running = crossing(lambda n: limits.strain(loaded(replica, n))[0], most, ends)
    load = loaded(replica, running)
    return Capacity(requests_per_second=load.rate, binding=limits.strain(load)[1], latency_at_zero=at_zero)


_STRAINED: Final = (Binding.THROUGHPUT, Binding.KV_CACHE, Binding.INTER_TOKEN, Binding.TTFT)
"""The limits in the order in which they are named where several are strained alike."""


class _Limits:
    """What holds a replica back: each limit as a strain, the share of it that is used."""

    __slots__ = ("_inter_token", "_replica", "_saturation", "_ttft")

    def __init__(self, replica: Replica, saturation: float, ttft: float, inter_token: float) -> None:
        self._replica = replica
        self._saturation = saturation
        self._ttft = ttft
        self._inter_token = inter_token

    def strain(self, load: Load) -> tuple[float, Binding]:
        """Return the largest strain and the limit it belongs to."""
        replica = self._replica
        # Data-parallel ranks fill by chance each, which is more of few requests than of all together.
        chance = load.fluctuation * sqrt(replica.served.cost.ranks)
        seats = (load.running + chance + 1.0) / (replica.served.kv_seats + 1.0)
        strains = (
            load.rate / (constants.MAX_THROUGHPUT_SHARE * self._saturation),
            seats / constants.KV_HEADROOM,
            inter_token(replica, load).p95 / self._inter_token,
            ttft(replica, load).p95 / self._ttft,
        )
        largest = max(strains)
        return largest, _STRAINED[strains.index(largest)]


def _latency(replica: Replica, at: Load) -> Latency:
    return Latency(
        ttft=ttft(replica, at),
        inter_token=inter_token(replica, at),
        output_tokens_per_second=at.rate * replica.served.output_tokens,
        requests_per_second=at.rate,
        running=at.running,
        kv_utilization=min(1.0, at.running / replica.served.kv_seats),
    )
