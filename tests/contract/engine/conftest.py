"""The real vLLM's argument parser."""

from collections.abc import Iterator

import pytest

from engine.parser import ArgumentParser, argument_parser


@pytest.fixture(scope="session")
def parser() -> Iterator[ArgumentParser]:
    with argument_parser() as running:
        yield running
