"""``costpolicy init``: a policy for what already runs.  It reads, prints, and changes nothing."""

import argparse
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, Console, InputError

if TYPE_CHECKING:
    from costpolicy.manifests.serialization import Object


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
        "--ttft", default="1s", metavar="P95", help="objective for the time to first token (default: 1s)"
    )
    command.add_argument("-o", "--output", choices=("yaml", "json"), default="yaml", help="form of the answer")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Read a Deployment and print the policy."""
    from costpolicy.manifests.adopt import NotAnEngineError, policy_for

    deployment = _deployment(arguments, console)
    try:
        console.dump(policy_for(deployment, arguments.ttft), arguments.output)
    except NotAnEngineError as error:
        raise InputError(f"{arguments.origin}: {error}") from error
    console.note("costpolicy: check objectives and traffic, then: costpolicy plan -f FILE")
    return DONE


def _deployment(arguments: argparse.Namespace, console: Console) -> "Object":
    kind, _, name = arguments.origin.partition("/")
    if kind in ("deployment", "deployments", "deploy") and name and not name.endswith((".yaml", ".yml", ".json")):
        return _from_cluster(name, arguments.namespace)
    import yaml

    try:
        found: Any = yaml.safe_load(console.read(arguments.origin))
    except yaml.YAMLError as error:
        raise InputError(f"{arguments.origin} is not YAML: {error}") from error
    if not isinstance(found, dict) or found.get("kind") != "Deployment":
        raise InputError(f"{arguments.origin} is not a Deployment: name deployment/NAME or a file with one")
    return dict(found)


def _from_cluster(name: str, namespace: str) -> "Object":
    from costpolicy.kube.errors import GatewayError
    from costpolicy.kube.reader import read_deployment

    try:
        found = read_deployment(namespace, name)
    except GatewayError as error:
        raise InputError(f"the cluster cannot be read: {error}") from error
    if found is None:
        raise InputError(f"there is no Deployment {name} in namespace {namespace}")
    return found
