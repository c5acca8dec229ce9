"""The section of the page about changes: before and after, how sure, what else changed, what left the bill, how to undo it."""

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from costpolicy.api.measured import AttributionStatus, MeasurementStatus
from costpolicy.reporting.charts import signed_bar, whisker
from costpolicy.reporting.markup import Child, element
from costpolicy.reporting.statement import ChangeMade
from costpolicy.savings.paragraph import amount
from costpolicy.units import Money


def changes_section(changes: Sequence[ChangeMade], most: int) -> Element:
    """Return the changes of the month, those that saved most first."""
    title = element("h2", "Changes and their proof")
    if not changes:
        return element("section", title, element("p", "Nothing was changed in this month.", class_="quiet"))
    unknown = sum(made.saved_per_month is None for made in changes)
    waiting = f" Of {unknown} it is not known yet what they saved." if unknown else ""
    note = f"{len(changes)} change{'s' if len(changes) != 1 else ''}, the largest saving first.{waiting}"
    rest = changes[most:]
    saved = Money(sum(made.saved_per_month.micros for made in rest if made.saved_per_month is not None))
    more = f"{len(rest)} more, which save {amount(saved, rest[0].currency)} a month together." if rest else None
    return element(
        "section",
        title,
        element("p", note, class_="quiet"),
        *(_change(made) for made in changes[:most]),
        element("p", more, class_="quiet small") if more else None,
    )


def _change(made: ChangeMade) -> Element:
    receipt = made.receipt
    head = element(
        "div",
        element("h3", made.policy),
        element("p", f"{receipt.at:%-d %B %Y}: {receipt.before or 'nothing'} → {receipt.after}", class_="quiet small"),
        class_="whole",
    )
    details = element(
        "details", element("summary", "In words, to forward"), element("p", made.paragraph), class_="whole"
    )
    return element("div", head, *_figures(made), details, class_="change")


def _figures(made: ChangeMade) -> Iterator[Element]:
    measured = made.measured
    if measured is None or measured.cost_reduction is None:
        reason = measured.reason if measured is not None else made.receipt.measured
        yield element("p", f"Not known: {reason or 'nothing was measured'}", class_="whole small")
        return
    yield element("div", *_effect(made, measured))
    yield element("div", *_parts(measured.attribution) if measured.attribution else (_unattributed(measured),))


def _effect(made: ChangeMade, measured: MeasurementStatus) -> Iterator[Child]:
    reduction = measured.cost_reduction or 0.0
    way, style = ("less", "good") if reduction >= 0 else ("more", "bad")
    yield element("p", element("span", f"{abs(reduction):.1%}", class_=f"big {style}"), f" {way} for a request")
    if measured.interval is not None:
        low, high = measured.interval.low, measured.interval.high
        said = f"by the change itself {low:+.1%} to {high:+.1%} at the traffic since, with {measured.interval.level:.0%} confidence"
        yield whisker(low, high, f"Saved {said}; the mark is zero")
        yield element("p", f"{said[:1].upper()}{said[1:]}", class_="quiet small")
    saved, left = made.saved_per_month, made.realised_per_month
    if saved is not None:
        yield element("p", _in_money(saved, left, made.currency), class_="small")


def _in_money(saved: Money, left: Money | None, currency: str) -> str:
    if saved.micros < 0:
        return f"It costs {amount(-saved, currency)} a month more"
    realised = (
        "how much of it left the bill is not known" if left is None else f"of it realised {amount(left, currency)}"
    )
    return f"Allocated {amount(saved, currency)} a month, {realised}"


def _parts(parts: AttributionStatus) -> Iterator[Child]:
    named = {"change": parts.change, "traffic": parts.traffic, "price": parts.price, "unexplained": parts.unexplained}
    reach = max(abs(share) for share in named.values()) or 1.0
    yield element("p", "What the difference comes from", class_="quiet small")
    rows: list[Child] = []
    for name, share in named.items():
        rows += [
            element("span", name),
            signed_bar(share, reach, f"{name} {share:+.1%}"),
            element("span", f"{share:+.1%}", class_="number"),
        ]
    yield element("div", *rows, class_="parts")


def _unattributed(measured: MeasurementStatus) -> Element:
    return element("p", f"Not attributable: {measured.reason or 'no reason is given'}", class_="small unsure")
