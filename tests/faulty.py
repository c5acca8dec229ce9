"""A cluster and metrics that fail in a way that the test chooses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.clock import Clock
from costpolicy.kube.errors import GatewayError
from costpolicy.observe.source import MetricsSource, Sample
from costpolicy.simulation import world as simulated
from costpolicy.simulation.engine import profile
from costpolicy.simulation.gateway import SimulatedGateway
from costpolicy.simulation.store import Store
from costpolicy.simulation.world import World

WRITES = ("apply", "create", "delete", "apply_status", "publish")
CALLS = (
    *WRITES,
    "policies",
    "policy",
    "price_books",
    "nodes",
    "pods",
    "pods_of_job",
    "owned",
    "read",
    "serves",
    "routes",
    "router",
    "metadata",
)


_NEVER = 10**6


class Killed(BaseException):
    """The operator's process ends here."""


class _Wrapped:
    """A gateway of which each call goes through ``call``; everything else is the simulated gateway's."""

    def __init__(self, inner: SimulatedGateway) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)
        if name not in CALLS:
            return method
        return lambda *arguments: self.call(name, lambda: method(*arguments), arguments)

    def call(self, name: str, act: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        raise NotImplementedError


class KilledAfter(_Wrapped):
    """The process dies as soon as it has changed the world ``writes`` times; an event is a change."""

    def __init__(self, inner: SimulatedGateway, store: Store, writes: int) -> None:
        super().__init__(inner)
        self._store = store
        self.left = writes

    def call(self, name: str, act: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        before = self._store.writes
        answer = act()
        if name in WRITES and (name == "publish" or self._store.writes != before):
            self.left -= 1
            if self.left == 0:
                raise Killed
        return answer


class Life:
    """A world whose operator is started anew, and killed after it has changed the world ``kill_after`` times."""

    def __init__(self, made: World, kill_after: int | None, step: timedelta) -> None:
        self.made, self._step, self._plain = made, step, made.gateway
        self._mortal = KilledAfter(self._plain, made.store, _NEVER if kill_after is None else kill_after)
        made.gateway = self._mortal  # type: ignore[assignment]
        made.restart_operator()

    @property
    def changes(self) -> int:
        """How often the world was changed, where nobody was killed."""
        return _NEVER - self._mortal.left

    def run(self, length: timedelta, watched: Callable[[World], None] = lambda _: None) -> None:
        """Let time pass; a killed operator is followed by another one.  ``watched`` looks at the end and after the kill."""
        made = self.made
        end = made.clock.now() + length
        while made.clock.now() < end:
            try:
                made.run(end - made.clock.now(), self._step)
            except Killed:
                made.gateway = self._plain
                made.restart_operator()
            watched(made)


class FailingOnce(_Wrapped):
    """The call of that number fails; ``done``: after it took effect, as when only the answer was lost."""

    def __init__(self, inner: SimulatedGateway, number: int, error: GatewayError, *, done: bool = False) -> None:
        super().__init__(inner)
        self.left = number
        self._error = error
        self._done = done

    def call(self, name: str, act: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        if name == "publish":  # best effort by contract: it never raises
            return act()
        self.left -= 1
        if self.left != 0:
            return act()
        if self._done:
            act()
        raise self._error


class Lagging(_Wrapped):
    """Reads show the world as it was a while ago."""

    def __init__(self, inner: SimulatedGateway, clock: Clock, lag: timedelta) -> None:
        super().__init__(inner)
        self._clock = clock
        self._lag = lag
        self._seen: dict[tuple[Any, ...], list[tuple[datetime, Any]]] = {}

    def call(self, name: str, act: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        answer = act()
        if name not in ("policies", "nodes", "pods", "owned"):
            return answer
        seen = self._seen.setdefault((name, *arguments), [])
        seen.append((self._clock.now(), answer))
        return next(old for at, old in reversed(seen) if at <= self._clock.now() - self._lag or old is seen[0][1])


class WrongClock:
    """A clock that is wrong by ``error``."""

    def __init__(self, right: Clock) -> None:
        self._right = right
        self.error = timedelta(0)

    def now(self) -> datetime:
        return self._right.now() + self.error

    def monotonic(self) -> float:
        return self._right.monotonic()


class Deaf:
    """A metrics source that hears nothing about some questions."""

    def __init__(self, inner: MetricsSource, missing: Callable[[str], bool]) -> None:
        self._inner = inner
        self._missing = missing

    def query(self, promql: str, at: datetime) -> tuple[Sample, ...]:
        return () if self._missing(promql) else self._inner.query(promql, at)

    def retention(self) -> timedelta | None:
        return self._inner.retention()


def run_on(world: World, duration: timedelta, step: timedelta = timedelta(minutes=1)) -> None:
    """Let time pass; after an error of the API server the operator simply tries again, as its workers do."""
    end = world.clock.now() + duration
    while world.clock.now() < end:
        try:
            world.run(end - world.clock.now(), step)
        except GatewayError:
            continue


@contextmanager
def slower(accelerator: str, factor: float) -> Iterator[None]:
    """Engines on an accelerator that take so many times as long for a prompt as is predicted."""

    def slow(model: ModelArchitecture, found: Accelerator, *others: Any) -> Any:
        plain = profile(model, found, *others)
        return replace(plain, prefill_rate=plain.prefill_rate / factor) if found.name == accelerator else plain

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(simulated, "profile", slow)
        yield
