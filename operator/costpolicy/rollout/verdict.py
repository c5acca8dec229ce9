"""Whether a better configuration is worth a change: a chain of named reasons to hold, first one wins."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from costpolicy.api.operation import Rollout
from costpolicy.api.reasons import Reason
from costpolicy.rollout.windows import inside_window
from costpolicy.units import Money, format_time, parse_duration, parse_ratio

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CHANGES_A_DAY: Final = 4
"""Better plans taken within a day: whatever makes more of them look better is not what they say it is."""
SETTLES_WITHIN: Final = timedelta(minutes=30)
"""How long a change waits for what serves to be ready: longer than large models load.  After that the change may be what
mends it."""
STANDS_FOR: Final = timedelta(minutes=5)
"""How long a plan must be the best before it is begun: a price that was mistyped or a node that left for a moment is
mended by then."""

MONEY: Final = (Reason.SAVING_TOO_SMALL, Reason.DOES_NOT_PAY_BACK)
"""Holds of a change that is not worth it; the others only say that it is not the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Nothing is changed, and why."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proceed:
    """The change is worth it."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change to be judged.

    Attributes:
        current_cost: of what runs, an hour, at the replicas that today's demand needs; ``None``: none would do.
        target_cost: of what is proposed, an hour, for the same demand.
        disruption_cost: what the change itself costs: accelerators held twice while the new variant loads.
        metrics_fresh: whether the demand behind the proposal was measured, and recently.
        last_change: when the configuration changed last.
        changes: when it changed before that, as far as remembered.
        unready_since: since when not all replicas that serve are ready; ``None``: they are.
        others_changing: whether as many other policies change their configuration as may do so at the same time.
        proposed_since: since when this has been the proposal, without a break.
    """

    current_cost: Money | None
    target_cost: Money
    disruption_cost: Money
    metrics_fresh: bool
    last_change: datetime | None
    changes: tuple[datetime, ...] = ()
    unready_since: datetime | None = None
    others_changing: bool = False
    proposed_since: datetime | None = None


def judge(proposal: Proposal, rollout: Rollout, now: datetime) -> Hold | Proceed:
    """Return whether a proposal pays for its own disruption, and may start now."""
    return (
        _too_small(proposal, rollout)
        or _does_not_pay_back(proposal, rollout)
        or _not_fresh(proposal)
        or _cooling_down(proposal, rollout, now)
        or _often(proposal, now)
        or _outside_window(rollout, now)
        or _in_transition(proposal, now)
        or _others_changing(proposal)
        or _revalidating(proposal, now)
        or Proceed(message=_worth(proposal))
    )


def _worth(proposal: Proposal) -> str:
    if proposal.current_cost is None:
        return "what runs cannot keep its promise any more"
    return f"it saves {(proposal.current_cost - proposal.target_cost).text(2)} an hour"


def _too_small(proposal: Proposal, rollout: Rollout) -> Hold | None:
    if proposal.current_cost is None:
        return None
    saving = proposal.current_cost - proposal.target_cost
    share = Fraction(saving.micros, proposal.current_cost.micros) if proposal.current_cost.micros else Fraction(0)
    if share >= parse_ratio(rollout.minimum_savings) and saving.micros > 0:
        return None
    return Hold(
        reason=Reason.SAVING_TOO_SMALL,
        message=f"the best plan saves {float(share):.1%}, spec.rollout.minimumSavings is {rollout.minimum_savings}",
    )


def _does_not_pay_back(proposal: Proposal, rollout: Rollout) -> Hold | None:
    if proposal.current_cost is None:
        return None
    horizon = parse_duration(rollout.payback_horizon)
    gained = (proposal.current_cost - proposal.target_cost).scaled(
        int(horizon.total_seconds()), int(HOUR.total_seconds())
    )
    if gained > proposal.disruption_cost:
        return None
    return Hold(
        reason=Reason.DOES_NOT_PAY_BACK,
        message=f"the change costs {proposal.disruption_cost.text(2)} and gains {gained.text(2)} in {rollout.payback_horizon}",
    )


def _not_fresh(proposal: Proposal) -> Hold | None:
    if proposal.metrics_fresh:
        return None
    return Hold(
        reason=Reason.METRICS_STALE,
        message="the demand is not measured at the moment: nothing is changed on a guess",
    )


def _cooling_down(proposal: Proposal, rollout: Rollout, now: datetime) -> Hold | None:
    until = proposal.last_change + parse_duration(rollout.cooldown) if proposal.last_change else now
    if now >= until:
        return None
    return Hold(
        reason=Reason.COOLING_DOWN,
        # A time, not what is left: a message that changes with the clock would be written in every cycle.
        message=f"the last change was less than {rollout.cooldown} ago: not before {format_time(until)}",
    )


def _often(proposal: Proposal, now: datetime) -> Hold | None:
    recent = sorted(at for at in proposal.changes if now - DAY < at <= now)
    if len(recent) < CHANGES_A_DAY:
        return None
    until = recent[-CHANGES_A_DAY] + DAY
    return Hold(
        reason=Reason.COOLING_DOWN,
        message=f"it changed {CHANGES_A_DAY} times within a day: not before {format_time(until)}",
    )


def _outside_window(rollout: Rollout, now: datetime) -> Hold | None:
    if inside_window(rollout.maintenance_windows, now):
        return None
    return Hold(reason=Reason.OUTSIDE_WINDOW, message="configuration changes wait for the next maintenance window")


def _in_transition(proposal: Proposal, now: datetime) -> Hold | None:
    if proposal.unready_since is None or now >= proposal.unready_since + SETTLES_WITHIN:
        return None
    until = proposal.unready_since + SETTLES_WITHIN
    return Hold(
        reason=Reason.IN_TRANSITION,
        message=f"not all replicas that serve are ready: the change waits for them, at most until {format_time(until)}",
    )


def _others_changing(proposal: Proposal) -> Hold | None:
    if not proposal.others_changing:
        return None
    return Hold(
        reason=Reason.OTHERS_CHANGING,
        message="as many other policies change now as may do so at the same time (maxConcurrentChanges of the chart)",
    )


def _revalidating(proposal: Proposal, now: datetime) -> Hold | None:
    """Hold until the proposal has stood for a while; a time from the future was written by a clock set back since."""
    since = min(proposal.proposed_since or now, now)
    if now >= since + STANDS_FOR:
        return None
    return Hold(
        reason=Reason.REVALIDATING,
        message=f"the plan is begun if it still stands at {format_time(since + STANDS_FOR)}",
    )
