"""The course of a policy: which of the two loops acts now."""

from datetime import datetime

from costpolicy.api.reasons import Reason
from costpolicy.api.status import RejectedVariant
from costpolicy.reconcile.change import Change, Keep, next_configuration
from costpolicy.reconcile.course import STEADY, Course, last_rollout, running_target
from costpolicy.reconcile.gate import stands_in_the_way, through_the_gate
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.progress import progress
from costpolicy.reconcile.rejected import rejected
from costpolicy.reconcile.standby import is_standby, with_standby
from costpolicy.reconcile.steady import begin, steady
from costpolicy.reconcile.takeback import or_back
from costpolicy.reconcile.withdrawal import must_go, withdraw
from costpolicy.rollout.verdict import Hold


def steer(outlook: Outlook, now: datetime) -> Course:
    """Return what shall run next, the standby of what is on Spot included."""
    return with_standby(outlook, _steer(outlook, now), now)


def _steer(outlook: Outlook, now: datetime) -> Course:
    """Return what shall run next.

    In this order: what does not exist is created; a change that fails is taken back; one that is under way goes on;
    one that is due begins; otherwise only the number of replicas follows the load.
    """
    live = outlook.snapshot.live
    stable = live.stable
    if stable is None:
        return begin(outlook)
    if (replaced := _forgotten_promotion(outlook, stable)) is not None:
        return progress(outlook, replaced, stable, None, now)
    canary = _canary(outlook, stable)
    running = running_target(outlook, stable)
    wanted = or_back(outlook, stable, running, next_configuration(outlook, stable, running, now), now)
    plain = _not_tried_before(outlook, wanted)
    change = through_the_gate(outlook, stable, running, plain, now)
    if canary is not None:
        reason = must_go(outlook, stable, canary, now) or stands_in_the_way(outlook, stable, canary, plain, now)
        if reason is not None:
            return withdraw(outlook, stable, canary, reason, now)
        return progress(outlook, stable, canary, _forgotten_beginning(outlook, canary, change), now)
    match change:
        case Change():
            return progress(outlook, stable, None, change, now)
        case Keep():
            return steady(outlook, stable, change, now)


def _not_tried_before(outlook: Outlook, change: Change | Keep) -> Change | Keep:
    before = rejected(outlook, change) if isinstance(change, Change) else None
    if before is None or isinstance(change, Keep):
        return change
    failed = Hold(reason=Reason.ROLLED_BACK, message=_told(outlook, before))
    return Keep(hold=failed, proposed=change.proposed, owed=change.trigger == "SpecChange")


def _canary(outlook: Outlook, stable: LiveVariant) -> LiveVariant | None:
    """Return the variant that may take over: not older than the stable one, and not the one that it replaced."""
    rollout = last_rollout(outlook)
    replaced = rollout.from_variant if rollout.to_variant == stable.hash else ""
    return next(
        (
            other
            for other in reversed(outlook.snapshot.live.others)
            if other.created >= stable.created and other.hash != replaced and not is_standby(outlook, stable, other)
        ),
        None,
    )


def _forgotten_promotion(outlook: Outlook, stable: LiveVariant) -> LiveVariant | None:
    """Return the variant that was replaced, where status does not know it: killed after the Service was written.

    The promotion is taken once more, for its receipt and its cooldown.
    """
    rollout = last_rollout(outlook)
    if rollout.phase == STEADY or rollout.to_variant != stable.hash or not rollout.from_variant:
        return None
    return outlook.snapshot.live.variant(rollout.from_variant)


def _forgotten_beginning(outlook: Outlook, canary: LiveVariant, change: Change | Keep) -> Change | None:
    """Return the change that the canary is, where status does not know it: killed after it was created."""
    if isinstance(change, Keep) or last_rollout(outlook).to_variant == canary.hash:
        return None
    return change if outlook.rendered(change.target).hash == canary.hash else None


def _told(outlook: Outlook, failed: RejectedVariant) -> str:
    """Return why a variant was taken back; of the last one status has the whole story."""
    rollout = last_rollout(outlook)
    last = rollout.rejected[0] == failed and rollout.phase == Reason.ROLLED_BACK
    return rollout.message if last else f"{failed.variant} was tried before and taken back ({failed.reason})"
