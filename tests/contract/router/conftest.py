"""A real LiteLLM as it is rendered, in front of two tiers that answer as a test says."""

from collections.abc import Iterator

import pytest

from answering import answering, completion
from router.clients import Client, Tiers, decided, serving


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
    with serving(tmp_path_factory.mktemp("router") / "folder", decided(), shared_tiers.addresses) as found:
        yield found
