"""``costpolicy report``: the monthly review: cost drivers, changes and their proof, playbook, forecast against budget."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from costpolicy.cli.console import DONE, Console, InputError
from costpolicy.cli.metrics_option import add_prometheus, prometheus
from costpolicy.cli.stored import add_selection, stored_policies

if TYPE_CHECKING:
    from datetime import datetime

    from costpolicy.observe.review import Review


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser(
        "report",
        help="the monthly review: cost drivers, changes and their proof, playbook, forecast against budget",
        description="Without --prometheus it says what the policies' status knows, and what is missing.",
    )
    add_selection(command)
    add_prometheus(command)
    command.add_argument("--month", metavar="YYYY-MM", help="a month of UTC (default: the present one)")
    command.add_argument("--html", metavar="FILE", help="write one page that needs nothing else; - for standard output")
    command.add_argument("-o", "--output", choices=("table", "json", "csv"), default="table", help="form of the answer")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Put the month together and print it."""
    from costpolicy.clock import SystemClock
    from costpolicy.reporting.composing import statement

    now = SystemClock().now()
    since = _month(arguments.month, now)
    with console.working("reading policies"):
        policies = stored_policies(arguments, console)
    review = statement(policies, _recorded(arguments, console, since, now), since, now)
    if arguments.html is not None:
        from costpolicy.reporting.page import page

        _write(page(review), arguments.html, console)
    elif arguments.output == "json":
        from costpolicy.reporting.statement_json import statement_json

        console.dump(statement_json(review), "json")
    elif arguments.output == "csv":
        from costpolicy.reporting.statement_json import drivers_csv

        console.out.write(drivers_csv(review))
    else:
        from costpolicy.cli.report_text import print_statement

        print_statement(review, console)
    return DONE


def _month(text: str | None, now: "datetime") -> "datetime":
    from datetime import UTC, datetime

    from costpolicy.savings.month import month_of

    if text is None:
        return month_of(now)[0]
    try:
        begin = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"--month {text}: write a month such as 2026-11") from None
    if begin > now:
        raise InputError(f"--month {text} has not begun")
    return begin


def _recorded(arguments: argparse.Namespace, console: Console, since: "datetime", now: "datetime") -> "Review | None":
    source = prometheus(arguments)
    if source is None:
        return None
    from costpolicy.observe.review import review
    from costpolicy.observe.source import MetricsUnavailable
    from costpolicy.savings.month import month_of

    with source.metrics as metrics, console.working("reading the month from Prometheus"):
        try:
            return review(metrics, source.scope, since, min(now, month_of(since)[1]))
        except MetricsUnavailable as error:
            raise InputError(f"Prometheus cannot be asked: {error.message}") from error


def _write(text: str, path: str, console: Console) -> None:
    if path == "-":
        console.out.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    console.note(f"costpolicy: written to {path}")
