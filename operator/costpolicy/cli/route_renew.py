"""``costpolicy route renew``: label what was sampled, prove anew, and write the result to the cluster; for a CronJob."""

import argparse
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, NO, Console, InputError
from costpolicy.cli.route_calibrate import max_loss_of
from costpolicy.cli.route_label import add_labelling, compression_of, label

if TYPE_CHECKING:
    from costpolicy.router_plugin.compression import Limits
    from costpolicy.routing.labels import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """What all labels of a file prove.

    Attributes:
        data: what the ConfigMap is to hold.
        summary: of the proof, for people; its name in the answer is ``kind``.
        manager: who owns the data in the ConfigMap.
    """

    kind: str
    data: dict[str, str]
    summary: dict[str, Any]
    message: str
    manager: str


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    parser = subparsers.add_parser(
        "renew",
        help="label samples, prove a threshold anew, write it to the cluster",
        description="What the CronJob of a ModelRoute runs for each tier: route label, route calibrate on all labels of the "
        "file, and the result as the ConfigMap that the route names. With --compress-minimum it proves a compression in place of "
        "a threshold. That nothing is proven is a result, too.",
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
        renewed = _renewed(arguments, max_loss) if labelled["labels"] else None
        if renewed is not None:
            _write(arguments, labelled, renewed)
    except (EndpointError, GatewayError) as error:
        console.note(f"costpolicy: {error}")
        return NO
    _print(arguments, labelled, renewed, console)
    return DONE


def _renewed(arguments: argparse.Namespace, max_loss: Fraction) -> Renewed:
    labels, limits = _labels(arguments), compression_of(arguments)
    return _calibration(arguments, labels, max_loss) if limits is None else _compression(labels, limits, max_loss)


def _labels(arguments: argparse.Namespace) -> "tuple[Label, ...]":
    from costpolicy.routing.labels import LabelError, parse_labels

    try:
        return parse_labels(Path(arguments.labels).read_text(encoding="utf-8"))
    except LabelError as error:
        raise InputError(f"{arguments.labels}: {error}") from error


def _calibration(arguments: argparse.Namespace, labels: "tuple[Label, ...]", max_loss: Fraction) -> Renewed:
    from costpolicy.kube.writer import MANAGER
    from costpolicy.routing.calibration import calibrate, config_map_data, message, summary
    from costpolicy.routing.coefficients import out_of_fold
    from costpolicy.routing.labels import gathered

    day = gathered(labels)
    if day is None:
        raise InputError(f"{arguments.labels}: the labels have no date")
    calibration = calibrate(labels, out_of_fold(labels), max_loss, day)
    return Renewed(
        kind="calibration",
        data=config_map_data(calibration),
        summary=summary(calibration),
        message=message(calibration),
        manager=MANAGER,
    )


def _compression(labels: "tuple[Label, ...]", limits: "Limits", max_loss: Fraction) -> Renewed:
    from datetime import timedelta

    from costpolicy.kube.writer import COMPRESSION_MANAGER
    from costpolicy.routing.compression_proof import CompressionEvidence, document, judge_compression, message

    evidence = CompressionEvidence.of(labels, limits.settings)
    if evidence is None:
        raise InputError("the labels have no date")
    # Of age and drift the operator judges, each time it decides.
    judged = judge_compression(evidence, max_loss, scores=(), today=evidence.date, oldest=timedelta())
    told = {"message": message(evidence, judged, max_loss), **document(evidence)}
    return Renewed(
        kind="compression",
        data={"compression.json": json.dumps(told, indent=2)},
        summary=told,
        message=str(told["message"]),
        manager=COMPRESSION_MANAGER,
    )


def _write(arguments: argparse.Namespace, labelled: dict[str, Any], renewed: Renewed) -> None:
    from costpolicy.kube.writer import apply_config_map

    # The operator does not read what it cost; people do.
    cost = "labelling.json" if renewed.kind == "calibration" else f"{renewed.kind}-labelling.json"
    data = {**renewed.data, cost: json.dumps(labelled, indent=2)}
    apply_config_map(arguments.namespace, arguments.config_map, data, renewed.manager)


def _print(arguments: argparse.Namespace, labelled: dict[str, Any], renewed: Renewed | None, console: Console) -> None:
    if arguments.output == "table":
        console.print(labelled["message"])
        console.print(renewed.message if renewed is not None else "Nothing is proven: there is no label yet")
        return
    kind = "calibration" if arguments.compress_minimum is None else "compression"
    console.dump({**labelled, kind: None if renewed is None else renewed.summary}, arguments.output)
