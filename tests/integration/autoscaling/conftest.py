"""A control plane with its controllers, simulated nodes on which pods become ready, and the operator."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from charting import grant_operator_rights
from cluster.api_server import ApiServer, scheduler_command, start_api_server
from cluster.credentials import write_kubeconfig
from cluster.external_metrics import ExternalMetrics, start_external_metrics
from cluster.gpus import create_gpu_nodes, kwok_process
from cluster.processes import start_tied
from costpolicy.kube.connection import Connection, connect
from definitions import define
from operating import Cluster, Running
from stories import prices
from waiting import wait_until

CRDS = Path(__file__).parents[3] / "crds"


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The API server, the real controllers and scheduler, two nodes of eight L40S each, and prices."""
    server = start_api_server(tmp_path_factory.mktemp("control-plane"), controllers=True)
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


@pytest.fixture(scope="module")
def operator_account(control_plane: ApiServer) -> Path:
    return grant_operator_rights(control_plane, control_plane.folder / "operator.kubeconfig")


@pytest.fixture(scope="module")
def connection(control_plane: ApiServer) -> Iterator[Connection]:
    opened = connect(kubeconfig=str(control_plane.kubeconfig))
    Cluster(opened, "default").create(prices(priority=10))
    yield opened
    opened.close()


_numbers = itertools.count(1)


@pytest.fixture
def cluster(connection: Connection) -> Cluster:
    """A namespace that no other test has, once pods are let into it."""
    name = f"scaled-{next(_numbers)}"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    connection.request("POST", "/api/v1/namespaces", body=namespace)
    accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
    wait_until(lambda: bool(connection.request("GET", accounts)["items"]))
    return Cluster(connection, name)


@pytest.fixture
def running(operator_account: Path, cluster: Cluster) -> Iterator[Running]:
    started = Running(operator_account, cluster.namespace).start()
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def metrics(control_plane: ApiServer) -> Iterator[ExternalMetrics]:
    """The external metrics API; without this fixture a test has none."""
    started = start_external_metrics(control_plane)
    yield started
    started.stop()
