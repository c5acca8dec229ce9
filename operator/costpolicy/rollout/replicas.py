"""The replica loop: minutes, stabilised in both directions, never a "change" in the sense of ``verdict``.

As in the HorizontalPodAutoscaler, a direction must be wanted for its whole stabilization time before it is followed;
the time since when is kept in the policy's status, so that a restart of the operator forgets nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from costpolicy.rollout.windows import Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A number of replicas that is wanted but not followed yet, since when, and the most that was wanted meanwhile."""

    replicas: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaStep:
    """What to run now; ``pending`` is to be remembered, ``look_again`` is how long until it may be followed."""

    replicas: int
    pending: Pending | None = None
    look_again: timedelta | None = None


def next_replicas(
    current: int,
    wanted: int,
    pending: Pending | None,
    stabilization: tuple[timedelta, timedelta],
    now: datetime,
) -> ReplicaStep:
    """Return how many replicas to run now.

    Args:
        current: replicas that are asked for now; 0 comes from a schedule and is left at once.
        wanted: replicas that the demand needs, inside the bounds.
        stabilization: how long more, and how long fewer, must have been wanted.
        now: the time.
    """
    if wanted == current:
        return ReplicaStep(replicas=current)
    growing = wanted > current
    wait = stabilization[0] if growing else stabilization[1]
    same_direction = pending is not None and (pending.replicas > current) == growing and pending.replicas != current
    # A time from the future was written by a clock that has been set back since: the wait begins anew.
    since = min(pending.since, now) if pending is not None and same_direction else now
    # While waiting, the safest of what was wanted is kept: the least when growing, the most when shrinking.
    settled = _safest(wanted, pending, growing=growing) if same_direction else wanted
    due = since + wait
    if now >= due or current == 0:
        return ReplicaStep(replicas=settled if current else wanted)
    return ReplicaStep(replicas=current, pending=Pending(replicas=settled, since=since), look_again=due - now)


def bounded(wanted: int, bounds: Bounds) -> int:
    """Return the wanted replicas inside the bounds."""
    return max(bounds.minimum, min(wanted, bounds.maximum))


def _safest(wanted: int, pending: Pending | None, *, growing: bool) -> int:
    if pending is None:
        return wanted
    return min(wanted, pending.replicas) if growing else max(wanted, pending.replicas)
