"""What is to be done about a policy: the answer of ``decide``."""

from dataclasses import dataclass, field
from datetime import timedelta

from costpolicy.api.status import CostPolicyStatus
from costpolicy.kube.gateway import EventType, Object, ObjectRef
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.snapshot import Planned


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDeployment:
    """A Deployment without ``.spec.replicas`` and the count that the second field manager applies.

    ``intent`` is ``None`` where the stored Deployment is left exactly as it is, but for its replicas; ``replicas`` is
    ``None`` where an autoscaler writes them.
    """

    ref: ObjectRef
    intent: Object | None
    replicas: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A change of mind worth an event."""

    type: EventType
    reason: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to write, in this order: objects, Deployments, deletions, status; then events.

    Attributes:
        look_again: when to decide again although nothing happened.
        outlook: what it was decided on; ``None``: nothing was planned.
    """

    status: CostPolicyStatus
    objects: tuple[Object, ...] = ()
    deployments: tuple[WantedDeployment, ...] = ()
    deletions: tuple[ObjectRef, ...] = ()
    news: tuple[News, ...] = ()
    look_again: timedelta = field(default=timedelta(seconds=30))
    outlook: Outlook | None = field(default=None, compare=False, repr=False)

    @property
    def planned(self) -> Planned | None:
        """What the planner was asked, for the next snapshot; ``None``: it was not asked."""
        return self.outlook.planned if self.outlook else None
