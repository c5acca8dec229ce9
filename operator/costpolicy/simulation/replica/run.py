"""One run: requests arrive, the scheduler serves them, and what the clients saw is kept."""

from dataclasses import dataclass
from math import ceil
from random import Random

from costpolicy.simulation.replica.arrivals import ClosedLoop, OpenLoop
from costpolicy.simulation.replica.outcome import Outcome
from costpolicy.simulation.replica.requests import Lengths, Request
from costpolicy.simulation.replica.scheduler import Limits, Progress, Scheduler, StepSeconds
from costpolicy.simulation.replica.speculation import Proposals, SpeculatingScheduler


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One replica: its settings, how long a step takes, and the ``overhead`` seconds outside the steps.

    The latter lie between a request's arrival and the moment the scheduler sees it.  ``proposals`` are those of speculative
    decoding, whose time is part of a step's.
    """

    limits: Limits
    step_seconds: StepSeconds
    overhead: float = 0.0
    proposals: Proposals | None = None

    def scheduler(self, generator: Random) -> Scheduler:
        """Return an idle scheduler; what is accepted of proposals is drawn from the generator."""
        if self.proposals is None:
            return Scheduler(self.limits, self.step_seconds)
        return SpeculatingScheduler(self.limits, self.step_seconds, self.proposals, generator)


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How long a run is: so many ``requests`` arrive; a share of them at each end is not measured.

    Requests go on arriving until the last measured one is answered.

    Raises:
        ValueError: no request would be measured.
    """

    requests: int
    warm_up: float = 0.1
    cool_down: float = 0.0

    def __post_init__(self) -> None:
        if not (min(self.warm_up, self.cool_down) >= 0 and self.last > self.first):
            raise ValueError(f"nothing is left to measure of {self.requests} requests")

    @property
    def first(self) -> int:
        """The first request that is measured, from 0."""
        return ceil(self.warm_up * self.requests)

    @property
    def last(self) -> int:
        """The first request after those that are measured."""
        return self.requests - ceil(self.cool_down * self.requests)


def simulate(
    engine: Engine, lengths: Lengths, process: OpenLoop | ClosedLoop, length: Length, generator: Random
) -> Outcome:
    """Return what clients saw.

    Deterministic: the same generator state gives the same run. An open loop beyond what the replica can serve ends
    too, but its latencies grow with the run's length.

    Raises:
        ValueError: the shared prefixes of engine and lengths differ, or a request does not fit in the KV cache.
    """
    if engine.limits.shared_tokens != lengths.shared_tokens:
        raise ValueError(f"requests share {lengths.shared_tokens} tokens, the engine {engine.limits.shared_tokens}")
    run = _Run(engine, lengths, process, length, generator)
    while not run.over:
        run.advance()
    return run.outcome()


class _Run:
    def __init__(
        self, engine: Engine, lengths: Lengths, process: OpenLoop | ClosedLoop, length: Length, generator: Random
    ) -> None:
        self._scheduler = engine.scheduler(generator)
        self._arrivals = process.arrivals(generator)
        self._lengths, self._length, self._generator = lengths, length, generator
        self._overhead = engine.overhead
        self._measured: list[Request] = []
        self._arrived = 0
        self._unanswered = length.last - length.first
        self._now = 0.0
        self._since = 0.0
        self._sums = _Sums()

    @property
    def over(self) -> bool:
        return self._unanswered == 0

    def advance(self) -> None:
        """Let the replica work until something changes; if there is nothing to do, wait for a request first."""
        scheduler = self._scheduler
        if not (scheduler.running or scheduler.waiting):
            self._now = max(self._now, self._arrivals.next() + self._overhead)
        self._receive()
        running, waiting = scheduler.running, scheduler.waiting
        progress = scheduler.advance(self._now, self._arrivals.next() + self._overhead)
        self._now += progress.seconds
        if self._measured:
            self._sums.add(progress, running, waiting)
        for request in progress.finished:
            self._arrivals.answered(self._now)
            self._unanswered -= self._length.first <= request.number < self._length.last

    def outcome(self) -> Outcome:
        """Return what was measured between the first measured arrival and the last measured answer."""
        seconds, sums = self._now - self._since, self._sums
        return Outcome(
            requests=tuple(self._measured),
            token_gaps=tuple(sums.gaps),
            seconds=seconds,
            running=sums.running / seconds,
            waiting=sums.waiting / seconds,
            kv_utilization=sums.blocks / (seconds * self._scheduler.blocks.total),
            preemptions=sums.preemptions,
            requests_per_second=sums.answered / seconds,
        )

    def _receive(self) -> None:
        while (arrival := self._arrivals.next()) + self._overhead <= self._now:
            self._arrivals.take()
            prompt, output = self._lengths.draw(self._generator)
            request = Request(number=self._arrived, arrival=arrival, prompt_tokens=prompt, output_tokens=output)
            if self._length.first <= self._arrived < self._length.last:
                self._since = self._since if self._measured else self._now
                self._measured.append(request)
            self._arrived += 1
            self._scheduler.submit(request)


class _Sums:
    """Integrals over time, and counts."""

    def __init__(self) -> None:
        self.gaps: list[tuple[float, int]] = []
        self.running = self.waiting = self.blocks = 0.0
        self.preemptions = self.answered = 0

    def add(self, progress: Progress, running: int, waiting: int) -> None:
        self.gaps.extend(progress.gaps)
        self.running += running * progress.seconds
        self.waiting += waiting * progress.seconds
        self.blocks += progress.blocks * progress.seconds
        self.preemptions += progress.preemptions
        self.answered += len(progress.finished)
