"""The clock: the only module that reads wall time, so that everything else can be run at any speed."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time.  Production uses :class:`SystemClock`; simulations step their own."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go backwards."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the current wall time in UTC."""
        return datetime.now(tz=UTC)

    def monotonic(self) -> float:
        """Return the kernel's monotonic time in seconds."""
        return time.monotonic()
