"""``costpolicy top``: what every policy runs and costs, and with ``--upcoming`` what the operator will do next, and why."""

import argparse
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, Console
from costpolicy.cli.stored import add_default_mode, add_selection, stored_policies

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from costpolicy.api.policy import CostPolicy
    from costpolicy.api.types import RolloutMode
    from costpolicy.rollout.upcoming import Upcoming


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser("top", help="what every policy runs, costs and will do next", description=__doc__)
    add_selection(command)
    command.add_argument("--upcoming", action="store_true", help="what happens next, when, why and for how much")
    add_default_mode(command)
    command.add_argument(
        "-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print one row a policy, or one row for each thing that comes."""
    from costpolicy.api.types import RolloutMode
    from costpolicy.clock import SystemClock

    policies = stored_policies(arguments, console)
    if arguments.upcoming:
        rows = _coming(policies, RolloutMode(arguments.default_mode), SystemClock().now())
        columns: tuple[str, ...] = ("policy", "when", "what", "savesPerMonth", "why")
    else:
        rows = [_row(policy) for policy in policies]
        columns = ("policy", "runs", "costPerHour", "plan", "planCostPerHour", "ready", "says")
    if arguments.output == "table":
        _print(rows, columns, console)
    else:
        console.dump({"upcoming" if arguments.upcoming else "policies": rows}, arguments.output)
    return DONE


def _coming(policies: "Sequence[CostPolicy]", default: "RolloutMode", now: "datetime") -> list[dict[str, Any]]:
    from costpolicy.rollout.upcoming import upcoming

    found = [(policy, one) for policy in policies for one in upcoming(policy, default, now)]
    found.sort(key=lambda pair: (pair[1].at is None, pair[1].at or now, pair[0].key))
    return [_event(policy, one) for policy, one in found]


def _event(policy: "CostPolicy", one: "Upcoming") -> dict[str, Any]:
    from costpolicy.units import format_time

    target = policy.status.target if policy.status else None
    return {
        "policy": policy.key,
        "when": None if one.at is None else format_time(one.at),
        "what": one.what,
        "why": one.why,
        "savesPerMonth": None if one.saves_an_hour is None else one.saves_an_hour.monthly().text(2),
        "currency": target.currency if target else "",
    }


def _row(policy: "CostPolicy") -> dict[str, Any]:
    from costpolicy.rollout.upcoming import described

    status = policy.status
    current, target = (status.current, status.target) if status else (None, None)
    ready = next((one for one in status.conditions if one.type == "Ready"), None) if status else None
    return {
        "policy": policy.key,
        "runs": described(current) if current else None,
        "costPerHour": current.cost_per_hour if current else None,
        "plan": described(target) if target else None,
        "planCostPerHour": target.cost_per_hour if target else None,
        "currency": (target.currency if target else "") or (current.currency if current else ""),
        "ready": ready.status if ready else None,
        "says": ready.reason if ready else "the operator has not answered yet",
    }


def _print(rows: "Sequence[dict[str, Any]]", columns: "Sequence[str]", console: Console) -> None:
    from rich.console import Console as Terminal
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(_HEADS[column], overflow="fold")
    for row in rows:
        table.add_row(*("-" if row[column] is None else str(row[column]) for column in columns))
    Terminal(file=console.out, width=None if console.out.isatty() else 160, highlight=False).print(table)
    if not rows:
        console.note("costpolicy: nothing to show")


_HEADS = {
    "policy": "policy",
    "runs": "runs",
    "costPerHour": "$/h",
    "plan": "plan",
    "planCostPerHour": "plan $/h",
    "ready": "ready",
    "says": "says",
    "when": "not before (UTC)",
    "what": "what",
    "savesPerMonth": "saves a month",
    "why": "why",
}
