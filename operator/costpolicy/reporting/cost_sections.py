"""Sections of the page about money: each day, the drivers with the dearest first, and forecasts against budgets."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from xml.etree.ElementTree import Element

from costpolicy.reporting.charts import SERIES, Stack, bullet, share_bar, stacked_bars
from costpolicy.reporting.markup import cells, element
from costpolicy.reporting.statement import Bill, Driver, Statement
from costpolicy.savings.features import UNATTRIBUTED
from costpolicy.savings.paragraph import amount
from costpolicy.units import ZERO, Money

_DAY: Final = timedelta(days=1)
_TICKS: Final = 4
_LABELS: Final = 6
"""Days that are named under the bars."""


def daily_section(bill: Bill, review: Statement) -> Element:
    """Return the cost of each day, the dearest policies apart."""
    title = element("h2", "Cost by day")
    if not bill.days:
        text = "Not known: by day, costs are read from Prometheus (--prometheus)."
        return element("section", title, element("p", text, class_="quiet"))
    every = _span(review)
    first, rest = bill.largest(SERIES - 1)
    named = [driver.policy for driver in first]
    stacks = [_stack(bill, named, day) for day in every]
    top = _nice(max((sum(stack.parts) for stack in stacks), default=0.0))
    said = f"Cost of each day from {every[0]:%-d %B} to {every[-1]:%-d %B}, {amount(bill.total, bill.currency)} in all"
    scale = [element("span", _tick(top * step / _TICKS)) for step in range(_TICKS, -1, -1)]
    chart = element(
        "div",
        element("div", *scale, class_="scale", aria_hidden="true"),
        stacked_bars(stacks, top, said),
        element("div", *(element("span", text) for text in _labels(every)), class_="days", aria_hidden="true"),
        class_="chart",
    )
    keys = [*named, *([rest.policy] if rest else [])]
    legend = [
        element(
            "li", element("span", class_=f"key s{min(place, SERIES - 1) if place < len(named) else SERIES - 1}"), name
        )
        for place, name in enumerate(keys)
    ]
    note = element("p", f"In {bill.currency}; days of UTC, gaps cost nothing.", class_="quiet")
    return element("section", title, note, chart, element("ul", *legend, class_="legend"))


def drivers_section(bill: Bill, rows: int) -> Element:
    """Return the policies, the dearest first; those beyond ``rows`` are one row, so that the sum is that of all."""
    first, rest = bill.largest(rows)
    classes = ("", "wide number", "wide number", "number", "number")
    head = element(
        "tr", *cells("th", ("Policy", "Requests", "A thousand requests", "Share", f"Cost, {bill.currency}"), classes)
    )
    listed = [_driver(driver, bill, classes) for driver in (*first, *([rest] if rest else []))]
    total = element("tr", *cells("td", ("All", "", "", "100%", amount(bill.total, "")), classes), class_="sum")
    table = element("table", element("thead", head), element("tbody", *listed, total))
    note = element("p", "What was paid, the dearest first: small savings wait behind large ones.", class_="quiet")
    return element("section", element("h2", "Cost drivers"), note, table)


def _driver(driver: Driver, bill: Bill, classes: Sequence[str]) -> Element:
    share = driver.cost.micros / bill.total.micros if bill.total.micros else 0.0
    name = element(
        "div",
        element("strong", driver.policy),
        element("div", driver.runs, class_="quiet small") if driver.runs else None,
        share_bar(share, f"{driver.policy} is {share:.1%} of the cost"),
    )
    requests = "-" if driver.requests is None else f"{driver.requests:,}"
    each = "-" if driver.cost_per_thousand is None else amount(driver.cost_per_thousand, "")
    return element("tr", *cells("td", (name, requests, each, f"{share:.1%}", amount(driver.cost, "")), classes))


def features_section(bill: Bill) -> Element:
    """Return what each feature cost; the rows sum to the bill."""
    title = element("h2", "Cost by feature")
    if not bill.features.keys() - {UNATTRIBUTED}:
        text = "Not known: features are told apart by routers (ModelRoute), which have seen none in this span."
        return element("section", title, element("p", text, class_="quiet"))
    classes = ("", "number", "number")
    head = element("tr", *cells("th", ("Feature", "Share", f"Cost, {bill.currency}"), classes))
    listed = [_feature(name, cost, bill, classes) for name, cost in bill.features.items()]
    total = element("tr", *cells("td", ("All", "100%", amount(bill.total, "")), classes), class_="sum")
    note = element(
        "p", "Unattributed is what names no feature, and what reached engines past the router.", class_="quiet"
    )
    table = element("table", element("thead", head), element("tbody", *listed, total))
    return element("section", title, note, table)


def _feature(name: str, cost: Money, bill: Bill, classes: Sequence[str]) -> Element:
    share = cost.micros / bill.total.micros
    told = element("div", element("strong", name), share_bar(share, f"{name} is {share:.1%} of the cost"))
    return element("tr", *cells("td", (told, f"{share:.1%}", amount(cost, "")), classes))


def forecast_section(bill: Bill, rows: int) -> Element:
    """Return what the month will have cost beside its budgets, those that are over first."""
    title = element("h2", "Forecast against budget")
    budgeted = [driver for driver in bill.drivers if driver.budget is not None]
    if not budgeted:
        return element("section", title, element("p", "No policy has a monthly budget.", class_="quiet"))
    budgeted.sort(key=lambda one: (-_over(one).micros, -(one.budget or ZERO).micros, one.policy))
    over = [driver for driver in budgeted if driver.over_budget]
    beyond = Money(sum(_over(driver).micros for driver in over))
    note = (
        f"{len(over)} of {len(budgeted)} will be over, by {amount(beyond, bill.currency)} together."
        if over
        else f"None of {len(budgeted)} will be over, as far as that is known."
    )
    classes = ("", "wide number", "number", "number")
    head = element("tr", *cells("th", ("Policy", "Spent", "Forecast", f"Budget, {bill.currency}"), classes))
    listed = [_forecast(driver, bill, classes) for driver in budgeted[:rows]]
    table = element("table", element("thead", head), element("tbody", *listed))
    rest = len(budgeted) - rows
    more = element("p", f"{rest} more have a budget.", class_="quiet small") if rest > 0 else None
    return element("section", title, element("p", note, class_="quiet"), table, more)


def _forecast(driver: Driver, bill: Bill, classes: Sequence[str]) -> Element:
    budget, coming = driver.budget or ZERO, driver.forecast
    said = f"{driver.policy}: budget {amount(budget, bill.currency)}, forecast {_told(coming)}"
    name = element(
        "div",
        element("strong", driver.policy),
        bullet(driver.cost.micros, (coming or ZERO).micros, budget.micros, said),
    )
    told = element("span", _told(coming), class_="bad") if driver.over_budget else _told(coming)
    return element("tr", *cells("td", (name, amount(driver.cost, ""), told, amount(budget, "")), classes))


def _over(driver: Driver) -> Money:
    if driver.budget is None or driver.forecast is None:
        return ZERO
    return max(driver.forecast - driver.budget, ZERO)


def _told(money: Money | None) -> str:
    return "not known" if money is None else amount(money, "")


def _span(review: Statement) -> list[date]:
    first, last = review.since.date(), (review.until - timedelta(seconds=1)).date()
    return [first + _DAY * number for number in range(max((last - first).days, 0) + 1)]


def _stack(bill: Bill, named: Sequence[str], day: date) -> Stack:
    parts = [bill.days.get(policy, {}).get(day, ZERO) for policy in named]
    total = Money(sum(days.get(day, ZERO).micros for days in bill.days.values()))
    rest = total - Money(sum(part.micros for part in parts))
    empty = [ZERO] * (SERIES - 1 - len(parts))
    values = [each.micros / 1e6 for each in (*parts, *empty, rest)]
    return Stack(label=f"{day:%-d %B}: {amount(total, bill.currency)}", parts=values)


def _labels(days: Sequence[date]) -> list[str]:
    """Return a label for each day, empty for most of them."""
    step = max(-(-len(days) // _LABELS), 1)
    return [f"{day:%-d %b}" if place % step == 0 else "" for place, day in enumerate(days)]


def _nice(value: float) -> float:
    """Return a round number not below a value, above 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 10.0**-3
    return next(step * power for step in (1, 2, 2.5, 4, 5, 8, 10, 20, 50, 100, 200, 500, 1000) if step * power >= value)


def _tick(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2f}"
