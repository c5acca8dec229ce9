"""Variants that were tried and taken back: remembered until something relevant has changed.

An edit of the policy is a new question; a variant that found no node waits for more free accelerators.  What an engine
died of is part of the variant (image, arguments), so that a change of it makes another variant anyway.
"""

from typing import Final

from costpolicy.api.reasons import Reason
from costpolicy.api.status import RejectedVariant
from costpolicy.reconcile.change import Change
from costpolicy.reconcile.course import last_rollout
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook

REMEMBERED: Final = 4


def with_rejected(outlook: Outlook, canary: LiveVariant, reason: str) -> tuple[RejectedVariant, ...]:
    """Return what status shall remember once a canary has been taken back, the last one first."""
    failed = RejectedVariant(
        variant=canary.hash,
        reason=reason,
        generation=outlook.snapshot.policy.metadata.generation,
        spare=_spare(outlook, canary),
    )
    others = (one for one in last_rollout(outlook).rejected if one.variant != canary.hash)
    return (failed, *others)[:REMEMBERED]


def rejected(outlook: Outlook, change: Change) -> RejectedVariant | None:
    """Return the attempt that speaks against a change: one for each edit of the user, one for each variant otherwise."""
    generation = outlook.snapshot.policy.metadata.generation
    tried = [one for one in last_rollout(outlook).rejected if one.generation == generation]
    if change.trigger == "SpecChange":
        return tried[0] if tried else None
    hash_ = outlook.rendered(change.target).hash
    found = next((one for one in tried if one.variant == hash_), None)
    if found is None or found.reason != Reason.CANARY_UNSCHEDULABLE:
        return found
    return found if outlook.spare_replicas(change.target.configuration) <= found.spare else None


def _spare(outlook: Outlook, canary: LiveVariant) -> int:
    """Return the replicas that accelerators are free for once the canary waits for none any more."""
    if canary.configuration is None:
        return 0
    return outlook.spare_replicas(canary.configuration) + canary.replicas - canary.ready
