"""``costpolicy init``: a policy for what already runs.  It reads, prints, and changes nothing."""

import argparse
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, Console, InputError

if TYPE_CHECKING:
    from costpolicy.advice.adoption import Promise
    from costpolicy.advice.existing import Existing
    from costpolicy.cli.reviewing import Scene


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser("init", help="a policy for what already runs", description=__doc__)
    command.add_argument(
        "--from",
        dest="origin",
        required=True,
        metavar="deployment/NAME",
        help="a vLLM Deployment of the cluster, or a file with one",
    )
    command.add_argument("-n", "--namespace", default="default", help="its namespace")
    command.add_argument(
        "--advise",
        action="store_true",
        help="a policy that advises on the Deployment (targetRef), instead of one that would serve its model",
    )
    command.add_argument(
        "--ttft", default="1s", metavar="P95", help="objective for the time to first token (default: 1s)"
    )
    command.add_argument(
        "--itl", default="", metavar="P95", help="objective for inter-token latency (default: none is promised)"
    )
    command.add_argument("-o", "--output", choices=("yaml", "json"), default="yaml", help="form of the answer")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Read a Deployment and print the policy."""
    from costpolicy.advice.adoption import Promise, advising_policy
    from costpolicy.cli.reviewing import duration

    existing = _existing(arguments, console)
    promise = Promise(ttft=duration(arguments.ttft), inter_token=duration(arguments.itl) if arguments.itl else "")
    for line in existing.assumed:
        console.note(f"costpolicy: {line}")
    if arguments.advise:
        console.dump(advising_policy(existing, promise), arguments.output)
    else:
        console.dump(_serving(existing, promise, console), arguments.output)
    console.note("costpolicy: check objectives and traffic, then: costpolicy plan -f FILE")
    return DONE


def _serving(existing: "Existing", promise: "Promise", console: Console) -> dict[str, Any]:
    from costpolicy.advice.adoption import as_it_runs, serving_policy, source_of
    from costpolicy.observe.source import Missing

    source, configuration = source_of(existing), existing.configuration
    if isinstance(source, Missing):
        raise InputError(f"{existing.name}: {source.message}; or advise on it as it is (--advise)")
    document = serving_policy(existing, promise, source)
    if isinstance(configuration, Missing):
        console.note(f"costpolicy: hardware and techniques are left open: {configuration.message}")
        return document
    console.note(
        "costpolicy: spec.hardware, techniques and scaling order what runs; take them out to be shown what is cheaper"
    )
    return as_it_runs(document, existing, configuration)


def _existing(arguments: argparse.Namespace, console: Console) -> "Existing":
    from costpolicy.observe.source import Missing

    scene = _scene(arguments, console)
    [deployment, *_] = scene.workloads.deployments
    found = scene.existing(deployment)
    if isinstance(found, Missing):
        raise InputError(f"{arguments.origin}: {found.message}")
    return found


def _scene(arguments: argparse.Namespace, console: Console) -> "Scene":
    from costpolicy.cli.reviewing import deployments_in, prices_of, scene_of, scene_of_deployment
    from costpolicy.clock import SystemClock

    prices = prices_of((), console, SystemClock().now())
    kind, _, name = arguments.origin.partition("/")
    if kind in ("deployment", "deployments", "deploy") and name and not name.endswith((".yaml", ".yml", ".json")):
        return scene_of_deployment(arguments.namespace, name, prices)
    return scene_of(deployments_in(console.read(arguments.origin), arguments.origin), prices)
