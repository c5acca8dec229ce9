"""What the last change has saved, as status and its receipt say it.

Worked out when the ledger's hours were read (:mod:`costpolicy.reconcile.ledgers`), four times a day at the most, until as much
time has passed since the change as was measured before it.  In between, and whenever something is missing, status keeps what it
says.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from costpolicy.api.conditions import ConditionType, find
from costpolicy.api.measured import AttributionStatus, Interval, MeasurementStatus, Receipt, WindowFigures
from costpolicy.api.reasons import Reason
from costpolicy.api.status import CostPolicyStatus
from costpolicy.kube.gateway import EventType
from costpolicy.reconcile.decision import News
from costpolicy.reconcile.ledgers import Ledger
from costpolicy.reconcile.snapshot import Snapshot
from costpolicy.savings.apart import told_apart
from costpolicy.savings.attribution import NotAttributable
from costpolicy.savings.changes import Change, changes_apart
from costpolicy.savings.measurement import (
    Measured,
    Offering,
    Span,
    latest_window,
    measure,
    realised,
)
from costpolicy.savings.overlapping import Share
from costpolicy.savings.regression import Interval as SavedShare
from costpolicy.savings.window import Window
from costpolicy.units import Money, parse_duration

_DIGITS = 4
"""Digits after the point of shares: a hundredth of a per cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What status says of savings: figures of the last change, and the receipts of all."""

    status: MeasurementStatus | None
    history: tuple[Receipt, ...]
    news: tuple[News, ...] = ()


def measurement_of(snapshot: Snapshot, now: datetime) -> Measurement:
    """Return what is known of the last change's savings now."""
    before = snapshot.policy.status or CostPolicyStatus()
    kept = Measurement(status=before.measurement, history=before.history)
    ledger = snapshot.ledger
    if ledger is None:
        return kept
    change = measured_change(before.history)
    if change is None:
        found = latest_window(ledger.hours, _length(snapshot), now)
        return Measurement(status=_status(found, None, None, ledger.occasion.due), history=before.history)
    if before.measurement and before.measurement.complete and before.measurement.changed_at == change.ended:
        return kept
    return _of_change(snapshot, ledger, change, before, now)


def begun(receipt: Receipt) -> MeasurementStatus:
    """Return what is said of a change that has just ended."""
    return MeasurementStatus(
        changed_at=receipt.at, reason="a day of costs and requests has to pass before it is said what the change saves"
    )


def _of_change(
    snapshot: Snapshot, ledger: Ledger, change: Change, before: CostPolicyStatus, now: datetime
) -> Measurement:
    found = measure(
        ledger.hours,
        change,
        _length(snapshot),
        now,
        frozen=_frozen(before.measurement, change),
        quality_maintained=_quality_maintained(before),
    )
    left = None
    if found.saved_per_hour is not None:
        left = realised(found.saved_per_hour, found.released, _spare(snapshot, found.released))
    status = _status(found, change, left, ledger.occasion.due)
    if not found.complete or found.impact is None:
        return Measurement(status=status, history=before.history)
    told = _told(found, snapshot.prices.currency)
    first, *others = before.history
    return Measurement(
        status=status,
        history=(first.model_copy(update={"measured": told}), *_told_late(others, before.history, ledger, snapshot)),
        news=(_news(found, first, told),),
    )


def _told_late(
    earlier: Sequence[Receipt], history: Sequence[Receipt], ledger: Ledger, snapshot: Snapshot
) -> Iterator[Receipt]:
    """Yield the receipts of earlier changes; those that were overtaken before they were measured are told now."""
    shares = told_apart(ledger.hours, _changes(history), _length(snapshot))
    ended = {change.ended: share for change, share in shares.items()}
    for receipt in earlier:
        share = ended.get(receipt.at)
        if receipt.measured or share is None:
            yield receipt
        else:
            yield receipt.model_copy(update={"measured": _share_told(share)})


def _share_told(share: Share) -> str:
    match share:
        case NotAttributable(reason=reason):
            return f"another change followed before it was measured; {reason}"
        case SavedShare(low=low, high=high, level=level):
            return f"by the change {-high:+.1%} to {-low:+.1%} ({level:.0%}), told apart from the changes after it"


def _length(snapshot: Snapshot) -> timedelta:
    return parse_duration(snapshot.policy.spec.measurement.window)


