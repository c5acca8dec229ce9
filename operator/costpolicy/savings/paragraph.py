"""One change in a paragraph that a finance lead can forward: plain words, money before and after, how sure, what else changed.

Nothing is said that the figures do not say.  A change that saved nothing, or whose saving cannot be told from the traffic's, is
told as that; what is not known is named, with its reason.
"""

from datetime import datetime
from fractions import Fraction

from costpolicy.api.measured import AttributionStatus, Interval, MeasurementStatus, Receipt, WindowFigures
from costpolicy.units import HOUR, Money

_A_CENT = 10_000
"""Micro-units: smaller amounts are told in more decimals."""
_SMALL = 0.001
"""Shares below a tenth of a per cent are not told."""


def amount(money: Money, currency: str) -> str:
    """Return money as people write it: ``1,022.00 USD``, ``0.0042 USD``."""
    places = 2 if abs(money.micros) >= _A_CENT or not money.micros else 6
    sign, text = ("-", (-money).text(places)) if money.micros < 0 else ("", money.text(places))
    whole, _, decimals = text.partition(".")
    return f"{sign}{int(whole):,}.{decimals} {currency}".rstrip()


def paragraph(receipt: Receipt, measured: MeasurementStatus | None, *, policy: str, currency: str) -> str:
    """Return what one change did to the bill.

    Args:
        receipt: the change.
        measured: what was measured of the last change; it is used if it is about this one.
        policy: what the bill is for, such as ``team-a/chat``.
        currency: of all amounts.
    """
    mine = measured if measured is not None and measured.changed_at == receipt.at else None
    parts = [_changed(receipt, policy)]
    if mine is None:
        told = f"What was measured: {receipt.measured}." if receipt.measured else "What it saved was not measured."
        return " ".join([*parts, told, *_proof(receipt), *_undo(receipt)])
    parts += _windows(mine, currency)
    parts += _share(mine)
    parts += _money(mine, currency)
    parts += _reservations(mine)
    return " ".join([*parts, *_quality(mine), *_proof(receipt), *_undo(receipt)])


def _changed(receipt: Receipt, policy: str) -> str:
    what = f"{policy} runs on {receipt.after or 'another configuration'}"
    instead = f" instead of {receipt.before}" if receipt.before else ""
    why = f" ({receipt.change})" if receipt.change else ""
    return f"Since {_day(receipt.at)}, {what}{instead}{why}."


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _windows(measured: MeasurementStatus, currency: str) -> list[str]:
    before, after = measured.baseline, measured.current
    if before is None or after is None:
        return []
    return [f"{_window('Before', before, currency)} {_window('Since', after, currency)}"]


def _window(when: str, figures: WindowFigures, currency: str) -> str:
    cost = amount(Money.read(figures.total_cost), currency)
    span = f"{when} the change, {_span(figures)}"
    if not figures.requests:
        return f"{span} cost {cost} and answered no request."
    each = Money(round(Fraction(Money.read(figures.total_cost).micros * 1000, figures.requests)))
    return f"{span} cost {cost} for {figures.requests:,} requests: {amount(each, currency)} a thousand."


def _span(figures: WindowFigures) -> str:
    hours = round((figures.until - figures.since) / HOUR)
    days, rest = divmod(hours, 24)
    return f"{days} days" if days > 1 and not rest else f"{hours} hours"


def _share(measured: MeasurementStatus) -> list[str]:
    if measured.cost_reduction is None:
        return []
    reduction = measured.cost_reduction
    moved = f"{'fell' if reduction >= 0 else 'rose'} by {abs(reduction):.1%}"
    told = [f"The cost of a request {moved}."]
    if measured.attribution is not None:
        told.append(_attributed(measured.attribution, 1 if reduction >= 0 else -1))
    if measured.interval is not None:
        told.append(_sure(measured.interval))
    return told


def _attributed(parts: AttributionStatus, sign: int) -> str:
    """Return what else changed, in points of what the cost of a request fell or (with sign -1) rose by."""

    def points(share: float) -> str:
        return f"{100 * sign * share:+.1f} points"

    named = {"more, fewer or other requests": parts.traffic, "prices": parts.price}
    others = [f"{points(share)} to {name}" for name, share in named.items() if abs(share) >= _SMALL]
    if abs(parts.unexplained) >= _SMALL:
        others.append(f"{points(parts.unexplained)} are not explained")
    rest = f", {', '.join(others)}" if others else "; nothing else changed that much"
    return f"Of that, {points(parts.change)} are owed to the change itself{rest}."


def _sure(interval: Interval) -> str:
    span, without = f"With {interval.level:.0%} confidence the change itself", "than they would be without it"
    if interval.low > 0:
        return f"{span} makes requests {interval.low:.1%} to {interval.high:.1%} cheaper {without}."
    if interval.high < 0:
        dearer = f"{-interval.high:.1%} to {-interval.low:.1%} dearer {without}"
        return f"{span} makes requests {dearer}: it did not save."
    return f"{span} makes requests between {-interval.low:.1%} dearer and {interval.high:.1%} cheaper: that it saved is not proven."


def _money(measured: MeasurementStatus, currency: str) -> list[str]:
    if measured.saved_per_hour is None:
        return []
    saved = Money.read(measured.saved_per_hour)
    if saved.micros <= 0:
        return [f"At the traffic since, it costs {amount(-saved, currency)} an hour more than before."]
    told = f"At the traffic since, that is {amount(saved, currency)} an hour, about {amount(saved.monthly(), currency)} a month."
    if measured.realised_per_hour is None:
        return [f"{told} How much of it has left the bill is not known."]
    left = Money.read(measured.realised_per_hour)
    if left >= saved:
        return [f"{told} All of it has left the bill."]
    idle = "the rest is held by accelerators that stand idle on nodes, which are still paid for"
    return [f"{told} {amount(left, currency)} an hour of it has left the bill; {idle}."]


def _reservations(measured: MeasurementStatus) -> list[str]:
    if measured.cost_reduction is not None and measured.interval is None:
        return [f"How much of it the change itself made cannot be told: {measured.reason or 'no reason is given'}."]
    if measured.reason:
        return [f"{measured.reason[:1].upper()}{measured.reason[1:]}."]
    return (
        [] if measured.complete else ["These figures still move: less time has passed since than was measured before."]
    )


def _quality(measured: MeasurementStatus) -> list[str]:
    told = {
        True: "Answers were tested and are no worse.",
        False: "Answers are worse by a real check.",
        None: "Whether answers are as good was not tested.",
    }
    return [told[measured.quality_maintained]]


def _proof(receipt: Receipt) -> list[str]:
    return [f"It was made after this was shown: {receipt.proof}."] if receipt.proof else []


def _undo(receipt: Receipt) -> list[str]:
    return [f"To undo it: {receipt.undo}."] if receipt.undo else []
