"""Garbage is collected between two steps of the event loop, where Python before 3.12 would do it amid an allocation.

LiteLLM's streams set context variables when they are finalized.  If Python collects one while it sets a context variable
itself, it goes on with memory that was freed, and the router dies by SIGSEGV (python/cpython#148891; twice in a day of
tests of LiteLLM 1.106.2 on Python 3.11.7).  From 3.12 on Python collects between instructions, and nothing is done here.
"""

import asyncio
import gc
import sys
from typing import Final

IS_NEEDED: Final = sys.version_info < (3, 12)
BETWEEN_LOOKS: Final = 0.1
"""Seconds; in as long a router under full load creates a few thousand objects."""


class GarbageCollection:
    """Takes collection over from Python once there is an event loop, by Python's own thresholds."""

    def __init__(self, *, is_needed: bool = IS_NEEDED) -> None:
        self._waits = is_needed

    def take_over(self) -> None:
        """Begin, if that is needed and has not happened yet; called from the event loop.

        What is there by then stays for good: without it a full collection is short enough to hold up every request.
        """
        if self._waits:
            self._waits = False
            gc.freeze()
            gc.disable()
            self._look_later()

    def _look_later(self) -> None:
        asyncio.get_running_loop().call_later(BETWEEN_LOOKS, self._look)

    def _look(self) -> None:
        try:
            generation = _due()
            if generation is not None:
                gc.collect(generation)
        finally:
            self._look_later()


def _due() -> int | None:
    """Return the oldest generation with more new objects than its threshold, which Python would collect; ``None``: none."""
    counts = zip(gc.get_count(), gc.get_threshold(), strict=True)
    return max((generation for generation, (count, limit) in enumerate(counts) if count > limit), default=None)
