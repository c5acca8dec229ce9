"""``costpolicy explain``: one policy in full: what runs, what it costs, why not cheaper, what was changed, what comes next."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, Console, InputError
from costpolicy.cli.stored import add_default_mode, add_selection, stored_policies

if TYPE_CHECKING:
    from costpolicy.api.policy import CostPolicy


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser(
        "explain",
        help="one policy in full: what runs, what it costs, why not cheaper, what was changed and what comes next",
        description=__doc__,
    )
    command.add_argument("name", metavar="POLICY", help="name of the policy, or namespace/name")
    add_selection(command)
    add_default_mode(command)
    command.add_argument("-o", "--output", choices=("text", "json", "yaml"), default="text", help="form of the answer")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print what the policy's status says."""
    from costpolicy.api.types import RolloutMode
    from costpolicy.cli.explanation import explanation
    from costpolicy.clock import SystemClock

    policy = _chosen(arguments, stored_policies(arguments, console))
    found = explanation(policy, RolloutMode(arguments.default_mode), SystemClock().now())
    if arguments.output != "text":
        console.dump(found, arguments.output)
        return DONE
    from costpolicy.cli.explain_text import print_explanation

    print_explanation(found, console)
    return DONE


def _chosen(arguments: argparse.Namespace, policies: "Sequence[CostPolicy]") -> "CostPolicy":
    namespace, _, name = arguments.name.rpartition("/")
    found = [
        policy for policy in policies if policy.metadata.name == name and namespace in ("", policy.metadata.namespace)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{name} is in several namespaces: write one of {', '.join(policy.key for policy in found)}")
    known: Any = [policy.key for policy in policies]
    there = (
        f"there are: {', '.join(known[:10])}{' ...' if len(known) > 10 else ''}" if known else "there is none at all"
    )
    raise InputError(f"no CostPolicy {arguments.name} was found; {there}")
