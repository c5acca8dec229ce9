"""A closed loop whose requests outgrow the KV cache: who is admitted, who is preempted, and how long they wait.

vLLM admits a request when its prompt fits beside what is there, lets every admitted one grow by a token a step, and
when a block is wanted and none is left throws out the one that came last, which waits first in line and computes its
cache again (vLLM 0.11 to 0.33, ``v1/core/sched/scheduler.py``).  So long prompts queue before their first token and
long answers after it; where the one becomes the other depends on how requests grow, and formulas in means were wrong
by up to 30 times there.  The loop is therefore played through, request by request, a few rounds of it.
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil, exp, inf, log, sqrt
from statistics import NormalDist

from costpolicy.perf.ranks import fullest
from costpolicy.perf.service import Service
from costpolicy.perf.shape import Workload

_GOLDEN = (sqrt(5.0) - 1.0) / 2.0
"""Fractions of its multiples spread evenly: lengths without chance."""

_HALF_A_BLOCK = 8.0
"""Tokens of a sequence's last block of 16 that lie idle on average."""

_PLAYED = 128
"""At most so many requests are played at once: where there are more, each stands for several that act alike."""

_ROUNDS = 6
"""The last one is not counted: clients that have sent all they had to fall silent, and the others wait less."""

_CROWD = 3.0
"""Clients played, in full caches: each one more only lengthens the queue, by the time between two answers."""

_BETWEEN = 0.02
"""Seconds from an answer to the client's next request, and at most between two first ones: nothing stays in step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What the KV cache makes of a closed loop; seconds, means over requests.

    ``first_wait`` and ``steady_wait`` are from arrival until the prompt is admitted, in the round in which all clients
    start together and after it, as far as the cache was full; ``stalled`` is what preemption adds to an answer after
    its first token; ``running`` is how many requests hold a part of the cache; ``recomputed`` is what preempted ones
    compute again, in prompts a request.
    """

    first_wait: float
    steady_wait: float
    stalled: float
    running: float
    recomputed: float


@dataclass(slots=True, eq=False)
class _Request:
    round: int
    queued: float
    prompt: float
    output: float
    computed: float = 0.0
    generated: float = 0.0
    waited: float = 0.0
    stalled: float = 0.0
    recomputed: float = 0.0

    @property
    def length(self) -> float:
        return self.prompt + self.generated

    @property
    def decodes(self) -> bool:
        return self.computed >= self.length


@dataclass(slots=True)
class _Engine:
    """The state of one replica; ``free`` in bytes of one accelerator's KV cache, of which each request that is played
    takes ``alike`` times its own."""

    served: Service
    alike: float
    shared: float
    free: float
    most: int
    budget: float
    now: float = 0.0
    full_at: float = -1.0
    unsettled: float = 0.0
    waiting: deque[_Request] = field(default_factory=deque)
    running: list[_Request] = field(default_factory=list)

    def bytes_of(self, request: _Request) -> float:
        cache = self.served.memory.cache
        whole = self.shared + request.length + _HALF_A_BLOCK
        return self.alike * (cache.of_sequence(whole) - cache.per_token * self.shared)

    def admit(self) -> None:
        """Let in whom the cache has room for, in the order of arrival."""
        while self.waiting:
            first = self.waiting[0]
            full = self.bytes_of(first) > self.free and self.running
            if full or len(self.running) >= self.most:
                self.full_at = self.now
                return
            self.waiting.popleft()
            self._count_wait(first)
            self.free -= self.bytes_of(first)
            self.running.append(first)

    def _count_wait(self, request: _Request) -> None:
        held = self.now - request.queued
        if request.generated:
            request.stalled += held
        elif self.full_at >= request.queued:
            request.waited = held
        else:  # it only waited for a step to end, as one that runs does
            self.unsettled += held

    def preempt(self) -> bool:
        """Throw out whoever came last; tell whether anybody could be."""
        if len(self.running) < 2:  # the only one is never thrown out
            return False
        last = self.running.pop()
        self.free += self.bytes_of(last)
        last.recomputed += last.computed
        last.computed, last.queued = 0.0, self.now
        self.waiting.appendleft(last)
        return True

    def step(self, until: float) -> list[_Request]:
        """Run steps until something changes, or until a time; return the requests that were answered."""
        decoding = [one for one in self.running if one.decodes]
        prefilled = self._prefill(
            [one for one in self.running if not one.decodes], self.budget - self.alike * len(decoding)
        )
        steps = 1 if prefilled else self._quiet_steps(decoding, until)
        self.now += steps * self._seconds(decoding, prefilled)
        for one, tokens in prefilled:
            one.computed += tokens
        grown = [*decoding, *(one for one, _ in prefilled if one.decodes)]
        for one in grown:
            self._grow(one, steps)
        done = [one for one in grown if one.generated >= one.output]
        for one in done:
            self.free += self.bytes_of(one)
        if done:
            self.running = [one for one in self.running if one.generated < one.output]
        while self.free < 0.0 and self.preempt():
            pass
        return done

    def _prefill(self, missing: list[_Request], budget: float) -> list[tuple[_Request, float]]:
        found = []
        for one in missing:
            tokens = min(one.length - one.computed, budget / self.alike)
            if tokens <= 0.0:
                break
            budget -= self.alike * tokens
            found.append((one, tokens))
        return found

    def _grow(self, request: _Request, steps: int) -> None:
        before = self.bytes_of(request)
        request.generated += steps * self.served.tokens_per_step
        request.computed = request.length
        self.free += before - self.bytes_of(request)

    def _quiet_steps(self, decoding: list[_Request], until: float) -> int:
        """Return for how many steps nothing arrives, ends, or runs out of cache."""
        yielded = self.served.tokens_per_step
        ends = min((ceil((one.output - one.generated) / yielded) for one in decoding), default=1)
        a_step = self.alike * self.served.memory.cache.of_sequence(1.0) * yielded
        fits = self.free / (len(decoding) * a_step) if decoding else 1.0
        comes = (until - self.now) / self._seconds(decoding, []) if until < inf else inf
        return max(1, int(min(ends, fits, comes + 1.0)))

    def _seconds(self, decoding: list[_Request], prefilled: list[tuple[_Request, float]]) -> float:
        context = sum(one.length for one in decoding) / len(decoding) if decoding else 0.0
        return self.served.cost.seconds(
            prompts=self.alike * len(prefilled),
            prompt_tokens=self.alike * sum(tokens for _, tokens in prefilled),
            pairs=self.alike * sum(tokens * (self.shared + one.computed + tokens / 2.0) for one, tokens in prefilled),
            sequences=self.alike * len(decoding),
            context=context,
        )


