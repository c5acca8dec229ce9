"""One real API server with our kinds, for the documents that readers apply."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.api_server import ApiServer, start_api_server

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = start_api_server(tmp_path_factory.mktemp("api-server"))
    try:
        server.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
        server.kubectl("wait", "--for=condition=Established", "-f", str(ROOT / "crds"), "--timeout=30s")
        yield server
    finally:
        server.stop()
