"""An API server of its own: these tests install kinds that tests of absent kinds must not find."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.api_server import ApiServer, start_api_server
from definitions import define

FOREIGN = Path(__file__).parents[2] / "data" / "crds"


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = start_api_server(tmp_path_factory.mktemp("api-server"))
    try:
        define(server, FOREIGN)
        yield server
    finally:
        server.stop()
