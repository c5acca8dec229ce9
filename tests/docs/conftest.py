"""One real API server with our kinds, for the documents that readers apply."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.api_server import ApiServer, start_api_server
from definitions import define

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = start_api_server(tmp_path_factory.mktemp("api-server"))
    try:
        define(server, ROOT / "crds")
        yield server
    finally:
        server.stop()