def measured_change(history: Sequence[Receipt]) -> Change | None:
    """Return the change that is measured: the last one, with those that began less than a day before it.

    Args:
        history: receipts, the last one first.
    """
    changes = _changes(history)
    return changes[-1] if changes else None


def _changes(history: Sequence[Receipt]) -> tuple[Change, ...]:
    return changes_apart([(receipt.started_at or receipt.at, receipt.at) for receipt in reversed(history)])


def _frozen(before: MeasurementStatus | None, change: Change) -> Span | None:
    """Return the window before the change as it was read first."""
    if before is None or before.baseline is None or before.changed_at != change.ended:
        return None
    figures = before.baseline
    return Span(
        since=figures.since,
        until=figures.until,
        hours=figures.hours,
        totals=Window(
            total_cost=Money.parse(figures.total_cost),
            requests=Fraction(figures.requests),
            prompt_tokens=Fraction(figures.prompt_tokens),
            output_tokens=Fraction(figures.output_tokens),
        ),
    )


def _quality_maintained(before: CostPolicyStatus) -> bool | None:
    """Return what the quality gate found; ``None`` where it was not asked."""
    found = find(before.conditions, ConditionType.QUALITY_MAINTAINED)
    if found is None:
        return None
    if found.status == "False":
        return False
    return True if found.reason == Reason.QUALITY_PROVEN else None


def _spare(snapshot: Snapshot, released: Mapping[Offering, float]) -> Mapping[Offering, tuple[int, Money]]:
    """Return accelerators that stand idle on nodes now, of what was released, and their price."""
    wanted = [
        each for each in snapshot.prices.offerings if (each.accelerator.name, each.capacity_type.value) in released
    ]
    supplies = snapshot.capacity.supplies(wanted, ("", ""))
    return {
        (offering.accelerator.name, offering.capacity_type.value): (sum(supply.free_by_node or ()), offering.hourly)
        for offering, supply in zip(wanted, supplies, strict=True)
    }


def _status(found: Measured, change: Change | None, left: Money | None, read_at: datetime) -> MeasurementStatus:
    impact = found.impact
    return MeasurementStatus(
        changed_at=change.ended if change else None,
        complete=found.complete,
        read_at=read_at,
        baseline=_figures(found.baseline),
        current=_figures(found.current),
        cost_reduction=_share(impact.cost_reduction) if impact else None,
        efficiency_improvement=_share(impact.efficiency_improvement) if impact else None,
        quality_maintained=impact.quality_maintained if impact else None,
        interval=Interval(
            low=round(impact.interval.low, _DIGITS),
            high=round(impact.interval.high, _DIGITS),
            level=impact.interval.level,
        )
        if impact and impact.interval
        else None,
        attribution=AttributionStatus(
            **{name: round(share, _DIGITS) for name, share in asdict(impact.attribution).items()}
        )
        if impact and impact.attribution
        else None,
        saved_per_hour=found.saved_per_hour.text() if found.saved_per_hour is not None else None,
        realised_per_hour=left.text() if left is not None else None,
        reason=found.reason,
    )


def _share(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), _DIGITS)


def _figures(span: Span | None) -> WindowFigures | None:
    if span is None:
        return None
    return WindowFigures(
        since=span.since,
        until=span.until,
        total_cost=span.totals.total_cost.text(),
        requests=int(span.totals.requests),
        prompt_tokens=int(span.totals.prompt_tokens),
        output_tokens=int(span.totals.output_tokens),
        hours=span.hours,
    )


def _told(found: Measured, currency: str) -> str:
    impact = found.impact
    if impact is None or impact.cost_reduction is None:
        return found.reason
    parts = [f"cost per request {-float(impact.cost_reduction):+.1%}"]
    if impact.interval is not None:
        low, high = impact.interval.low, impact.interval.high
        parts.append(f"by the change {-high:+.1%} to {-low:+.1%} ({impact.interval.level:.0%})")
    else:
        parts.append("not attributable to the change alone")
    if found.saved_per_hour is not None:
        parts.append(f"{found.saved_per_hour.monthly().text(2)} {currency} a month")
    return "; ".join(parts)


def _news(found: Measured, receipt: Receipt, told: str) -> News:
    interval = found.impact.interval if found.impact else None
    lost = interval is not None and interval.high < 0.0
    return News(
        type=EventType.WARNING if lost else EventType.NORMAL,
        reason=Reason.CHANGE_DID_NOT_SAVE if lost else Reason.CHANGE_MEASURED,
        note=f"{receipt.after} instead of {receipt.before}: {told}",
    )
