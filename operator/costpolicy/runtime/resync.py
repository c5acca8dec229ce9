"""The resync: once an interval, compare the mirror with the cluster and put every policy on the queue.

It heals what events cannot: watches that missed a deletion, and decisions that depend on time or metrics
alone.
"""

import logging
import random
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from costpolicy.clock import Clock
from costpolicy.kube.errors import GatewayError

logger = logging.getLogger(__name__)

JITTER: Final = 0.1
"""Share of the interval by which each wait varies, so that the operators of many clusters drift apart."""


class Resync:
    """One thread that refreshes and then enqueues everything."""

    def __init__(
        self,
        *,
        refresh: Callable[[], None],
        enqueue_all: Callable[[], None],
        clock: Clock,
        interval: timedelta,
    ) -> None:
        self._refresh = refresh
        self._enqueue_all = enqueue_all
        self._clock = clock
        self._interval = interval
        self._wake = threading.Event()
        self._stopping = False
        self._synced = False
        self._last_turn = clock.monotonic()
        self._thread = threading.Thread(target=self._run, name="resync", daemon=True)

    def start(self) -> None:
        """Start the thread; the first comparison happens at once."""
        self._thread.start()

    def trigger(self) -> None:
        """Compare now instead of at the end of the interval."""
        self._wake.set()

    def stop(self, timeout: timedelta) -> None:
        """Finish the comparison under way, and end."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout.total_seconds())

    def synced(self) -> bool:
        """Return whether the cluster has been read as a whole at least once."""
        return self._synced

    def since_last_turn(self) -> timedelta:
        """Return the time since the last comparison ended, whether it succeeded or not."""
        return timedelta(seconds=self._clock.monotonic() - self._last_turn)

    def turn(self) -> None:
        """Compare once; a cluster that does not answer is tried again at the next turn."""
        try:
            self._refresh()
        except GatewayError as problem:
            logger.warning("resync failed", extra={"kind": type(problem).__name__, "problem": str(problem)})
        else:
            self._synced = True
            self._enqueue_all()
        self._last_turn = self._clock.monotonic()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            self.turn()
            pause = self._interval.total_seconds() * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
            self._wake.wait(pause)
