"""``costpolicy route renew``: label what was sampled, prove anew, and write the result to the cluster; for a CronJob."""

import argparse
import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, NO, Console, InputError
from costpolicy.cli.route_calibrate import max_loss_of
from costpolicy.cli.route_label import add_labelling, label

if TYPE_CHECKING:
    from costpolicy.routing.calibration import Calibration


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    parser = subparsers.add_parser(
        "renew",
        help="label samples, prove a threshold anew, write it to the cluster",
        description="What the CronJob of a ModelRoute runs for each tier: route label, route calibrate on all labels of the "
        "file, and the result as the ConfigMap that the route names. That nothing is proven is a result, too.",
    )
    add_labelling(parser)
    parser.add_argument(
        "--max-loss",
        metavar="SHARE",
        default="2%",
        help="largest loss to accept, as a share of the trusted model's score",
    )
    parser.add_argument("--config-map", metavar="NAME", required=True, help="name of the ConfigMap")
    parser.add_argument("-n", "--namespace", required=True, help="its namespace")
    parser.add_argument("-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Label, prove, write and print."""
    from costpolicy.evaluator.endpoint import EndpointError
    from costpolicy.kube.errors import GatewayError

    max_loss = max_loss_of(arguments.max_loss)
    try:
        labelled = label(arguments, console)
        calibration = _calibration(arguments, max_loss) if labelled["labels"] else None
        if calibration is not None:
            _write(arguments, labelled, calibration)
    except (EndpointError, GatewayError) as error:
        console.note(f"costpolicy: {error}")
        return NO
    _print(arguments, labelled, calibration, console)
    return DONE


def _calibration(arguments: argparse.Namespace, max_loss: Fraction) -> "Calibration":
    from costpolicy.routing.calibration import calibrate
    from costpolicy.routing.coefficients import out_of_fold
    from costpolicy.routing.labels import LabelError, gathered, parse_labels

    text = Path(arguments.labels).read_text(encoding="utf-8")
    try:
        labels = parse_labels(text)
    except LabelError as error:
        raise InputError(f"{arguments.labels}: {error}") from error
    day = gathered(labels)
    if day is None:
        raise InputError(f"{arguments.labels}: the labels have no date")
    return calibrate(labels, out_of_fold(labels), max_loss, day)


def _write(arguments: argparse.Namespace, labelled: dict[str, Any], calibration: "Calibration") -> None:
    from costpolicy.kube.writer import apply_config_map
    from costpolicy.routing.calibration import config_map_data

    # The operator does not read what it cost; people do.
    data = {**config_map_data(calibration), "labelling.json": json.dumps(labelled, indent=2)}
    apply_config_map(arguments.namespace, arguments.config_map, data)


def _print(
    arguments: argparse.Namespace, labelled: dict[str, Any], calibration: "Calibration | None", console: Console
) -> None:
    from costpolicy.routing.calibration import message, summary

    if arguments.output == "table":
        console.print(labelled["message"])
        console.print(message(calibration) if calibration is not None else "Nothing is proven: there is no label yet")
        return
    console.dump({**labelled, "calibration": None if calibration is None else summary(calibration)}, arguments.output)
