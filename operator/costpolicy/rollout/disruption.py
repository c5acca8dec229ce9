"""What a change of configuration costs by itself, in money: accelerators that are paid for while they load a model."""

from datetime import timedelta
from typing import Final

from costpolicy.api.operation import Canary
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


def disruption_cost(target_cost_per_hour: Money, weights_bytes: int, evidence: timedelta) -> Money:
    """Return what the new variant costs while it does not replace the old one yet: it loads, and shows evidence.

    Args:
        target_cost_per_hour: of all its replicas.
        weights_bytes: of one replica.
        evidence: as :func:`canary_time` says.
    """
    seconds = int((start_time(weights_bytes) + evidence).total_seconds())
    return target_cost_per_hour.scaled(seconds, 3600)
