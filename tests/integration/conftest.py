"""One real API server for the whole ring, with our kinds served; no nodes, no controllers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from charting import grant_operator_rights
from cluster.api_server import ApiServer, start_api_server
from costpolicy.kube.connection import Connection, connect
from definitions import define

CRDS = Path(__file__).parents[2] / "crds"


def pytest_configure(config: pytest.Config) -> None:
    # The operator leaves kopf's thread behind when it does not end in time (runtime.handlers.Watch); what that thread
    # still held is reported when the test process ends, long after the test.
    config.addinivalue_line("filterwarnings", "ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = start_api_server(tmp_path_factory.mktemp("api-server"))
    try:
        define(server, CRDS)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def administrator(api_server: ApiServer) -> Iterator[Connection]:
    connection = connect(kubeconfig=str(api_server.kubeconfig))
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def operator_kubeconfig(api_server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of the ServiceAccount that the chart gives the operator: what it may not do fails here."""
    return grant_operator_rights(api_server, tmp_path_factory.mktemp("operator") / "kubeconfig")
