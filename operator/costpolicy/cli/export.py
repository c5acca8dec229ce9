"""``costpolicy export``: the ledger's costs as rows, for FinOps tools (FOCUS 1.2), spreadsheets (CSV) and programs (JSON)."""

import argparse
from typing import TYPE_CHECKING

from costpolicy.cli.console import DONE, Console, InputError
from costpolicy.cli.metrics_option import Asked, add_prometheus, prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from costpolicy.observe.billing import Charge
    from costpolicy.reporting.rows import Row


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser(
        "export",
        help="costs by hour or day, policy and offering: FOCUS 1.2, CSV or JSON",
        description="Rows are full hours of the ledger of which it is known what was held; their sum is the ledger's, exactly.",
    )
    add_prometheus(command, required=True)
    command.add_argument("--since", metavar="DATE", help="first day, UTC (default: the present month's first)")
    command.add_argument("--until", metavar="DATE", help="day after the last, UTC (default: now)")
    command.add_argument("--by", choices=("hour", "day"), default="day", help="how long a row is")
    command.add_argument("-o", "--output", choices=("focus", "csv", "json"), default="focus", help="form of the rows")
    command.add_argument("--account", default="cluster", help="BillingAccountId of FOCUS, such as the cluster's name")
    command.add_argument("--provider", default="CostPolicy", help="who provides the accelerators, in FOCUS")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Read and print the rows."""
    from costpolicy.clock import SystemClock
    from costpolicy.observe.source import MetricsUnavailable
    from costpolicy.reporting.rows import Period, rows

    source = prometheus(arguments)
    if source is None:
        raise InputError("costs by hour are in Prometheus alone: give --prometheus")
    since, until = _span(arguments, SystemClock().now())
    try:
        with source.metrics:
            found = list(_charges(source, since, until, console))
    except MetricsUnavailable as error:
        raise InputError(f"Prometheus cannot be asked: {error.message}") from error
    _write(rows(found, Period(arguments.by)), arguments, console)
    return DONE


def _span(arguments: argparse.Namespace, now: "datetime") -> "tuple[datetime, datetime]":
    from costpolicy.savings.month import month_of

    since = month_of(now)[0] if arguments.since is None else _day("--since", arguments.since)
    until = now if arguments.until is None else min(_day("--until", arguments.until), now)
    until = until.replace(minute=0, second=0, microsecond=0)
    if since > until:
        raise InputError("the span ends before it begins: --since has to be before --until and now")
    return since, until


def _day(option: str, text: str) -> "datetime":
    from datetime import UTC, datetime

    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"{option} {text}: write a day such as 2026-11-01") from None


def _charges(source: Asked, since: "datetime", until: "datetime", console: Console) -> "Iterator[Charge]":
    from costpolicy.observe.billing import batches, billed_policies, charges

    with console.working("looking for policies"):
        names = billed_policies(source.metrics, source.scope, since, until)
    unpriced = 0
    for batch in console.steps("reading hours", batches(names)):
        found = charges(source.metrics, source.scope, batch, since, until)
        unpriced += found.unpriced
        yield from found.charges
    if unpriced:
        console.note(f"costpolicy: in {unpriced} hours accelerators had no price: what they cost is in no row")


def _write(found: "tuple[Row, ...]", arguments: argparse.Namespace, console: Console) -> None:
    from costpolicy.reporting.focus import COLUMNS, Payer, focus_rows
    from costpolicy.reporting.rows import as_csv, plain

    match arguments.output:
        case "focus":
            payer = Payer(account=arguments.account, provider=arguments.provider)
            console.out.write(as_csv(COLUMNS, focus_rows(found, payer)))
        case "csv":
            columns = (
                "since",
                "until",
                "namespace",
                "policy",
                "accelerator",
                "capacityType",
                "acceleratorHours",
                "cost",
                "currency",
            )
            console.out.write(as_csv(columns, plain(found)))
        case _:
            console.dump(plain(found), "json")
