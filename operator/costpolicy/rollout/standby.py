"""How many on-demand replicas stand in for Spot capacity that is lost, and for how long.

Up at once, by as many as were lost; down only after a calm period, and never below what Spot does not carry itself.  Each
loss within a day of the last one doubles the calm period: a pool that is taken away every other hour is not relied on.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

CALM: Final = timedelta(minutes=30)
"""How long the number of lost replicas must have stayed the same before on-demand replicas go.  Pools that lose one machine
often lose more soon after, and a replica that comes back loads for minutes; half an hour on demand costs about as much
as one replica's load lost twice."""
LONGEST_CALM: Final = timedelta(hours=8)
"""How long that becomes at most."""
FORGOTTEN: Final = timedelta(hours=24)
"""How long after a loss another one counts as its repetition."""
LASTING: Final = timedelta(hours=24)
"""How long Spot capacity may be away before another configuration is looked for: most shortages are over within a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What has to be remembered: how many replicas are lost, since when that many, since when any, and how often so."""

    lost: int
    changed: datetime
    begun: datetime
    times: int = 1

    @property
    def calm(self) -> timedelta:
        """How long the number must stay the same before fewer replicas on demand run."""
        return min(CALM * (1 << min(self.times - 1, 10)), LONGEST_CALM)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotSituation:
    """Spot replicas and what stands in for them.

    Attributes:
        wanted: replicas that the load needs, on Spot.
        safe: of those, ready on nodes that stay.
        lost: without a node, or on one that is gone or about to go.
        most: replicas that may stand in: as many as carry all the load without one to spare, within the budget.
        standing: replicas on demand that are asked for now.
    """

    wanted: int
    safe: int
    lost: int
    most: int
    standing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyStep:
    """Replicas on demand to run now, and what to remember; ``None``: nothing is lost, and was not for a day."""

    replicas: int
    losses: Losses | None


def next_standby(spot: SpotSituation, before: Losses | None, now: datetime) -> StandbyStep:
    """Return how many replicas on demand to run now."""
    lost = min(spot.lost, spot.wanted)
    if before is None and not lost and not spot.standing:
        return StandbyStep(replicas=0, losses=None)
    losses = _remembered(lost, before, now)
    uncovered = max(spot.wanted - spot.safe, 0)
    kept = min(spot.standing, uncovered if now >= losses.changed + losses.calm else spot.wanted)
    replicas = max(min(lost, spot.most), kept)
    over = not lost and not replicas and now >= losses.changed + FORGOTTEN
    return StandbyStep(replicas=replicas, losses=None if over else losses)


def _remembered(lost: int, before: Losses | None, now: datetime) -> Losses:
    """Return the losses of now; a time from the future was written by a clock that has been set back since."""
    if before is None:
        return Losses(lost=lost, changed=now, begun=now)
    if lost and not before.lost:
        return Losses(lost=lost, changed=now, begun=now, times=before.times + 1)
    changed = min(before.changed, now) if before.lost == lost else now
    return replace(before, lost=lost, changed=changed, begun=min(before.begun, now))
