"""The course of a policy: which of the two loops acts now."""

from datetime import datetime

from costpolicy.api.reasons import Reason
from costpolicy.reconcile.change import Change, Keep, next_configuration
from costpolicy.reconcile.course import Course, last_rollout, running_target
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.progress import must_go, progress, withdraw
from costpolicy.reconcile.steady import begin, steady
from costpolicy.rollout.verdict import Hold


def steer(outlook: Outlook, now: datetime) -> Course:
    """Return what shall run next.

    In this order: what does not exist is created; a change that fails is taken back; one that is under way goes on;
    one that is due begins; otherwise only the number of replicas follows the load.
    """
    live = outlook.snapshot.live
    stable = live.stable
    if stable is None:
        return begin(outlook)
    canary = next((other for other in reversed(live.others) if other.created >= stable.created), None)
    running = running_target(outlook, stable)
    change = next_configuration(outlook, stable, running, now)
    if canary is not None and (reason := must_go(outlook, canary, now)):
        return withdraw(outlook, stable, canary, reason, now)
    if canary is not None:
        return progress(outlook, stable, canary, None, now)
    match change:
        case Change() if not _failed_before(outlook, change):
            return progress(outlook, stable, None, change, now)
        case Change():
            failed = Hold(reason=Reason.ROLLED_BACK, message=last_rollout(outlook).message)
            return steady(outlook, stable, Keep(hold=failed, owed=change.trigger == "SpecChange"), now)
        case Keep():
            return steady(outlook, stable, change, now)


def _failed_before(outlook: Outlook, change: Change) -> bool:
    """Return whether this was tried: one attempt for each edit of the user, one for each configuration otherwise."""
    rollout = last_rollout(outlook)
    if rollout.failed_generation != outlook.snapshot.policy.metadata.generation or not rollout.failed_variant:
        return False
    return change.trigger == "SpecChange" or outlook.rendered(change.target).hash == rollout.failed_variant
