"""A better plan that was measured and cost more is taken back: what served before it serves again.

The plan still looks cheaper, so what counts here is what was measured: an hour costs what the ledger says, and would cost what
the interval's nearer end says.  Everything else is asked as of any change: payback, cooldown, windows.  What is taken back is
not tried again until the policy is edited, and a return is never taken back itself.
"""

from dataclasses import replace
from datetime import datetime

from costpolicy.api.measured import MeasurementStatus
from costpolicy.api.reasons import Reason
from costpolicy.api.types import RolloutMode
from costpolicy.manifests.record import read_configuration
from costpolicy.planning.plan import Rejection, Target
from costpolicy.reconcile.change import Change, Keep, better_plan, held_until, rollback_asked
from costpolicy.reconcile.course import last_rollout
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.measurement import measured_change
from costpolicy.reconcile.outlook import Outlook
from costpolicy.rollout.verdict import MONEY, Hold
from costpolicy.units import Money


def or_back(
    outlook: Outlook, stable: LiveVariant, running: Target | Rejection, plain: Change | Keep, now: datetime
) -> Change | Keep:
    """Return the way back where the last better plan was measured to cost more, else ``plain``.

    The user's word goes first, and that what serves cannot serve on; only mode Auto takes back what only Auto does.
    """
    if isinstance(running, Rejection) or outlook.snapshot.mode is not RolloutMode.AUTO:
        return plain
    match plain:
        case Change(trigger="SpecChange" | "OutOfStock") | Keep(owed=True):
            return plain
        case Keep(hold=Hold(reason=Reason.SPOT_LOST)):
            return plain
    snapshot = outlook.snapshot
    if rollback_asked(snapshot) or held_until(snapshot, now) is not None:
        return plain
    return _back(outlook, stable, running, now) or plain


def _back(outlook: Outlook, stable: LiveVariant, running: Target, now: datetime) -> Change | Keep | None:
    rollout = last_rollout(outlook)
    costs = _costs(outlook)
    before = read_configuration(rollout.restores) if rollout.restores and rollout.to_variant == stable.hash else None
    if costs is None or before is None:
        return None
    target = outlook.sized(before)
    if not isinstance(target, Target):  # it could not keep the promise today, at any price
        return None
    now_costs, would_cost = costs
    verdict = better_plan(
        outlook, replace(target, cost_per_hour=would_cost), replace(running, cost_per_hour=now_costs), now
    )
    match verdict:
        case Keep(hold=hold):  # what is not worth it keeps no other plan away
            return None if hold is not None and hold.reason in MONEY else verdict
        case Change():
            message = (
                f"{stable.hash} was measured to cost {now_costs.text(2)} an hour, and what served before it "
                f"would cost {would_cost.text(2)}"
            )
            return replace(verdict, target=target, trigger="DidNotSave", message=message)


def _costs(outlook: Outlook) -> tuple[Money, Money] | None:
    """Return what an hour costs since the last change, and what it would at most cost without it; ``None``: not known to be
    less.
    """
    status = outlook.snapshot.policy.status
    found = status.measurement if status else None
    change = measured_change(status.history) if status else None
    if found is None or change is None or change.together > 1 or found.changed_at != change.ended:
        return None
    return _dearer(found)


def _dearer(found: MeasurementStatus) -> tuple[Money, Money] | None:
    window, interval = found.current, found.interval
    if not found.complete or window is None or not window.hours or interval is None or interval.high >= 0.0:
        return None
    costs = Money.parse(window.total_cost).scaled(1, window.hours)
    return costs, Money(round(costs.micros / (1.0 - interval.high)))
