"""A change that is taken back: why, and what is remembered of it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from costpolicy.api.reasons import Reason
from costpolicy.kube.gateway import EventType
from costpolicy.reconcile.canary import evidence_of
from costpolicy.reconcile.change import newly_edited, rollback_asked
from costpolicy.reconcile.course import SUPERSEDED, WATCHING, Course, again, last_rollout
from costpolicy.reconcile.decision import News
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.rejected import with_rejected
from costpolicy.rollout.evidence import PATIENCE, Against
from costpolicy.rollout.transition import CRASH_LIMIT, NEVER_READY_LIMIT, UNSCHEDULABLE_LIMIT, Phase
from costpolicy.rollout.verdict import Hold

ENDED: Final[Mapping[str, object]] = MappingProxyType(
    {"trigger": "", "started_at": None, "step": 0, "evidence": "", "wrong_since": None}
)
"""What status forgets of a change that is over."""


def withdraw(
    outlook: Outlook, stable: LiveVariant, canary: LiveVariant, reason: tuple[Reason, str], now: datetime
) -> Course:
    """Return the course without the canary: the stable variant gets all traffic, and the failure is remembered."""
    word, message = reason
    before = last_rollout(outlook)
    rollout = before.model_copy(update={**ENDED, "phase": SUPERSEDED, "trigger": "SpecChange"})
    if word != SUPERSEDED:
        rollout = rollout.model_copy(
            update={
                "phase": Reason.ROLLED_BACK,
                "last_change_at": now,
                "rejected": with_rejected(outlook, canary, word),
                "trigger": before.trigger,
                "message": message,
            }
        )
    return Course(
        variants=(again(outlook, stable, stable.replicas),),
        service=stable.hash,
        rollout=rollout,
        hold=Hold(reason=Reason.ROLLED_BACK if word == Reason.ENGINE_DIED else word, message=message),
        news=(News(type=EventType.WARNING, reason=word, note=f"{canary.hash} was withdrawn: {message}"),),
        look_again=WATCHING,
    )


def must_go(outlook: Outlook, stable: LiveVariant, canary: LiveVariant, now: datetime) -> tuple[Reason, str] | None:
    """Return why a canary is taken back: the user's word, its own failure, or a newer edit of the policy."""
    if rollback_asked(outlook.snapshot):
        return Reason.ROLLED_BACK, "the annotation costpolicy.dev/rollback=now took the change back"
    evidence = evidence_of(outlook, stable, canary, now)
    if isinstance(evidence, Against):
        return evidence.reason, evidence.message
    if canary.crashed and canary.restarts >= CRASH_LIMIT and not canary.ready:
        return Reason.ENGINE_DIED, f"{canary.failure}; see kubectl logs --previous"
    if canary.unschedulable and not canary.ready and now - _begun_at(outlook, canary) >= UNSCHEDULABLE_LIMIT:
        return Reason.CANARY_UNSCHEDULABLE, canary.failure
    if not canary.unschedulable and (late := _late(outlook, canary, now)):
        return Reason.CANARY_NEVER_READY, "; ".join(filter(None, (late, canary.waiting)))
    target = outlook.plan.target
    if target and newly_edited(outlook.snapshot) and outlook.rendered(target).hash != canary.hash:
        return SUPERSEDED, "the policy was edited again"
    return None


def _begun_at(outlook: Outlook, canary: LiveVariant) -> datetime:
    """Return since when a variant is to take over: since it was made, unless it stood by before."""
    return max(canary.created, last_rollout(outlook).started_at or canary.created)


def _late(outlook: Outlook, canary: LiveVariant, now: datetime) -> str:
    """Return what a canary has not reached for too long; empty: nothing."""
    unready_since = max(_begun_at(outlook, canary), canary.unready_since or canary.created)
    if not canary.ready and now - unready_since >= NEVER_READY_LIMIT:
        return "no replica of it was ready for two hours"
    rollout = last_rollout(outlook)
    since = rollout.phase_since if rollout.trigger == "BetterPlan" else None
    if since is None or now - since < PATIENCE:
        return ""
    if rollout.phase == Phase.SURGING:
        return f"not all {canary.replicas} replicas of its stage were ready for a day"
    if rollout.phase == Phase.EVALUATING:
        return "its answers could not be compared for a day"
    return ""
