"""The whole cluster, as for tests/e2e: real node, real engine; reused if it is up."""

from collections.abc import Iterator

import pytest

from cluster import choice
from cluster.cluster import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with choice.running() as running:
        yield running
