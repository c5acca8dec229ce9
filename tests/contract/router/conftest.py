"""A real LiteLLM with our modules, in front of two tiers that answer as a test says."""

from collections.abc import Iterator

import httpx
import pytest

from answering import answering, completion
from engine.server import free_port
from router.clients import COEFFICIENTS, VARIABLES, Client, Tiers, models, routes_document
from router.folder import write_folder
from router.server import serve_router


@pytest.fixture(scope="session")
def shared_tiers() -> Iterator[Tiers]:
    with answering(lambda _: completion("")) as small, answering(lambda _: completion("")) as large:
        yield Tiers(small, large)


@pytest.fixture
def tiers(shared_tiers: Tiers) -> Tiers:
    shared_tiers.reset()
    return shared_tiers


@pytest.fixture(scope="module")
def client(shared_tiers: Tiers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One router for each file, whose counters are its own."""
    work = tmp_path_factory.mktemp("router")
    port = free_port()
    document = routes_document(port, work / "samples")
    folder = write_folder(work / "folder", document, models(shared_tiers), COEFFICIENTS, keys=True)
    with (
        serve_router(folder, VARIABLES) as router,
        httpx.Client(base_url=router.url, trust_env=False, timeout=60) as http,
    ):
        yield Client(router, port, work / "samples", http)
