"""The next step of a configuration change that is under way, from what runs and what was shown.

Written so that every step can be lost and taken again: it looks at the two variants' replicas and at spare
accelerators, and says what both should be.  Growing and rolling back need no permission; capacity of the old
variant is only given up for capacity of the new one that is already ready (or when downtime is allowed).

A user's edit is carried out as fast as capacity allows.  A better plan of the operator's own goes stage by stage: each
stage has more replicas of the new variant, shares the traffic by ready pods, and has to show evidence
(``rollout.evidence``); only after the last one may the old variant go.  What can alter answers has them compared first,
before a client gets any of them.
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

UNSCHEDULABLE_LIMIT = timedelta(minutes=15)
"""A canary that finds no node for this long is withdrawn."""
NEVER_READY_LIMIT = timedelta(hours=2)
"""A canary of which no replica was ready for this long is withdrawn: its image cannot be pulled, or its volume attached.
Startup probes end long before, and what they end counts as a crash."""
CRASH_LIMIT = 3
"""Restarts after which a canary that never became ready is withdrawn."""


class Phase(StrEnum):
    """Where a change is."""

    SURGING = "Surging"
    EVALUATING = "Evaluating"
    SHARING = "Sharing"
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
        stage: replicas of the new variant that the present stage is made of; ``wanted`` where there are no stages.
        proven: whether no stage has anything to show any more.
        sharing: whether the new variant takes traffic already.
        harmless: whether its answers are no worse, as far as they may differ at all; until then clients get none of them.
    """

    old: int
    old_ready: int
    new: int
    new_ready: int
    wanted: int
    spare: int | None
    one_less_carries: bool
    allow_downtime: bool
    stage: int
    proven: bool = True
    sharing: bool = False
    harmless: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What both variants should be now; ``shared``: the policy's Service sends traffic to both by ready pods."""

    phase: Phase
    old: int
    new: int
    shared: bool = False


def stages(wanted: int, step: Fraction) -> tuple[int, ...]:
    """Return the replicas of the new variant stage by stage: each ``step`` more of what is wanted, at least one more."""
    count = math.ceil(1 / step)
    return tuple(sorted({min(wanted, math.ceil(number * step * wanted)) for number in range(1, count + 1)}))


def next_step(now: Situation) -> Step:
    """Return the next step: promoted when the new variant carries everything and was proven, else grow to the stage,
    have answers compared, share the traffic and gather evidence, make room by replacing, or blocked.
    """
    if now.proven and now.harmless and now.new_ready >= now.wanted and now.new >= now.wanted:
        return Step(phase=Phase.PROMOTED, old=0, new=now.wanted)
    missing = now.stage - now.new
    room = missing if now.spare is None else min(now.spare, missing)
    if room > 0:
        return Step(phase=Phase.SURGING, old=now.old, new=now.new + room, shared=_mixed(now))
    if now.new_ready < now.new:  # one at a time: what was started has to be ready first
        return Step(phase=Phase.SURGING, old=now.old, new=now.new, shared=_mixed(now))
    if not now.harmless and now.new_ready >= 1:
        return Step(phase=Phase.EVALUATING, old=now.old, new=now.new)
    if not now.proven and now.new_ready >= 1:
        return Step(phase=Phase.SHARING, old=now.old, new=now.new, shared=True)
    return _make_room(now)


def _make_room(now: Situation) -> Step:
    if now.old > now.old_ready:  # a pod of the old variant is still starting or stopping: wait for its accelerators
        return Step(phase=Phase.REPLACING, old=now.old, new=now.new, shared=_mixed(now))
    carried = now.new_ready >= 1 or (now.old >= 2 and now.one_less_carries)
    # What serves is needed to compare answers with: it is never stopped for them.
    if now.old >= 1 and (carried or (now.allow_downtime and now.harmless)):
        return Step(phase=Phase.REPLACING, old=now.old - 1, new=now.new, shared=_mixed(now))
    return Step(phase=Phase.BLOCKED, old=now.old, new=now.new, shared=_mixed(now))


def _mixed(now: Situation) -> bool:
    """Traffic is shared once the new variant was put to the proof, and where the old one cannot carry it any more; never with
    one whose answers may be worse.
    """
    short = now.old_ready < now.wanted if now.proven else now.old_ready == 0
    return now.harmless and now.new_ready >= 1 and (now.sharing or short)
