"""The command line: `python -m cluster build|up|down|status` (PYTHONPATH=tests; CLUSTER=kind for kind)."""

import argparse
import os
import sys

from cluster import binaries, debian, images, kind, local
from cluster.paths import cache_folder, state_folder
from cluster.progress import ClusterError, say


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 if it did what it says, 1 with a message if it could not."""
    parser = argparse.ArgumentParser(prog="python -m cluster", description="The local Kubernetes cluster.")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build the programs into the cache folder")
    build.add_argument("program", nargs="*", help=f"only these of: {' '.join(binaries.PROGRAMS)}")
    commands.add_parser("up", help="bring the cluster up, or say that it is")
    commands.add_parser("down", help="take the cluster away")
    commands.add_parser("status", help="say what runs; exit code 1 if the cluster is not whole")
    options = parser.parse_args(arguments)
    on_kind = os.environ.get("CLUSTER", "local") == "kind"
    try:
        return _run_on_kind(options) if on_kind else _run(options)
    except ClusterError as error:
        say(f"error: {error}")
        return 1


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "build":
            unknown = [name for name in options.program if name not in binaries.PROGRAMS]
            if unknown:
                raise ClusterError(f"no such program: {' '.join(unknown)}")
            if not options.program:  # once and before the tests, whose parallel workers would meet at apt's lock
                cache_folder().mkdir(parents=True, exist_ok=True)
                debian.ensure(debian.API_SERVER, debian.NODE, debian.PROMETHEUS, log=cache_folder() / "debian.log")
            binaries.build(options.program or binaries.PROGRAMS)
            say("everything asked for is built")
        case "up":
            local.up(environment=images.engine_environment())
        case "down":
            local.down()
        case _:
            return _status()
    return 0


def _run_on_kind(options: argparse.Namespace) -> int:
    match options.command:
        case "build":
            binaries.build(["helm", "kubeconform"])
        case "up":
            say(f"the cluster is up: KUBECONFIG={kind.up(local.ONE_OF_EACH).kubeconfig}")
        case "down":
            kind.down()
        case _:
            raise ClusterError("with CLUSTER=kind ask kind itself: kind get nodes --name costpolicy")
    return 0


def _status() -> int:
    cluster = local.LocalCluster(state_folder())
    for process in cluster.owner.living():
        print(f"{process.pid:>8}  {process.name}")
    healthy = cluster.is_healthy()
    print(f"KUBECONFIG={cluster.kubeconfig}" if healthy else "the cluster is not up, or not whole")
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
