"""The monthly review as one page that needs nothing else: no script, no font, no request to anywhere."""

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from costpolicy.reporting.changes_section import changes_section
from costpolicy.reporting.cost_sections import daily_section, drivers_section, features_section, forecast_section
from costpolicy.reporting.markup import Child, cells, element, written
from costpolicy.reporting.statement import Advice, Bill, Statement
from costpolicy.reporting.style import STYLE
from costpolicy.savings.paragraph import amount
from costpolicy.units import Money, format_time

ROWS: Final = 20
"""Rows of a table on the page; what is beyond them is summed up in one more."""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page(review: Statement) -> str:
    """Return the whole document."""
    title = f"Cost review, {review.since:%B %Y}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", title),
        element("style", STYLE),
    )
    body = element("body", _header(review, title), element("main", *_sections(review)), _footer(review))
    return written(element("html", head, body, lang="en"))


def _header(review: Statement, title: str) -> Element:
    span = f"{review.since:%-d %B %Y} to {review.until:%-d %B %Y, %H:%M} UTC"
    count = f"{review.policies} polic{'y' if review.policies == 1 else 'ies'}"
    return element("header", element("h1", title), element("p", f"{span} · {count}", class_="quiet"))


def _footer(review: Statement) -> Element:
    text = f"Made {format_time(review.made_at)} by costpolicy report. Costs are from {review.source}."
    return element("footer", element("p", text, class_="quiet small"))


def _sections(review: Statement) -> Iterator[Element]:
    if not review.bills:
        yield element(
            "section", element("h2", "Costs"), element("p", "There is no policy, and no cost.", class_="quiet")
        )
    for bill in review.bills:
        yield _figures(bill, review)
        yield daily_section(bill, review)
        yield drivers_section(bill, ROWS)
        yield features_section(bill)
        yield forecast_section(bill, ROWS)
    yield changes_section(review.changes, ROWS)
    yield _playbook(review)
    yield _missing(review)


def _figures(bill: Bill, review: Statement) -> Element:
    made = [change for change in review.changes if change.currency == bill.currency]
    allocated = [change.saved_per_month for change in made if change.saved_per_month is not None]
    realised = [change.realised_per_month for change in made if change.realised_per_month is not None]
    told = [
        ("Spent", _amount(bill.total), "in this span"),
        ("Running now", _amount(bill.per_hour), "an hour"),
        ("Forecast", _amount(bill.forecast), _against_budget(bill)),
        ("Saved, allocated", _sum(allocated), "a month, by the changes below"),
        ("Saved, realised", _sum(realised), "a month has left the bill"),
    ]
    items = [
        element(
            "li",
            element("span", name, class_="name"),
            element(
                "span",
                value,
                element("span", f" {bill.currency}", class_="unit") if value[0].isdigit() or value[0] == "-" else None,
                class_="value",
            ),
            element("span", note, class_="note"),
        )
        for name, value, note in told
    ]
    return element("ul", *items, class_="figures", aria_label=f"Figures in {bill.currency or 'an unknown currency'}")


def _against_budget(bill: Bill) -> str:
    return "no budget is set" if bill.budget is None else f"budgets: {amount(bill.budget, bill.currency)}"


def _amount(money: Money | None) -> str:
    return "not known" if money is None else amount(money, "")


def _sum(amounts: list[Money]) -> str:
    return _amount(Money(sum(each.micros for each in amounts))) if amounts else "not known yet"


def _playbook(review: Statement) -> Element:
    title = element("h2", "Playbook")
    if not review.advice:
        text = "Not yet known: no policy's status has a playbook. Nothing is recommended without evidence."
        return element("section", title, element("p", text, class_="quiet"))
    without = f" {review.without_playbook} policies have none yet." if review.without_playbook else ""
    note = element(
        "p",
        f"What each technique saves or would save a month: what can be done first, the largest first. Rows are not additive.{without}",
        class_="quiet",
    )
    classes = ("", "wide quiet", "number")
    head = element("tr", *cells("th", ("Technique", "Why", "Saves a month"), classes))
    rows = [
        element(
            "tr",
            *cells(
                "td", (_named(advice), advice.row.reason, _saves(advice.row.saves_per_month, advice.currency)), classes
            ),
        )
        for advice in review.advice[:ROWS]
    ]
    rest = len(review.advice) - ROWS
    more = element("p", f"{rest} more rows are in the policies' status.", class_="quiet small") if rest > 0 else None
    table = element("table", element("thead", head), element("tbody", *rows))
    return element("section", title, note, table, more)


def _named(advice: Advice) -> Element:
    return element(
        "div",
        element("strong", advice.row.technique),
        " ",
        element("span", advice.row.state, class_="state"),
        element("div", advice.policy, class_="quiet small"),
    )


def _saves(text: str | None, currency: str) -> str:
    return "not known" if text is None else amount(Money.read(text), currency)


def _missing(review: Statement) -> Element:
    title = element("h2", "What is not known")
    if not review.missing:
        return element("section", title, element("p", "Every hour of the span is known.", class_="quiet"))
    items: list[Child] = [element("li", text) for text in review.missing]
    return element("section", title, element("ul", *items, class_="plain"))