def outgrows(served: Service, workload: Workload, concurrency: float) -> bool:
    """Tell whether so many requests at once, grown to their ends, are more than the KV cache holds."""
    shared = served.memory.cache.per_token * (workload.prompt_tokens - served.prompt)
    grown = served.memory.cache.of_sequence(workload.total_tokens + _HALF_A_BLOCK) - shared
    return fullest(concurrency, served.cost.ranks) * grown > served.memory.kv_cache_bytes - shared


def played(served: Service, workload: Workload, concurrency: int, limits: tuple[int, int]) -> Admission:
    """Play a closed loop of ``concurrency`` clients that all start together.

    ``limits`` are ``max_num_seqs`` and ``max_num_batched_tokens``, those of one data-parallel rank, as the cache is: the
    ranks are played as one engine with what all of them have together.
    """
    shared, ranks = workload.prompt_tokens - served.prompt, served.cost.ranks
    free = ranks * (served.memory.kv_cache_bytes - served.memory.cache.per_token * shared)
    seats = ranks * limits[0]
    clients = min(concurrency, ceil(_CROWD * min(served.kv_seats, float(seats))) + 1)
    some = min(clients, _PLAYED)
    alike = clients / some
    engine = _Engine(
        served=served, alike=alike, shared=shared, free=free, most=max(1, int(seats / alike)), budget=ranks * limits[1]
    )
    answered, running, seconds = _play(engine, some)
    counted = [one for one in answered if one.round < _ROUNDS - 1]
    first = [one.waited for one in counted if one.round == 0]
    later = [one.waited for one in counted if one.round > 0]
    between = seconds / max(1, len(counted) * alike)
    more = float(concurrency - clients)
    return Admission(
        first_wait=sum(first) / len(first) + between * more / 2.0,
        steady_wait=sum(later) / len(later) + between * more,
        stalled=sum(one.stalled for one in counted) / len(counted),
        running=min(running * alike, served.seats),
        recomputed=sum(one.recomputed / one.prompt for one in counted) / len(counted),
    )


def _play(engine: _Engine, clients: int) -> tuple[list[_Request], float, float]:
    """Return the answered requests, how many held a part of the cache on average, and over how many seconds."""
    apart = min(_BETWEEN, 1.0 / clients)
    coming = deque(_request(engine.served, client, 0, client * apart) for client in range(clients))
    sent, answered, area, counted, stepped = clients, list[_Request](), 0.0, 0.0, 0.0
    while coming or engine.waiting or engine.running:
        if not engine.running and not engine.waiting:
            engine.now = max(engine.now, coming[0].queued)
        while coming and coming[0].queued <= engine.now:
            engine.waiting.append(coming.popleft())
        engine.admit()
        began, running = engine.now, len(engine.running)
        answered_now = engine.step(coming[0].queued if coming else inf)
        if sent < clients * _ROUNDS:
            area += running * (engine.now - began)
            counted, stepped = engine.now, engine.unsettled
        for one in answered_now:
            answered.append(one)
            if sent < clients * _ROUNDS:
                coming.append(_request(engine.served, sent, sent // clients, engine.now + _BETWEEN))
                sent += 1
    return answered, (area + stepped) / counted, counted


def _request(served: Service, index: int, number: int, queued: float) -> _Request:
    prompt, output = _lengths(served, index)
    return _Request(round=number, queued=queued, prompt=prompt, output=output)


def _lengths(served: Service, index: int) -> tuple[float, float]:
    """Return prompt and output of a request: log-normal, of the workload's mean and coefficient of variation."""
    if served.length_cv <= 0.0:
        return served.prompt, served.output_tokens
    sigma = sqrt(log(1.0 + served.length_cv**2))
    first, second = ((index + 1) * _GOLDEN) % 1.0, ((index + 1) * _GOLDEN * _GOLDEN + 0.5) % 1.0
    prompt, output = (
        mean * exp(sigma * NormalDist().inv_cdf(min(max(share, 1e-6), 1.0 - 1e-6)) - sigma * sigma / 2.0)
        for mean, share in ((served.prompt, first), (served.output_tokens, second))
    )
    return max(1.0, prompt), max(1.0, output)
