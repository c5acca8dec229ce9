"""Garbage collection that the event loop has taken over.

Not covered: that Python before 3.12 dies without it, which is Python's to test; that a real router collects so
(tests/contract/router/test_garbage.py).
"""

import asyncio
import gc
import sys
from collections.abc import Iterator

import pytest

from costpolicy.router_plugin.garbage import GarbageCollection


class Cyclic:
    """Only a collection finds it; tells by which function's work it was finalized."""

    def __init__(self, finalized_by: asyncio.Queue[str]) -> None:
        self.itself = self
        self._finalized_by = finalized_by

    def __del__(self) -> None:
        self._finalized_by.put_nowait(sys._getframe(1).f_code.co_name)


@pytest.fixture(autouse=True)
def python_collects_again() -> Iterator[None]:
    limits = gc.get_threshold()
    yield
    gc.set_threshold(*limits)
    gc.enable()
    gc.unfreeze()


def test_objects_are_finalized_between_steps_of_the_loop_alone():
    async def seen() -> set[str]:
        finalized_by: asyncio.Queue[str] = asyncio.Queue()
        GarbageCollection(is_needed=True).take_over()
        gc.set_threshold(1, 1, 1)
        for _ in range(100):
            Cyclic(finalized_by)
        assert finalized_by.empty()
        return {await finalized_by.get() for _ in range(100)}

    assert asyncio.run(seen()) == {"_look"}


def test_it_goes_on_for_as_long_as_the_loop():
    async def times_collected() -> int:
        finalized_by: asyncio.Queue[str] = asyncio.Queue()
        collection = GarbageCollection(is_needed=True)
        collection.take_over()
        gc.set_threshold(1, 1, 1)
        for _ in range(3):
            collection.take_over()
            for _ in range(100):
                Cyclic(finalized_by)
            for _ in range(100):
                await finalized_by.get()
        return sum(generation["collections"] for generation in gc.get_stats())

    before = sum(generation["collections"] for generation in gc.get_stats())
    assert asyncio.run(times_collected()) >= before + 3


def test_where_python_collects_between_instructions_it_is_left_to_python():
    async def begun() -> None:
        GarbageCollection(is_needed=False).take_over()

    asyncio.run(begun())

    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
