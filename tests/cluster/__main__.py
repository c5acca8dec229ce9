"""The command line: `python -m cluster build|up|down|status|lacks` (PYTHONPATH=tests; CLUSTER=kind for kind)."""

import argparse
import sys

from cluster import binaries, choice, debian, images, kind, local, needs
from cluster.paths import cache_folder, state_folder
from cluster.progress import ClusterError, say
from engine.environment import engine_env
from pinned_environment import BuildError
from router.environment import router_env


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 if it did what it says, 1 with a message if it could not."""
    parser = argparse.ArgumentParser(prog="python -m cluster", description="The Kubernetes cluster of tests and demo.")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build everything into the cache folder; on kind Helm and the image")
    build.add_argument("program", nargs="*", help=f"only these of: {' '.join(binaries.PROGRAMS)}")
    commands.add_parser("up", help="bring the cluster up, or say that it is")
    commands.add_parser("down", help="take the cluster away")
    commands.add_parser("status", help="say what runs; exit code 1 if the cluster is not whole")
    lacks = commands.add_parser("lacks", help="print what a ring of tests needs and this machine has not")
    lacks.add_argument("ring")
    options = parser.parse_args(arguments)
    try:
        if options.command == "lacks":
            print(", ".join(needs.lacking(options.ring)))
            return 0
        return _run_on_kind(options) if choice.chosen() == "kind" else _run(options)
    except (ClusterError, BuildError) as error:
        say(f"error: {error}")
        return 1


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "build":
            _build(options.program)
            say("everything asked for is built")
        case "up":
            local.up(environment=images.engine_environment())
        case "down":
            local.down()
        case _:
            return _status()
    return 0


def _build(programs: list[str]) -> None:
    unknown = [name for name in programs if name not in binaries.PROGRAMS]
    if unknown:
        raise ClusterError(f"no such program: {' '.join(unknown)}")
    if programs:
        binaries.build(programs)
        return
    # Once and before the tests, whose parallel workers would meet at apt's lock.
    cache_folder().mkdir(parents=True, exist_ok=True)
    wanted = (debian.API_SERVER, debian.NODE, debian.PROMETHEUS, debian.BROWSER)
    debian.ensure(*wanted, log=cache_folder() / "debian.log")
    binaries.build()
    engine_env()
    router_env()


def _run_on_kind(options: argparse.Namespace) -> int:
    match options.command:
        case "build" if options.program:
            binaries.build(options.program)
        case "build":
            kind.build()
        case "up":
            say(f"the cluster is up: KUBECONFIG={choice.up().kubeconfig}")
        case "down":
            kind.down()
        case _:
            healthy = kind.is_up()
            print(f"KUBECONFIG={kind.kubeconfig()}" if healthy else "the cluster is not up, or not whole")
            return 0 if healthy else 1
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
