"""``costpolicy playbook``: what each technique saves or would save here, the largest saving for its effort first."""

import argparse
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, Console, InputError
from costpolicy.cli.stored import add_selection, stored_policies

if TYPE_CHECKING:
    from costpolicy.api.policy import CostPolicy


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser("playbook", help="what each technique would save here", description=__doc__)
    command.add_argument("name", nargs="?", metavar="POLICY", help="this policy alone")
    add_selection(command)
    command.add_argument(
        "-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the playbook of each policy, as the operator wrote it into its status."""
    policies = stored_policies(arguments, console)
    if arguments.name is not None:
        policies = [policy for policy in policies if policy.metadata.name == arguments.name]
        if not policies:
            raise InputError(f"there is no CostPolicy {arguments.name}")
    answers = [_answer(policy) for policy in policies]
    if arguments.output == "table":
        for one in answers:
            _print(one, console)
        if not answers:
            console.note("costpolicy: nothing to show")
    else:
        console.dump({"playbooks": answers}, arguments.output)
    return DONE


def _answer(policy: "CostPolicy") -> dict[str, Any]:
    status = policy.status
    plan = (status.target or status.current) if status else None
    rows = status.playbook if status else ()
    return {
        "policy": policy.key,
        "currency": plan.currency if plan else "",
        "savesPerMonthTogether": status.playbook_saves_per_month if status else None,
        "rows": [
            {
                "technique": row.technique,
                "effort": row.effort,
                "state": row.state,
                "savesPerMonth": row.saves_per_month,
                "reason": row.reason,
            }
            for row in rows
        ],
    }


def _print(one: dict[str, Any], console: Console) -> None:
    from rich.console import Console as Terminal
    from rich.table import Table

    if not one["rows"]:
        console.print(f"{one['policy']}: the operator has not written a playbook yet")
        return
    table = Table(box=None, pad_edge=False, title=one["policy"], title_justify="left")
    for head in ("technique", "effort", "state", f"{one['currency']} a month".strip(), "why"):
        table.add_column(head, overflow="fold", no_wrap=head == "technique")
    for row in one["rows"]:
        table.add_row(*("-" if value is None else str(value) for value in (row[key] for key in _KEYS)))
    Terminal(file=console.out, width=160, highlight=False).print(table)
    together = one["savesPerMonthTogether"]
    if together is not None:
        console.print(f"all that is recommended, at once: {together} {one['currency']} a month (rows do not add up)")


_KEYS = ("technique", "effort", "state", "savesPerMonth", "reason")
