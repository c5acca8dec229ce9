"""What a change of configuration costs by itself, in money: accelerators that are paid for while they load a model."""

from datetime import timedelta
from typing import Final

from costpolicy.units import Money

LOAD_BYTES_PER_SECOND: Final = 500_000_000
"""Download and load of weights together; a cautious figure for network storage."""
START_TIME: Final = timedelta(minutes=3)
"""Imports, compilation and CUDA graphs of vLLM on top of the weights (98 to 112 s measured on H100 and H200 with dummy weights)."""


def start_time(weights_bytes: int) -> timedelta:
    """Return how long a replica needs from scheduling to ready."""
    return START_TIME + timedelta(seconds=weights_bytes // LOAD_BYTES_PER_SECOND)


def disruption_cost(target_cost_per_hour: Money, weights_bytes: int) -> Money:
    """Return what the new variant costs while it does not serve yet and the old one still does."""
    seconds = int(start_time(weights_bytes).total_seconds())
    return target_cost_per_hour.scaled(seconds, 3600)
