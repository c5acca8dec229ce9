"""Threads that reconcile the keys of the queue, and what each kind of failure means for the next attempt."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from costpolicy.clock import Clock
from costpolicy.kube.errors import GatewayError, NotLeader, Unavailable
from costpolicy.kube.gateway import NamespacedName
from costpolicy.runtime.queue import WorkQueue

logger = logging.getLogger(__name__)

Reconcile = Callable[[NamespacedName], timedelta | None]
"""Brings one policy a step further; returns when to look again (None: on news or at the next resync)."""


class Outcome(StrEnum):
    """How one reconcile ended; the label ``result`` of ``costpolicy_reconcile_total``."""

    SUCCESS = "success"
    UNAVAILABLE = "unavailable"
    """The API server gave no answer."""
    REFUSED = "refused"
    """The API server answered no: a conflict, a missing permission, content that it refuses."""
    NOT_LEADER = "not_leader"
    """The lease was lost meanwhile; the new leader takes over."""
    ERROR = "error"
    """A defect of the operator; the log has the traceback."""


class OutcomeObserver(Protocol):
    """Called after every reconcile."""

    def __call__(self, outcome: Outcome, seconds: float) -> None:
        """Take note of one reconcile and how long it took."""


class Workers:
    """A fixed number of threads that reconcile what the queue gives out."""

    def __init__(
        self,
        queue: WorkQueue[NamespacedName],
        reconcile: Reconcile,
        *,
        clock: Clock,
        count: int,
        observer: OutcomeObserver,
    ) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._clock = clock
        self._observer = observer
        self._threads = [
            threading.Thread(target=self._work, name=f"reconcile-{number}", daemon=True) for number in range(count)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def join(self, timeout: timedelta) -> bool:
        """Wait for the last reconcile of all threads (close the queue first); return whether they ended."""
        deadline = self._clock.monotonic() + timeout.total_seconds()
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._clock.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def process(self, key: NamespacedName) -> Outcome:
        """Reconcile one key that was taken from the queue, and decide about its next turn."""
        started = self._clock.monotonic()
        try:
            outcome = self._attempt(key)
        finally:
            self._queue.done(key)
        self._observer(outcome, self._clock.monotonic() - started)
        return outcome

    def _work(self) -> None:
        while (key := self._queue.get()) is not None:
            self.process(key)

    def _attempt(self, key: NamespacedName) -> Outcome:
        context = {"policy": str(key)}
        try:
            again = self._reconcile(key)
        except NotLeader:
            self._queue.forget(key)
            return Outcome.NOT_LEADER
        except Unavailable as problem:
            delay = self._queue.retry(key, problem.retry_after)
            logger.warning("API server unavailable", extra={**context, "problem": str(problem), "retry": str(delay)})
            return Outcome.UNAVAILABLE
        except GatewayError as problem:
            delay = self._queue.retry(key)
            kind = type(problem).__name__
            logger.warning(
                "call refused", extra={**context, "kind": kind, "problem": str(problem), "retry": str(delay)}
            )
            return Outcome.REFUSED
        except Exception:
            # One policy's defect must stop neither this thread nor the other policies.
            delay = self._queue.retry(key)
            logger.exception("reconcile failed", extra={**context, "retry": str(delay)})
            return Outcome.ERROR
        self._queue.forget(key)
        if again is not None:
            self._queue.add(key, again)
        return Outcome.SUCCESS
