"""``costpolicy route evaluate``: how much quality the score recovers, beside prompt length."""

import argparse
from typing import TYPE_CHECKING

from costpolicy.cli.console import DONE, Console, InputError
from costpolicy.cli.route import add_inputs, read_costs, read_labels

if TYPE_CHECKING:
    from costpolicy.routing.report import CostPair, Report


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    parser = subparsers.add_parser(
        "evaluate",
        help="how much quality the score recovers for the calls it makes, beside prompt length",
        description="Send the most complex questions to the strong model and see what that recovers of its lead. The score "
        "is fitted on other questions than those it is judged on. With costs, costPer1k is what 1,000 requests cost at "
        "95 % of the strong model's score.",
    )
    add_inputs(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Evaluate and print."""
    from costpolicy.routing.coefficients import basis_of
    from costpolicy.routing.evaluation import NoGapError
    from costpolicy.routing.report import Report

    costs = read_costs(arguments)
    labels = read_labels(arguments, console)
    try:
        report = Report.of(labels)
    except NoGapError as error:
        raise InputError(f"{arguments.labels}: {error}") from error
    if arguments.output == "table":
        console.print(f"{len(labels):,} questions; the score's basis is {basis_of(len(labels))}")
        print_report(report, costs, console)
    else:
        console.dump(report.document(costs), arguments.output)
    return DONE


def print_report(report: "Report", costs: "CostPair | None", console: Console) -> None:
    """Print both as a table."""
    names = {"apgr": "APGR", "cpt50": "CPT50", "cpt80": "CPT80", "shareFor95": "for 95 %", "costPer1k": "per 1,000"}
    document = report.document(costs)
    columns = [name for name in names if name in document["score"]]
    console.print("".join(["               ", *(f"{names[column]:>11}" for column in columns)]))
    for title, row in (("score", document["score"]), ("prompt length", document["promptLength"])):
        cells = [
            f"{row[column]:>11.3f}" if isinstance(row[column], float) else f"{row[column]:>11}" for column in columns
        ]
        console.print("".join([f"{title:<15}", *cells]))
