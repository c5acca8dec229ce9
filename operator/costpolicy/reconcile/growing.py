"""What serves grows with the load while another variant is on its way to replace it."""

from datetime import datetime

from costpolicy.planning.configuration import Configuration
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.steady import follow_load
from costpolicy.rollout.replicas import ReplicaStep


def grown(
    outlook: Outlook, stable: LiveVariant, other: tuple[Configuration, int], now: datetime
) -> tuple[int, ReplicaStep]:
    """Return the replicas of what serves, and the step of the replica loop that they come from.

    Never fewer than run: what is given up is given up for a successor that is ready.  No more than find accelerators, less
    those that ``other`` (its configuration, and how many replicas it has just been given) starts on: a change that is
    blocked helps nobody, and what finds none would be taken for a want of accelerators.
    """
    follow = follow_load(outlook, stable, now)
    if stable.configuration is None:
        return stable.replicas, follow
    spare = outlook.spare_replicas(stable.configuration) - _claimed(stable.configuration, *other)
    return max(stable.replicas, min(follow.replicas, stable.replicas + spare)), follow


def _claimed(mine: Configuration, other: Configuration, replicas: int) -> int:
    """Return how many replicas of one configuration those of another take the accelerators of."""
    if (mine.accelerator, mine.capacity_type) != (other.accelerator, other.capacity_type):
        return 0
    return -(-replicas * other.accelerators_per_replica // mine.accelerators_per_replica)
