"""The next step of a configuration change that is under way, from what runs alone.

Written so that every step can be lost and taken again: it looks at the two variants' replicas and at spare
accelerators, and says what both should be.  Growing and rolling back need no permission; capacity of the old
variant is only given up for capacity of the new one that is already ready (or when downtime is allowed).
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

UNSCHEDULABLE_LIMIT = timedelta(minutes=15)
"""A canary that finds no node for this long is withdrawn."""
CRASH_LIMIT = 3
"""Restarts after which a canary that never became ready is withdrawn."""


class Phase(StrEnum):
    """Where a change is."""

    SURGING = "Surging"
    REPLACING = "Replacing"
    PROMOTED = "Promoted"
    BLOCKED = "NoSpareGPU"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known of a change.

    Attributes:
        old, old_ready: replicas of the serving variant, asked for and ready.
        new, new_ready: of the variant that shall replace it; 0 before it exists.
        wanted: replicas of the new variant that the demand needs.
        spare: replicas of the new variant for which accelerators are free now; ``None``: no limit.
        one_less_carries: whether one replica of the old variant fewer still carries the demand.
    """

    old: int
    old_ready: int
    new: int
    new_ready: int
    wanted: int
    spare: int | None
    one_less_carries: bool
    allow_downtime: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What both variants should be now; ``shared``: the policy's Service sends traffic to both by ready pods."""

    phase: Phase
    old: int
    new: int
    shared: bool = False


def next_step(now: Situation) -> Step:
    """Return the next step: promoted when the new variant carries everything, else surge, replace, or blocked."""
    if now.new_ready >= now.wanted and now.new >= now.wanted:
        return Step(phase=Phase.PROMOTED, old=0, new=now.wanted)
    room = now.wanted - now.new if now.spare is None else min(now.spare, now.wanted - now.new)
    if room > 0:
        return Step(phase=Phase.SURGING, old=now.old, new=now.new + room, shared=_mixed(now))
    if now.new_ready < now.new:  # one at a time: what was started has to be ready first
        return Step(phase=Phase.SURGING, old=now.old, new=now.new, shared=_mixed(now))
    return _make_room(now)


def _make_room(now: Situation) -> Step:
    if now.old > now.old_ready:  # a pod of the old variant is still starting or stopping: wait for its accelerators
        return Step(phase=Phase.REPLACING, old=now.old, new=now.new, shared=_mixed(now))
    carried = now.new_ready >= 1 or (now.old >= 2 and now.one_less_carries)
    if now.old >= 1 and (carried or now.allow_downtime):
        return Step(phase=Phase.REPLACING, old=now.old - 1, new=now.new, shared=_mixed(now))
    return Step(phase=Phase.BLOCKED, old=now.old, new=now.new, shared=_mixed(now))


def _mixed(now: Situation) -> bool:
    """Traffic is shared as soon as the old variant gives up replicas for ready ones of the new."""
    return now.new_ready >= 1 and now.old_ready < now.wanted
