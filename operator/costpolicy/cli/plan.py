"""``costpolicy plan``: the cheapest configuration for each policy, and why every other one lost."""

import argparse
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, NO, Console, InputError
from costpolicy.cli.documents import add_files

if TYPE_CHECKING:
    from costpolicy.api.policy import TrafficSpec
    from costpolicy.cli.offline import Planned

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
        "--diff", metavar="FILE", help="compare with the plans of these documents (as they were before)"
    )
    command.add_argument(
        "-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Plan and print."""
    from costpolicy.cli.documents import load
    from costpolicy.cli.offline import plan_offline
    from costpolicy.cli.plan_json import plan_json
    from costpolicy.cli.plan_table import print_plan
    from costpolicy.clock import SystemClock

    now = SystemClock().now()
    policies, prices = load(arguments.file, console, now)
    traffic = _traffic(arguments.traffic, console) if arguments.traffic else None
    plans = [plan_offline(policy, prices, traffic) for policy in policies]
    if arguments.diff:
        before_policies, before_prices = load([arguments.diff], console, now)
        before = {policy.key: plan_offline(policy, before_prices, traffic) for policy in before_policies}
        return _print_diff(plans, before, arguments.output, console)
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


def _print_diff(plans: "list[Planned]", before: "dict[str, Planned]", form: str, console: Console) -> int:
    from costpolicy.planning.explain import describe

    rows: list[dict[str, Any]] = []
    for planned in plans:
        old = before.get(planned.policy.key)
        rows.append(
            {
                "policy": planned.policy.key,
                "before": _summary(old),
                "after": _summary(planned),
                "costPerHourChange": _change(old, planned),
            }
        )
        target = planned.plan.target
        console.note(
            f"{planned.policy.key}: {describe(target.configuration, target.replicas) if target else 'no plan'}"
        )
    if form == "table":
        for row in rows:
            console.print(
                f"{row['policy']}: {row['before'] or 'nothing'} -> {row['after'] or 'nothing'} ({row['costPerHourChange'] or '?'} an hour)"
            )
    else:
        console.dump({"changes": rows}, form)
    return DONE if all(planned.plan.target for planned in plans) else NO


def _summary(planned: "Planned | None") -> str | None:
    from costpolicy.planning.explain import describe

    target = planned.plan.target if planned else None
    return (
        f"{describe(target.configuration, target.replicas)} at {target.cost_per_hour.text(2)} an hour"
        if target
        else None
    )


def _change(old: "Planned | None", new: "Planned") -> str | None:
    if old is None or old.plan.target is None or new.plan.target is None:
        return None
    change = new.plan.target.cost_per_hour - old.plan.target.cost_per_hour
    return f"{'+' if change.micros > 0 else ''}{change.text(2)}"
