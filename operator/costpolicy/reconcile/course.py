"""What shall run next: the answers of both loops as variants with replicas and roles."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

from costpolicy.api.reasons import Reason
from costpolicy.api.status import AheadStatus, Receipt, RolloutStatus, ScalingStatus, StandbyStatus
from costpolicy.kube.gateway import Object
from costpolicy.planning.plan import Rejection, Target
from costpolicy.reconcile.decision import News
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.rollout.verdict import Hold

Role = Literal["Stable", "Canary", "Standby", "Retiring"]
STEADY: Final = "Steady"
INFEASIBLE: Final = "Infeasible"
"""Phase while a user's edit waits for a plan that is possible."""
SUPERSEDED: Final = Reason.SUPERSEDED
"""Phase between two edits: the first one's variant goes, the second one's comes next."""
WATCHING: Final = timedelta(seconds=5)
"""How often a change is looked at while it is under way; every step of it also arrives as a watch event."""
CALM: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedVariant:
    """A variant that shall exist.  ``objects`` is ``None`` where the stored ones are left exactly as they are."""

    hash: str
    role: Role
    replicas: int
    objects: tuple[Object, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """An evaluation that goes on: the name of its Job, and the Job or the ConfigMap that pauses it, to be applied; ``news``:
    it is asked for now.
    """

    job: str
    objects: tuple[Object, ...] = ()
    news: tuple[News, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What shall run.

    Attributes:
        variants: all that shall exist; any other is deleted.
        service: hash of the variant that the policy's Service names; ``None``: traffic is shared by ready pods.
        hold: what speaks against a better plan that exists.
        asked: the Job that goes on asking, and what is to be applied of it.
    """

    variants: tuple[WantedVariant, ...] = ()
    service: str | None = None
    rollout: RolloutStatus | None = None
    scaling: ScalingStatus | None = None
    ahead: AheadStatus | None = None
    standby: StandbyStatus | None = None
    hold: Hold | None = None
    receipt: Receipt | None = None
    news: tuple[News, ...] = ()
    asked: Questions | None = None
    look_again: timedelta = field(default=CALM)


def again(outlook: Outlook, variant: LiveVariant, replicas: int, role: Role = "Stable") -> WantedVariant:
    """Keep a variant: what was changed by hand is put right, unless the user's edit makes it another variant."""
    rendered = outlook.rendered_again(variant)
    same = rendered is not None and rendered.hash == variant.hash
    return WantedVariant(
        hash=variant.hash,
        role=role,
        replicas=replicas,
        objects=rendered.objects if rendered and same else None,
    )


def running_target(outlook: Outlook, stable: LiveVariant) -> Target | Rejection:
    """Return what serves with the replicas that the planned demand needs, or why it cannot keep the promise."""
    if stable.configuration is None:
        return Rejection(reason=Reason.INVALID_POLICY, message="what runs is not known: its annotation was removed")
    return outlook.sized(stable.configuration)


def last_rollout(outlook: Outlook) -> RolloutStatus:
    """Return what status remembers of changes."""
    status = outlook.snapshot.policy.status
    return status.rollout if status and status.rollout else RolloutStatus(phase=STEADY)
