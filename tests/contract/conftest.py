"""The real vLLM of tests/engine: one running server that the tests share."""

from collections.abc import Iterator

import pytest

from engine.server import Engine, serve
from engine.tiny_model import CONTEXT, write_tiny_model


@pytest.fixture(scope="session")
def running_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    model = write_tiny_model(tmp_path_factory.mktemp("engine") / "tiny")
    with serve(model, [f"--max-model-len={CONTEXT}", "--shutdown-timeout=5"]) as engine:
        yield engine
