"""A control plane with its controllers, and simulated nodes on which pods become ready, for tests of autoscalers."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.api_server import ApiServer, scheduler_command, start_api_server
from cluster.credentials import write_kubeconfig
from cluster.gpus import create_gpu_nodes, kwok_process
from cluster.processes import start_tied
from costpolicy.kube.connection import Connection, connect
from costpolicy.kube.gateway import reference
from definitions import define
from operating import Cluster
from stories import prices
from waiting import wait_until

CRDS = Path(__file__).parents[1] / "crds"

_numbers = itertools.count(1)


@contextmanager
def control_plane(folder: Path) -> Iterator[ApiServer]:
    """The API server, the real controllers and scheduler, and two nodes of eight L40S each."""
    server = start_api_server(folder, controllers=True)
    beside = []
    try:
        define(server, CRDS)
        played_by = write_kubeconfig(server.folder, "kwok", server.url)
        beside.append(kwok_process(played_by, server.folder / "kwok.log"))
        scheduled_by = write_kubeconfig(server.folder, "kube-scheduler", server.url)
        beside.append(start_tied(scheduler_command(scheduled_by), server.folder / "kube-scheduler.log"))
        create_gpu_nodes(server.kubeconfig, {"NVIDIA-L40S": 2})
        yield server
    finally:
        for process in beside:
            process.kill()
            process.wait()
        server.stop()


@contextmanager
def administrator(server: ApiServer) -> Iterator[Connection]:
    """A connection that may do everything, to a cluster in which accelerators have prices."""
    opened = connect(kubeconfig=str(server.kubeconfig))
    Cluster(opened, "default").create(prices(priority=10))
    yield opened
    opened.close()


@contextmanager
def own_namespace(connection: Connection) -> Iterator[Cluster]:
    """The cluster in a namespace that no other test has, once pods are let into it; at the end its accelerators are free."""
    name = f"scaled-{next(_numbers)}"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    connection.request("POST", "/api/v1/namespaces", body=namespace)
    accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
    wait_until(lambda: bool(connection.request("GET", accounts)["items"]))
    cluster = Cluster(connection, name)
    yield cluster
    for item in cluster.deployments():
        cluster.remove(reference(item))
    wait_until(lambda: not connection.request("GET", f"/api/v1/namespaces/{name}/pods")["items"], 60)
