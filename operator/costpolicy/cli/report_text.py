"""The monthly review for the terminal."""

from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console as Terminal
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from costpolicy.cli.console import Console
from costpolicy.reporting.statement import Bill, Driver, Statement
from costpolicy.savings.features import UNATTRIBUTED
from costpolicy.savings.paragraph import amount
from costpolicy.units import Money

_WIDTH: Final = 110
_ROWS: Final = 15


def print_statement(review: Statement, console: Console) -> None:
    """Print the sections of the page, shortened."""
    terminal = Terminal(file=console.out, width=None if console.out.isatty() else _WIDTH, highlight=False)
    terminal.print(
        Text(f"Cost review, {review.since:%B %Y}", style="bold"),
        Text(f"  until {review.until:%-d %B, %H:%M} UTC", style="dim"),
        sep="",
    )
    for bill in review.bills:
        _section(terminal, f"Cost drivers, {amount(bill.total, bill.currency)} in all", _drivers(bill))
        if bill.features.keys() - {UNATTRIBUTED}:
            _section(terminal, "Cost by feature", _features(bill))
        _section(terminal, "Forecast against budget", _forecast(bill))
    _section(terminal, "Changes and their proof", _changes(review))
    _section(terminal, "Playbook", _playbook(review))
    _section(terminal, "What is not known", (Text(text) for text in review.missing))


def _section(terminal: Terminal, title: str, parts: Iterator[Any]) -> None:
    terminal.print(Text(f"\n{title}", style="bold cyan"))
    for part in parts:
        terminal.print(Padding(part, (0, 0, 0, 2), expand=False))


def _drivers(bill: Bill) -> Iterator[Table]:
    first, rest = bill.largest(_ROWS)
    table = _table(
        ("policy", "left"),
        ("cost", "right"),
        ("share", "right"),
        ("an hour", "right"),
        ("a thousand requests", "right"),
    )
    for driver in (*first, *([rest] if rest else [])):
        table.add_row(*_driver(driver, bill))
    yield table


def _driver(driver: Driver, bill: Bill) -> tuple[str, ...]:
    share = driver.cost.micros / bill.total.micros if bill.total.micros else 0.0
    return (
        driver.policy,
        amount(driver.cost, bill.currency),
        f"{share:.1%}",
        _told(driver.per_hour, bill),
        "-" if driver.cost_per_thousand is None else amount(driver.cost_per_thousand, bill.currency),
    )


def _features(bill: Bill) -> Iterator[Table]:
    table = _table(("feature", "left"), ("cost", "right"), ("share", "right"))
    for name, cost in bill.features.items():
        table.add_row(name, amount(cost, bill.currency), f"{cost.micros / bill.total.micros:.1%}")
    yield table


def _forecast(bill: Bill) -> Iterator[Any]:
    yield Text(f"All: {_told(bill.forecast, bill)} forecast, budgets {_told(bill.budget, bill)}")
    over = [driver for driver in bill.drivers if driver.over_budget]
    for driver in over[:_ROWS]:
        text = f"{driver.policy}: forecast {_told(driver.forecast, bill)}, budget {_told(driver.budget, bill)}"
        yield Text(text, style="bold red")


def _changes(review: Statement) -> Iterator[Text]:
    if not review.changes:
        yield Text("Nothing was changed in this month.")
    for number, made in enumerate(review.changes[:_ROWS]):
        yield Text(f"{chr(10) if number else ''}{made.paragraph}")
    if len(review.changes) > _ROWS:
        yield Text(f"{len(review.changes) - _ROWS} more: see --html or -o json")


def _playbook(review: Statement) -> Iterator[Any]:
    if not review.advice:
        yield Text("Not yet known: no policy's status has a playbook.")
        return
    table = _table(
        ("technique", "left"), ("policy", "left"), ("state", "left"), ("saves a month", "right"), ("why", "left")
    )
    for advice in review.advice[:_ROWS]:
        row, saves = advice.row, advice.row.saves_per_month
        told = "not known" if saves is None else amount(Money.read(saves), advice.currency)
        table.add_row(row.technique, advice.policy, row.state, told, Text(row.reason))
    yield table


def _table(*columns: tuple[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, justify in columns:
        table.add_column(name, overflow="fold", justify=justify)
    return table


def _told(money: Money | None, bill: Bill) -> str:
    return "not known" if money is None else amount(money, bill.currency)
