"""A scan for the terminal: one row a Deployment, then what is wasted and what is not known, then what was assumed."""

from typing import Any

from rich.console import Console as Terminal
from rich.table import Table

from costpolicy.cli.console import Console


def print_scan(answer: dict[str, Any], console: Console) -> None:
    """Print the answer of ``scan``."""
    rows, currency = answer["deployments"], answer["currency"]
    if not rows:
        console.note("costpolicy: no Deployment here runs vLLM")
    table = Table(box=None, pad_edge=False)
    for column in ("deployment", "runs", f"{currency}/h", "saves a month", "best change"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(row["deployment"], _runs(row), row["costPerHour"] or "-", *_best(row))
    terminal = Terminal(file=console.out, width=160, highlight=False)
    terminal.print(table, markup=False)
    for row in rows:
        for line in _remarks(row):
            console.print(f"{row['deployment']}: {line}")
    if rows:
        console.print(f"together {answer['costPerHour']} {currency} an hour, {answer['costPerMonth']} a month")
    for line in answer["assumptions"]:
        console.print(f"assumed: {line}")


def _runs(row: dict[str, Any]) -> str:
    ready = "" if row["readyReplicas"] is None else f", {row['readyReplicas']} ready"
    held = "-" if row["accelerators"] is None else row["accelerators"]
    return f"{row['replicas']} replicas{ready}, {held} x {row['accelerator'] or 'accelerators'}"


def _best(row: dict[str, Any]) -> tuple[str, str]:
    change = row["bestChange"]
    if change is None:
        return "-", f"none: {row['whyNot']}" if row["whyNot"] else "none"
    proof = " (can alter answers: prove quality first)" if change["needsQualityProof"] else ""
    return change["savesPerMonth"], f"{change['change']}{proof}"


def _remarks(row: dict[str, Any]) -> list[str]:
    waste = [f"{one['evidence']}{_priced(one['costPerHour'])}: {one['advice']}" for one in row["waste"]]
    return [*waste, *(f"not known: {one}" for one in row["unknown"]), *row["assumptions"]]


def _priced(cost: str | None) -> str:
    return "" if cost is None else f" ({cost} an hour)"
