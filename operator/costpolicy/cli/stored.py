"""Which stored policies a command is about: a namespace of the cluster, all of them, or a file with their status."""

import argparse
from typing import TYPE_CHECKING, Final

from costpolicy.cli.console import Console, InputError

if TYPE_CHECKING:
    from costpolicy.api.policy import CostPolicy

MODES: Final = ("Off", "Recommend", "Initial", "Auto")


def add_selection(command: argparse.ArgumentParser) -> None:
    """Add the options that say which."""
    command.add_argument("-n", "--namespace", default="default", help="policies of this namespace")
    command.add_argument("-A", "--all-namespaces", action="store_true", help="policies of all namespaces")
    command.add_argument(
        "-f", "--file", metavar="FILE", help="read policies with their status from a file instead; - for stdin"
    )


def add_default_mode(command: argparse.ArgumentParser) -> None:
    """Add the option that says what the operator does for policies without a mode."""
    command.add_argument(
        "--default-mode",
        choices=MODES,
        default="Initial",
        help="defaultRolloutMode of the operator's chart (default: Initial)",
    )


def stored_policies(arguments: argparse.Namespace, console: Console) -> "list[CostPolicy]":
    """Return them in the order of their names; those that cannot be read are named on standard error.

    Raises:
        InputError: the file or the cluster cannot be read.
    """
    return sorted(_found(arguments, console), key=lambda policy: policy.key)


def _found(arguments: argparse.Namespace, console: Console) -> "list[CostPolicy]":
    if arguments.file is not None:
        from costpolicy.cli.documents import read
        from costpolicy.clock import SystemClock

        return read([arguments.file], console, SystemClock().now())[0]
    from costpolicy.api.policy import CostPolicy
    from costpolicy.kube.errors import GatewayError
    from costpolicy.kube.reader import read_policies

    try:
        found = read_policies("" if arguments.all_namespaces else arguments.namespace)
    except GatewayError as error:
        raise InputError(f"the cluster's policies cannot be read: {error}") from error
    for one in found:
        if not isinstance(one, CostPolicy):
            console.note(f"costpolicy: {one.ref.namespace}/{one.ref.name} is left out: {one.message}")
    return [one for one in found if isinstance(one, CostPolicy)]
