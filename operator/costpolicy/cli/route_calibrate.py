"""``costpolicy route calibrate``: how much a cheaper model may have, proven on labels, as a ConfigMap's content."""

import argparse
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, NO, Console, InputError
from costpolicy.cli.route import add_inputs, read_costs, read_labels
from costpolicy.cli.route_evaluate import print_report

if TYPE_CHECKING:
    from costpolicy.routing.calibration import Calibration
    from costpolicy.routing.report import CostPair, Report


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    parser = subparsers.add_parser(
        "calibrate",
        help="the largest share of requests that a cheaper model may have, proven",
        description="Fit the score and find the largest threshold below which the weak model loses no more than allowed, "
        "with 95 % confidence. Where nothing is proven nothing is routed, and the exit code is 1.",
    )
    add_inputs(parser)
    parser.add_argument(
        "--max-loss",
        metavar="SHARE",
        default="2%",
        help="largest loss to accept, as a share of the strong model's score",
    )
    parser.add_argument(
        "--date", metavar="YYYY-MM-DD", help="when the labels were gathered (default: by their column date, or today)"
    )
    parser.add_argument(
        "--config-map", metavar="FILE", help="also write coefficients and evidence here, as a ConfigMap"
    )
    parser.add_argument("--name", metavar="NAME", default="routing", help="name of that ConfigMap")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Calibrate and print."""
    from costpolicy.clock import SystemClock
    from costpolicy.routing.calibration import Proven, calibrate, message
    from costpolicy.routing.coefficients import out_of_fold
    from costpolicy.routing.evaluation import NoGapError
    from costpolicy.routing.labels import gathered
    from costpolicy.routing.report import Report

    costs, max_loss = read_costs(arguments), max_loss_of(arguments.max_loss)
    labels = read_labels(arguments, console)
    on = _date(arguments.date) or gathered(labels) or SystemClock().now().date()
    held_out = out_of_fold(labels)
    try:
        report = Report.of(labels, held_out)
    except NoGapError as error:
        raise InputError(f"{arguments.labels}: {error}") from error
    calibration = calibrate(labels, held_out, max_loss, on)
    if arguments.config_map:
        _write(arguments, calibration)
    if arguments.output == "table":
        print_report(report, costs, console)
        console.print(message(calibration))
    else:
        console.dump(answer(report, calibration, costs), arguments.output)
    return DONE if isinstance(calibration, Proven) else NO


def answer(report: "Report", calibration: "Calibration", costs: "CostPair | None") -> dict[str, Any]:
    """Return the JSON answer: that of ``route evaluate``, the calibration, and the ConfigMap's data."""
    from costpolicy.routing.calibration import Proven, config_map_data, summary

    found = summary(calibration)
    if costs is not None and isinstance(calibration, Proven):
        low, share, high = (round(costs.saving(calls), 4) for calls in calibration.saved)
        found["costSaved"] = {"low": low, "estimate": share, "high": high}
    return {**report.document(costs), "calibration": found, "configMap": config_map_data(calibration)}


def max_loss_of(text: str) -> Fraction:
    """Return what ``--max-loss`` says.

    Raises:
        InputError: it is no share between 0 and 1.
    """
    from costpolicy.units import parse_ratio

    try:
        found = parse_ratio(text)
    except ValueError as error:
        raise InputError(f"--max-loss: {error}") from error
    if not 0 < found < 1:
        raise InputError(
            f"--max-loss {text}: give more than 0 and less than 100%; no number of labels proves a loss of 0"
        )
    return found


def _date(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--date {text}: write a date such as 2026-11-29") from error


def _write(arguments: argparse.Namespace, calibration: "Calibration") -> None:
    import yaml

    from costpolicy.routing.calibration import config_map_data

    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": arguments.name},
        "data": config_map_data(calibration),
    }
    try:
        Path(arguments.config_map).write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{arguments.config_map}: {error.strerror or error}") from error
