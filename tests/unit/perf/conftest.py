"""Shapes of real engines, and the measurements in tests/data/measurements."""

from collections.abc import Callable

import pytest

import measurements
from costpolicy.perf.shape import EngineShape
from measurements import Measured, make_shape

Shapes = Callable[..., EngineShape]


@pytest.fixture(scope="session")
def shapes() -> Shapes:
    return make_shape


@pytest.fixture(scope="session")
def published() -> tuple[Measured, ...]:
    return measurements.published()


@pytest.fixture(scope="session")
def own() -> tuple[Measured, ...]:
    return measurements.own()
