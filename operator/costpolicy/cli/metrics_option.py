"""The Prometheus that a command reads the ledger from."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from costpolicy.cli.console import InputError

if TYPE_CHECKING:
    from costpolicy.observe.prometheus import PrometheusSource
    from costpolicy.observe.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whom to ask, and about which series."""

    metrics: "PrometheusSource"
    scope: "Scope"


def add_prometheus(command: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Add the options that say where it is."""
    command.add_argument(
        "--prometheus", metavar="URL", required=required, help="Prometheus with the chart's recording rules"
    )
    command.add_argument("--matchers", metavar="MATCHERS", default="", help='such as cluster="prod-eu"')
    command.add_argument("--token-file", metavar="FILE", help="bearer token for Prometheus")
    command.add_argument("--timeout", metavar="DURATION", default="60s", help="for each question (default: 60s)")


def prometheus(arguments: argparse.Namespace) -> Asked | None:
    """Return whom to ask; ``None`` where no address was given.

    Raises:
        InputError: the address or another option cannot be read.
    """
    if arguments.prometheus is None:
        return None
    from costpolicy.observe.prometheus import PrometheusSource
    from costpolicy.observe.scope import Scope, parse_matchers
    from costpolicy.units import parse_duration

    token = Path(arguments.token_file) if arguments.token_file is not None else None
    try:
        scope = Scope(matchers=parse_matchers(arguments.matchers))
        timeout = parse_duration(arguments.timeout)
        return Asked(
            metrics=PrometheusSource(arguments.prometheus, timeout=timeout, bearer_token_file=token), scope=scope
        )
    except ValueError as error:
        raise InputError(str(error)) from error
