"""What a change of configuration costs by itself, in money: accelerators that are paid for while they load a model, fill
their prefix caches and show evidence, and capacity that is missing while replicas are replaced one by one.
"""

from datetime import timedelta
from typing import Final

from costpolicy.api.operation import Canary
from costpolicy.planning.demand import Demand
from costpolicy.rollout.evidence import WARM_UP
from costpolicy.rollout.transition import stages
from costpolicy.units import Money, parse_duration, parse_ratio

LOAD_BYTES_PER_SECOND: Final = 500_000_000
"""Download and load of weights together; a cautious figure for network storage."""
START_TIME: Final = timedelta(minutes=3)
"""Imports, compilation and CUDA graphs of vLLM on top of the weights (98 to 112 s measured on H100 and H200 with dummy weights)."""


def start_time(weights_bytes: int) -> timedelta:
    """Return how long a replica needs from scheduling to ready."""
    return START_TIME + timedelta(seconds=weights_bytes // LOAD_BYTES_PER_SECOND)


def canary_time(replicas: int, canary: Canary) -> timedelta:
    """Return how long all replicas of the new variant would have to run to cost what its stages of evidence cost, in which
    only some of them do, and the old variant serves as before.
    """
    duration = parse_duration(canary.duration)
    if not duration:
        return timedelta(0)
    return sum(stages(replicas, parse_ratio(canary.step))) * (WARM_UP + duration) / replicas


def evaluation_time(replicas: int, canary: Canary, took: timedelta) -> timedelta:
    """Return the same of the time in which the replicas of the first stage stand by until answers are compared."""
    return stages(replicas, parse_ratio(canary.step))[0] * took / replicas


def cold_cache_time(demand: Demand, kv_cache_tokens: int, capacity_per_replica: float) -> timedelta:
    """Return how long each replica of the new variant works to compute once what its prefix cache will then hold.

    Args:
        demand: that is planned for; its cached tokens are those that a warm cache saves.
        kv_cache_tokens: of one replica; of a full cache the share of the prompts that is found in it has to be computed.
        capacity_per_replica: requests per second that a replica with a warm cache is planned for.

    Cautious, as the whole cache is counted, and a token of a prompt as if it took as long as the mean of all tokens that a
    request computes; those of answers take longer.
    """
    computed = demand.prompt_tokens - demand.cached_tokens + demand.output_tokens
    if kv_cache_tokens <= 0 or capacity_per_replica <= 0 or computed <= 0:
        return timedelta(0)
    again = kv_cache_tokens * demand.cached_tokens / demand.prompt_tokens
    return timedelta(seconds=again / (capacity_per_replica * computed))


def lost_capacity(cost_per_replica: Money, one_by_one: int, weights_bytes: int) -> Money:
    """Return what the capacity is worth that is missing where no accelerator is spare: one replica at a time, while its
    successor starts.

    Args:
        cost_per_replica: of what serves, an hour.
        one_by_one: replicas that only get accelerators which another one gave up.
        weights_bytes: of one replica of the new variant.
    """
    return cost_per_replica.scaled(max(one_by_one, 0) * int(start_time(weights_bytes).total_seconds()), 3600)


def disruption_cost(target_cost_per_hour: Money, weights_bytes: int, working: timedelta) -> Money:
    """Return what the new variant costs while it does not replace the old one yet: it loads, and then works for nothing.

    Args:
        target_cost_per_hour: of all its replicas.
        weights_bytes: of one replica.
        working: how long all of them fill caches (:func:`cold_cache_time`) and show evidence (:func:`canary_time`).
    """
    seconds = int((start_time(weights_bytes) + working).total_seconds())
    return target_cost_per_hour.scaled(seconds, 3600)
