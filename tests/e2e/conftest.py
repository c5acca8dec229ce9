"""One real cluster for the whole ring: real node, real engine environment, simulated GPU nodes; reused if it is up."""

from collections.abc import Iterator

import pytest

from cluster import local
from cluster.local import LocalCluster
from engine.environment import engine_env


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    with local.running(environment=engine_env()) as running:
        yield running
