"""`python -m demo [--keep] [--patience SECONDS] [--operator-replicas N]` (PYTHONPATH=tests); see the package."""

import argparse
import contextlib
import sys

from cluster import choice
from cluster.cluster import Cluster
from cluster.progress import ClusterError
from costpolicy.kube.errors import GatewayError
from demo.journal import Journal
from demo.stage import RELEASE, SYSTEM, set_up
from demo.story import tell
from demo.world import StepFailedError
from pinned_environment import BuildError


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; 0 if every step held, 1 if one did not or the cluster could not be had."""
    options = _parser().parse_args(arguments)
    journal = Journal()
    try:
        was_there = choice.is_up()
        try:
            journal.step("a real Kubernetes, with simulated GPU nodes")
            held = _perform(choice.up(), journal, options, keep=options.keep or not was_there)
        finally:
            if not was_there and not options.keep:
                choice.down()
    except (ClusterError, BuildError, GatewayError) as problem:
        print(f"\nthe demo could not run: {problem}", file=sys.stderr)
        return 1
    return 0 if held else 1


def _perform(cluster: Cluster, journal: Journal, options: argparse.Namespace, *, keep: bool) -> bool:
    with set_up(cluster, journal, replicas=options.operator_replicas, patience=options.patience, keep=keep) as world:
        try:
            tell(world)
        except StepFailedError as problem:
            journal.table()
            print(f"FAILED after {journal.seconds:.0f} s: {problem}", flush=True)
            with contextlib.suppress(ClusterError):  # there may be no pod to ask
                print(cluster.kubectl("logs", "-n", SYSTEM, f"deployment/{RELEASE}", "--tail=25"), flush=True)
            return False
        journal.table()
        print(f"every step held, in {journal.seconds:.0f} s", flush=True)
        if options.keep:
            print(f"the cluster is kept: export KUBECONFIG={cluster.kubeconfig}; make cluster-down takes it away")
        return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the cluster and everything in it")
    parser.add_argument("--patience", type=float, default=240.0, help="seconds that anything may take to come about")
    parser.add_argument("--operator-replicas", type=int, default=1, help="how many operators the chart runs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
