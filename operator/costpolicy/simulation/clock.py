"""A clock that moves when it is told to."""

from datetime import datetime, timedelta


class SimulatedClock:
    """Implements :class:`costpolicy.clock.Clock`."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._now = start

    def now(self) -> datetime:
        """Return the simulated time (UTC)."""
        return self._now

    def monotonic(self) -> float:
        """Return simulated seconds since the start."""
        return (self._now - self._start).total_seconds()

    def advance(self, duration: timedelta) -> None:
        """Move on.

        Raises:
            ValueError: the duration is negative.
        """
        if duration < timedelta(0):
            raise ValueError("time does not run backwards")
        self._now += duration
