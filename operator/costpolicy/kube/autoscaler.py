"""Autoscalers of whomever: HorizontalPodAutoscalers, and ScaledObjects of KEDA.

KEDA makes a HorizontalPodAutoscaler of each ScaledObject and copies its labels on it (KEDA 2.20, ``newHPAForScaledObject``),
so that labels alone do not say whose it is: what another kind controls is not ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from costpolicy.kube.gateway import MANAGED_BY, MANAGED_BY_LABEL, POLICY_LABEL, Object, ObjectRef, reference

_OWNER_KIND: Final = "CostPolicy"
_SCALED_OBJECT: Final = "ScaledObject"

CARRIED_ANNOTATION: Final = "costpolicy.dev/replicas-before-change"
"""How many replicas an autoscaler ran when a change began.  Written together with the bounds that may lower them, so that it
is not lost, whenever the operator ends."""


class Said(NamedTuple):
    """What a condition says: status and reason."""

    status: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler:
    """An autoscaler as stored.

    Attributes:
        policy: the policy that it was made for; empty: it is not ours.
        parent: the ScaledObject that it was made from; empty: none.
        target: the Deployment whose replicas it writes; empty: something else.
        annotations: what is noted on it, and what it is told.
        conditions: what its controller says of it, by type; nothing before it has looked at it.
    """

    ref: ObjectRef
    target: str
    policy: str = ""
    parent: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, Said] = field(default_factory=dict)

    @property
    def carried(self) -> int:
        """Return the replicas that it ran when a change began, as noted on it; 0: none is noted."""
        text = self.annotations.get(CARRIED_ANNOTATION, "")
        return int(text) if text.isdecimal() else 0


def made_here(item: Object) -> bool:
    """Return whether an object is a policy's child: by its label, unless another kind controls it."""
    metadata = item["metadata"]
    controllers = (owner for owner in metadata.get("ownerReferences", ()) if owner.get("controller"))
    ours = metadata.get("labels", {}).get(MANAGED_BY_LABEL) == MANAGED_BY
    return ours and all(owner["kind"] == _OWNER_KIND for owner in controllers)


def parse_autoscaler(item: Object) -> Autoscaler:
    """Read a HorizontalPodAutoscaler or a ScaledObject."""
    metadata = item["metadata"]
    owners = (owner["name"] for owner in metadata.get("ownerReferences", ()) if owner["kind"] == _SCALED_OBJECT)
    return Autoscaler(
        ref=reference(item),
        target=_target(item["spec"].get("scaleTargetRef", {})),
        policy=metadata["labels"].get(POLICY_LABEL, "") if made_here(item) else "",
        parent=next(owners, ""),
        annotations=metadata.get("annotations", {}),
        conditions={
            one["type"]: Said(status=one["status"], reason=one.get("reason", ""))
            for one in item.get("status", {}).get("conditions", ())
        },
    )


def _target(ref: Mapping[str, Any]) -> str:
    """Return the Deployment's name; a ScaledObject that names no kind means a Deployment."""
    deployment = ref.get("kind", "Deployment") == "Deployment"
    apps = ref.get("apiVersion", "apps/v1").startswith("apps/")
    return str(ref.get("name", "")) if deployment and apps else ""
