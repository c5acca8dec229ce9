"""API servers of the chart ring."""

from collections.abc import Iterator

import pytest

from charting import CRDS, OPERATOR, release, values_file
from cluster.api_server import ApiServer, start_api_server


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A real API server on which Helm installed both charts."""
    server = start_api_server(tmp_path_factory.mktemp("chart-api-server"))
    try:
        release(server, "install", "costpolicy-crds", CRDS)
        release(server, "install", "costpolicy-operator", OPERATOR, "-f", values_file("default"))
        yield server
    finally:
        server.stop()
