"""``costpolicy route``: whether a score sends the right requests to the strong model, and what it may keep from it."""

import argparse
from importlib import import_module
from typing import TYPE_CHECKING

from costpolicy.cli.console import Console, InputError

if TYPE_CHECKING:
    from costpolicy.routing.labels import Label
    from costpolicy.routing.report import CostPair

COMMANDS = ("evaluate", "calibrate", "price", "label", "renew")


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the tree."""
    parser = subparsers.add_parser(
        "route",
        help="which requests a cheaper model may answer",
        description="Evaluate and calibrate the complexity score on labelled questions, make labels of sampled requests, and price "
        "tiers.",
    )
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name in COMMANDS:
        import_module(f"costpolicy.cli.route_{name}").register(commands)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run one of the commands."""
    code: int = import_module(f"costpolicy.cli.route_{arguments.action}").run(arguments, console)
    return code


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that reads labels."""
    parser.add_argument(
        "--labels",
        metavar="FILE",
        required=True,
        help="CSV with the columns task,prompt,strong_correct,weak_correct (- is stdin); right is 1, wrong is 0",
    )
    parser.add_argument("--strong-cost", metavar="C", help="what one request to the strong model costs")
    parser.add_argument("--weak-cost", metavar="C", help="what one request to the weak model costs")
    parser.add_argument("-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer")


def read_labels(arguments: argparse.Namespace, console: Console) -> "tuple[Label, ...]":
    """Return the labels of the file.

    Raises:
        InputError: it is not labels.
    """
    from costpolicy.routing.labels import LabelError, parse_labels

    try:
        return parse_labels(console.read(arguments.labels))
    except LabelError as error:
        raise InputError(f"{arguments.labels}: {error}") from error


def read_costs(arguments: argparse.Namespace) -> "CostPair | None":
    """Return what a request costs at either model; None where it was not said.

    Raises:
        InputError: one is missing, is no amount, or the strong model is not dearer.
    """
    from costpolicy.routing.report import CostPair
    from costpolicy.units import Money

    given = {"--strong-cost": arguments.strong_cost, "--weak-cost": arguments.weak_cost}
    if not any(given.values()):
        return None
    amounts = []
    for option, text in given.items():
        if text is None:
            raise InputError(f"{option} is missing: give what a request costs at both models, or at neither")
        try:
            amounts.append(Money.parse(text))
        except ValueError as error:
            raise InputError(f"{option}: {error}") from error
    strong, weak = amounts
    if strong <= weak:
        raise InputError("--strong-cost must be more than --weak-cost: else the strong model may answer everything")
    return CostPair(strong=strong, weak=weak)
