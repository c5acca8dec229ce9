"""When requests arrive: a renewal process, or clients that wait for their answers."""

from collections import deque
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Protocol


class Arrivals(Protocol):
    """Arrival times in order, in seconds."""

    def next(self) -> float:
        """Return when the next request arrives: ``inf`` while all clients wait for an answer."""

    def take(self) -> None:
        """Pass on to the request after that."""

    def answered(self, now: float) -> None:
        """Hear that a request was answered."""


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """Requests arrive at ``rate`` per second whether or not earlier ones are answered.

    The times between them are independent and gamma distributed with coefficient of variation ``cv``: 1 is a
    Poisson process, more is burstier, 0 a metronome.

    Raises:
        ValueError: the rate is not positive, or ``cv`` negative.
    """

    rate: float
    cv: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.rate < inf and 0 <= self.cv < inf):
            raise ValueError(f"a rate is positive and a cv not negative, not {self.rate} and {self.cv}")

    def arrivals(self, generator: Random) -> Arrivals:
        """Return the times, drawn from a generator."""
        return _Renewal(self, generator)


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """So many clients send at time 0, and each sends its next request when its last one is answered.

    A benchmark stops after ``rounds`` requests for each client, sent by whichever client is free; ``None`` goes on.

    Raises:
        ValueError: there is no client, or no request.
    """

    clients: int
    rounds: int | None = None

    def __post_init__(self) -> None:
        if self.clients < 1 or (self.rounds is not None and self.rounds < 1):
            raise ValueError(f"a closed loop has at least one client and one round, not {self.clients}, {self.rounds}")

    def arrivals(self, generator: Random) -> Arrivals:
        """Return the times; nothing about them is random."""
        del generator
        return _Clients(self.clients, inf if self.rounds is None else self.clients * self.rounds)


class _Renewal:
    def __init__(self, process: OpenLoop, generator: Random) -> None:
        self._mean, self._cv, self._generator = 1.0 / process.rate, process.cv, generator
        self._next = self._gap()

    def next(self) -> float:
        return self._next

    def take(self) -> None:
        self._next += self._gap()

    def answered(self, now: float) -> None:
        pass

    def _gap(self) -> float:
        if self._cv == 0:
            return self._mean
        shape = self._cv**-2
        return self._generator.gammavariate(shape, self._mean / shape)


class _Clients:
    def __init__(self, clients: int, requests: float) -> None:
        self._ready, self._left = deque([0.0] * clients), requests

    def next(self) -> float:
        return self._ready[0] if self._ready and self._left else inf

    def take(self) -> None:
        self._ready.popleft()
        self._left -= 1

    def answered(self, now: float) -> None:
        self._ready.append(now)
