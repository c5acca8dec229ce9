"""The answer of ``costpolicy explain`` for the terminal."""

from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console as Terminal
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from costpolicy.cli.console import Console

_WIDTH: Final = 110
"""Where standard output is no terminal."""
_STYLES: Final = {"True": "green", "False": "bold red", "Unknown": "yellow"}
_GOOD_IF_FALSE: Final = frozenset({"Reconciling", "Stalled", "RolloutInProgress", "RolloutBlocked"})


def print_explanation(found: dict[str, Any], console: Console) -> None:
    """Print the sections, each under its question."""
    width = None if console.out.isatty() else _WIDTH
    terminal = Terminal(file=console.out, width=width, highlight=False)
    terminal.print(Text(found["policy"], style="bold"), Text(f"  mode {found['mode']}", style="dim"), sep="")
    if not found["answered"]:
        terminal.print("  The operator has not answered yet.")
        return
    for title, parts in (
        ("What runs", _runs(found)),
        ("What it costs", _cost(found["cost"])),
        ("Why it is not cheaper", _cheaper(found["cheaper"], found["cost"]["currency"])),
        ("Conditions", _conditions(found)),
        ("What was changed", _changes(found)),
        ("Playbook", _playbook(found)),
        ("What comes next", _next(found)),
    ):
        terminal.print(Text(f"\n{title}", style="bold cyan"))
        for part in parts:
            terminal.print(Padding(part, (0, 0, 0, 2), expand=False))


def _runs(found: dict[str, Any]) -> Iterator[Any]:
    runs = found["runs"]
    if runs is None:
        yield "Nothing."
        return
    yield Text(runs["what"])
    if runs["variants"]:
        table = _table("variant", "role", "replicas", "ready")
        for one in runs["variants"]:
            table.add_row(one["variant"], one["role"], str(one["replicas"]), str(one["ready"]))
        yield table
    if found["latencies"]:
        table = _table("p95 of", "promised", "observed", "predicted")
        for one in found["latencies"]:
            table.add_row(one["what"], *(_seconds(one[name]) for name in ("promised", "observed", "predicted")))
        yield table


def _cost(cost: dict[str, Any]) -> Iterator[Text]:
    currency = cost["currency"]
    if cost["perHour"] is None:
        yield Text("What runs an hour: not known, an accelerator has no price.")
    else:
        yield Text(f"{cost['perHour']} {currency} an hour, {cost['perMonth']} {currency} a month of 730 hours")
    if cost["perMillionTokens"] is not None:
        yield Text(f"{cost['perMillionTokens']} {currency} per million tokens at the planned load")
    if cost["spent"] is not None:
        unknown = f"; of {cost['unknown']} the cost is not known" if cost["unknown"] else ""
        yield Text(f"{cost['month']}: {cost['spent']} {currency} spent until {cost['spentUntil']}{unknown}")
    budget = cost["budget"] or {}
    for period in ("hour", "month"):
        if budget.get(period) is not None:
            coming = f", forecast {cost['forecast'] or 'not known'}" if period == "month" else ""
            yield Text(f"Budget {budget[period]} {currency} a {period}{coming}")


def _cheaper(cheaper: dict[str, Any], currency: str) -> Iterator[Text]:
    if cheaper["infeasible"]:
        yield Text(f"There is no plan: {cheaper['infeasible']}", style="bold red")
    yield Text(cheaper["whyNot"] or "No constraint is known that keeps it from being cheaper.")
    if cheaper["recommended"]:
        saves = cheaper["recommendedSavesPerMonth"]
        told = f", which saves {saves} {currency} a month" if saves is not None else ""
        yield Text(f"Recommended: {cheaper['recommended']}{told}")


def _conditions(found: dict[str, Any]) -> Iterator[Table]:
    table = _table("condition", "status", "reason", "message")
    for one in found["conditions"]:
        quiet = one["status"] == "False" and one["type"] in _GOOD_IF_FALSE
        style = "dim" if quiet else "" if one["type"] in _GOOD_IF_FALSE else _STYLES[one["status"]]
        table.add_row(one["type"], Text(one["status"], style=style), one["reason"], Text(one["message"]))
    yield table


def _changes(found: dict[str, Any]) -> Iterator[Text]:
    if not found["changes"]:
        yield Text("Nothing yet.")
    for number, one in enumerate(found["changes"]):
        yield Text(f"{chr(10) if number else ''}{one['at']}", style="bold")
        yield Text(one["paragraph"])


def _playbook(found: dict[str, Any]) -> Iterator[Any]:
    if not found["playbook"]:
        yield Text("Not known yet: the status has no playbook.")
        return
    table = _table("technique", "state", "saves a month", "reason")
    for row in found["playbook"]:
        saves = row.get("savesPerMonth")
        table.add_row(
            row["technique"], row["state"], "not known" if saves is None else saves, Text(row.get("reason", ""))
        )
    yield table


def _next(found: dict[str, Any]) -> Iterator[Text]:
    if not found["next"]:
        yield Text("Nothing but following the load.")
    for one in found["next"]:
        saves = f" (saves {one['savesPerMonth']} a month)" if one["savesPerMonth"] is not None else ""
        yield Text(f"{one['when'] or 'no time is set'}: {one['what']}{saves}. {one['why']}")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _seconds(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
