"""The cluster that the environment asks for: CLUSTER=kind for kind's, otherwise the one that is built here."""

import contextlib
import os
from collections.abc import Iterator
from typing import Literal

from cluster import kind, local
from cluster.cluster import Cluster
from cluster.paths import state_folder
from cluster.progress import ClusterError
from engine.environment import engine_env
from router.environment import router_env


def chosen() -> Literal["local", "kind"]:
    """Return what CLUSTER says; ClusterError if that is no cluster of ours."""
    match os.environ.get("CLUSTER") or "local":
        case "local":
            return "local"
        case "kind":
            return "kind"
        case other:
            raise ClusterError(f"CLUSTER={other} is unknown: use local (the default) or kind")


def up() -> Cluster:
    """Bring up the chosen cluster, able to run a real engine and a real router, or use the one that is up."""
    if chosen() == "local":
        return local.up(environments=[engine_env(), router_env()])
    cluster = kind.up()
    # Here, where nobody counts the seconds.
    cluster.pull_engine()
    return cluster


def down() -> None:
    """Take the chosen cluster away."""
    if chosen() == "kind":
        kind.down()
    else:
        local.down()


def is_up() -> bool:
    """Tell whether the chosen cluster is there and whole."""
    return kind.is_up() if chosen() == "kind" else local.LocalCluster(state_folder()).is_healthy()


@contextlib.contextmanager
def running() -> Iterator[Cluster]:
    """Give the chosen cluster; one that was not there before is taken down at the end, one that was is left."""
    there = is_up()
    cluster = up()
    try:
        yield cluster
    finally:
        if not there:
            down()
