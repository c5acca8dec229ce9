"""``costpolicy plan``: the cheapest configuration for each policy, and why every other one lost."""

import argparse
from typing import TYPE_CHECKING

from costpolicy.cli.console import DONE, NO, Console, InputError
from costpolicy.cli.documents import add_files

if TYPE_CHECKING:
    from costpolicy.api.policy import TrafficSpec

SHOWN = 50


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser("plan", help="the cheapest configuration that keeps the promise", description=__doc__)
    add_files(command)
    command.add_argument(
        "--traffic",
        metavar="FILE",
        help="traffic to plan for instead of spec.traffic (its fields, as YAML or JSON)",
    )
    command.add_argument("--all", action="store_true", help=f"every candidate instead of the {SHOWN} cheapest")
    command.add_argument(
        "--diff",
        metavar="FILE",
        help="compare with the plans of these documents as they were before; prices alone keep the policies",
    )
    command.add_argument(
        "-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Plan and print."""
    from costpolicy.cli.documents import load, read
    from costpolicy.cli.offline import plan_offline
    from costpolicy.cli.plan_json import plan_json
    from costpolicy.cli.plan_table import print_plan
    from costpolicy.clock import SystemClock

    now = SystemClock().now()
    policies, prices = load(arguments.file, console, now)
    traffic = _traffic(arguments.traffic, console) if arguments.traffic else None
    plans = [plan_offline(policy, prices, traffic) for policy in policies]
    if arguments.diff:
        from costpolicy.cli.plan_diff import print_changes

        old_policies, old_prices = read([arguments.diff], console, now)
        # A file of prices alone asks what the same policies cost at those.
        before = [plan_offline(policy, old_prices, traffic) for policy in old_policies or policies]
        return print_changes(before, plans, (old_prices, prices), arguments.output, console)
    shown = None if arguments.all else SHOWN
    if arguments.output == "table":
        for planned in plans:
            print_plan(planned, console, shown)
    else:
        answers = [{"policy": planned.policy.key, **plan_json(planned, shown)} for planned in plans]
        console.dump(answers[0] if len(answers) == 1 else {"plans": answers}, arguments.output)
    return DONE if all(planned.plan.target for planned in plans) else NO


def _traffic(path: str, console: Console) -> "TrafficSpec":
    import yaml
    from pydantic import ValidationError

    from costpolicy.api.policy import TrafficSpec

    try:
        return TrafficSpec.model_validate(yaml.safe_load(console.read(path)))
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
