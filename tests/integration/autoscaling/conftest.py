"""A control plane with its controllers, simulated nodes on which pods become ready, and the operator."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import controlled
from charting import grant_operator_rights
from cluster.api_server import ApiServer
from cluster.external_metrics import ExternalMetrics, start_external_metrics
from costpolicy.kube.connection import Connection
from operating import Cluster, Running


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with controlled.control_plane(tmp_path_factory.mktemp("control-plane")) as server:
        yield server


@pytest.fixture(scope="module")
def operator_account(control_plane: ApiServer) -> Path:
    return grant_operator_rights(control_plane, control_plane.folder / "operator.kubeconfig")


@pytest.fixture(scope="module")
def connection(control_plane: ApiServer) -> Iterator[Connection]:
    with controlled.administrator(control_plane) as opened:
        yield opened


@pytest.fixture
def cluster(connection: Connection) -> Iterator[Cluster]:
    with controlled.own_namespace(connection) as own:
        yield own


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
