"""A work queue of keys: each at most once in the queue and at most once at work, however often it is added.

The semantics are those of Kubernetes' client-go workqueue (delaying, rate limiting) in one small class: a key
added while it is at work runs once more afterwards; of several due times the earliest counts; failures of one
key back off exponentially.
"""

import threading
from collections.abc import Hashable
from datetime import timedelta
from typing import Final, Generic, TypeVar

from costpolicy.clock import Clock

Key = TypeVar("Key", bound=Hashable)

FIRST_BACKOFF: Final = timedelta(milliseconds=500)
LONGEST_BACKOFF: Final = timedelta(minutes=5)
NOW: Final = timedelta(0)


class WorkQueue(Generic[Key]):
    """Keys waiting for a worker; all methods may be called from any thread."""

    def __init__(
        self,
        clock: Clock,
        *,
        first_backoff: timedelta = FIRST_BACKOFF,
        longest_backoff: timedelta = LONGEST_BACKOFF,
    ) -> None:
        self._clock = clock
        self._first_backoff = first_backoff
        self._longest_backoff = longest_backoff
        self._changed = threading.Condition()
        self._due: dict[Key, float] = {}
        self._started: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}
        self._closed = False

    def add(self, key: Key, delay: timedelta = NOW) -> None:
        """Make a key due after a delay, or earlier if it already was; a closed queue takes nothing."""
        with self._changed:
            if self._closed:
                return
            due = self._clock.monotonic() + delay.total_seconds()
            self._due[key] = min(due, self._due.get(key, due))
            self._changed.notify_all()

    def retry(self, key: Key, at_least: timedelta = NOW) -> timedelta:
        """Add a key that failed, backing off; return the delay."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        # 2**20 times the first back-off is beyond any cap; the exponent stays small however long an outage
        # lasts.
        backoff = min(self._first_backoff * (1 << min(failures, 20)), self._longest_backoff)
        delay = max(backoff, at_least)
        self.add(key, delay)
        return delay

    def forget(self, key: Key) -> None:
        """End the back-off of a key that succeeded."""
        with self._changed:
            self._failures.pop(key, None)

    def get(self, timeout: timedelta | None = None) -> Key | None:
        """Take the key due longest and mark it at work; None when closed or nothing came due in time."""
        deadline = None if timeout is None else self._clock.monotonic() + timeout.total_seconds()
        with self._changed:
            while not self._closed:
                now = self._clock.monotonic()
                ready = self._ready(now)
                if ready is not None:
                    del self._due[ready]
                    self._started[ready] = now
                    return ready
                if deadline is not None and now >= deadline:
                    return None
                self._changed.wait(self._pause(now, deadline))
            return None

    def done(self, key: Key) -> None:
        """Mark a key as no longer at work."""
        with self._changed:
            self._started.pop(key, None)
            self._changed.notify_all()

    def clear(self) -> None:
        """Drop everything that waits, and all back-off; keys at work stay at work."""
        with self._changed:
            self._due.clear()
            self._failures.clear()

    def close(self) -> None:
        """Give out nothing more and wake every waiting worker; keys at work may finish."""
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify_all()

    def depth(self) -> int:
        """Return the number of keys that are due now and wait for a worker."""
        now = self._clock.monotonic()
        with self._changed:
            return sum(due <= now for due in self._due.values())

    def oldest_wait(self) -> timedelta:
        """Return for how long the longest waiting key has been due (zero when none is)."""
        with self._changed:
            earliest = min(self._due.values(), default=None)
        return self._since(earliest)

    def longest_work(self) -> timedelta:
        """Return for how long the slowest key has been at work (zero when none is)."""
        with self._changed:
            earliest = min(self._started.values(), default=None)
        return self._since(earliest)

    def wait_until_idle(self) -> None:
        """Return once no key is at work."""
        with self._changed:
            self._changed.wait_for(lambda: not self._started)

    def _ready(self, now: float) -> Key | None:
        free = ((due, key) for key, due in self._due.items() if due <= now and key not in self._started)
        return min(free, key=lambda entry: entry[0], default=(0.0, None))[1]

    def _pause(self, now: float, deadline: float | None) -> float | None:
        moments = [due for key, due in self._due.items() if key not in self._started]
        if deadline is not None:
            moments.append(deadline)
        return max(0.0, min(moments) - now) if moments else None

    def _since(self, moment: float | None) -> timedelta:
        return NOW if moment is None else max(NOW, timedelta(seconds=self._clock.monotonic() - moment))
