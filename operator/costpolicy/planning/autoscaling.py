"""What an autoscaler is told of a plan: how much of each sign of load one replica is meant to carry.

An autoscaler divides what all replicas show together by such a target.  Targets are what a replica shows at the rate
that it is planned for, so that an autoscaler and the plan ask for the same replicas at the same load.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from costpolicy.perf.latency import Latency
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.replica import Replica
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.sizing import affordable


class LoadSignal(StrEnum):
    """What an autoscaler reads; each is a sum over the replicas of a policy."""

    RUNNING = "requests_running"
    """Requests in the batches."""
    WAITING = "requests_waiting"
    """Requests in the queues."""
    KV_CACHE = "kv_cache_usage"
    """Shares of the KV caches in use; 2.0 is two full replicas."""


FEWEST: Final = 1
"""The HorizontalPodAutoscaler takes no less without a feature gate, and a model at 0 has no load that would wake it."""
TOLERANCE: Final = 0.9
"""The HorizontalPodAutoscaler ignores a tenth more than its target (``--horizontal-pod-autoscaler-tolerance``): a target
that much lower is acted on when the planned load is reached, and not when it is exceeded."""
_BUSY_CACHE: Final = 0.85
_FULLEST_CACHE: Final = 0.95
"""An engine preempts where its cache is full; requests longer than planned show here first."""
_NEARLY: Final = 0.99
"""At its very capacity a replica may already read as saturated."""


def load_targets(replica: Replica) -> Mapping[LoadSignal, float]:
    """Return what one replica shall carry of each signal: requests, or a share of its KV cache; never 0."""
    rate = replica.capacity.requests_per_second * _NEARLY
    planned = replica.at_rate(rate) if rate > 0 else None
    if not isinstance(planned, Latency):  # not even one request at a time keeps the promise: one is what it gets
        planned = None
    return {
        LoadSignal.RUNNING: _target(max(planned.running, 1.0) if planned else 1.0),
        LoadSignal.WAITING: _target(max(_queue(replica, planned, rate), 1.0) if planned else 1.0),
        LoadSignal.KV_CACHE: _target(min(max(planned.kv_utilization if planned else 0.0, _BUSY_CACHE), _FULLEST_CACHE)),
    }


def replica_limits(
    request: PlanRequest, configuration: Configuration, bounds: tuple[int, int], running: int
) -> tuple[int, int]:
    """Return the fewest and most replicas that an autoscaler may run, at least 1.

    Args:
        request: with the policy's promise and its limits.
        configuration: what a replica is.
        bounds: the policy's, of now; 0 as the second is a scheduled night.
        running: replicas that run: a budget stops growth, and takes nothing away.
    """
    minimum, maximum = bounds
    fewest = max(minimum, request.spec.objectives.availability.min_ready_replicas, FEWEST)
    capped = max(min(maximum, affordable(request, configuration)), min(running, maximum))
    return min(fewest, max(maximum, FEWEST)), max(capped, minimum, FEWEST)


def _queue(replica: Replica, planned: Latency, rate: float) -> float:
    """Return how many requests may wait before a replica so that the last one still starts in time, on average."""
    return 0.0 if replica.most_ttft is None else rate * (replica.most_ttft - planned.ttft.mean)


def _target(planned: float) -> float:
    """Return two digits: a prediction is not better than that, and what is applied must not flutter."""
    return float(f"{planned * TOLERANCE:.2g}")
