"""One engine: continuous batching, played step by step.

A step takes waiting requests while the batch and the KV cache have room, computes up to ``step_tokens`` of
their prompts and one token for every running request, and lasts ``overhead + prefilled / prefill rate + batch
x cost of a sequence``.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

BLOCK = 16
"""Tokens of a KV block; only whole blocks of a shared prefix are found again."""


class Recorder(Protocol):
    """What an engine reports while it works."""

    def first_token(self, seconds: float) -> None: ...
    def tokens(self, count: int, seconds: float) -> None: ...
    def scheduled(self, request: "Request", cached: int, seconds: float) -> None: ...
    def finished(self, request: "Request", now: float) -> None: ...


@dataclass(frozen=True)
class Speed:
    """Constants of an engine; the defaults resemble an 8B model on one large GPU and are nobody's
    measurement."""

    overhead_seconds: float = 0.002
    decode_seconds: float = 0.009
    sequence_seconds: float = 0.00012
    prefill_tokens_per_second: float = 24_000.0
    step_tokens: int = 2048
    max_running: int = 256
    kv_tokens: int = 400_000


@dataclass
class Request:
    """One request on its way through an engine; times are seconds of the stand-in's clock."""

    arrived: float
    prompt_tokens: int
    output_tokens: int
    shared_tokens: int = 0
    scheduled: float = 0.0
    first_token: float = 0.0
    to_prefill: int = 0
    computed: int = 0
    generated: int = 0

    @property
    def kv_tokens(self) -> int:
        return self.prompt_tokens + self.output_tokens


@dataclass
class Engine:
    """A queue and a batch; time passes only in :meth:`advance`."""

    speed: Speed
    recorder: Recorder
    now: float
    waiting: deque[Request] = field(default_factory=deque)
    running: list[Request] = field(default_factory=list)
    kv_used: int = 0
    warm_prefix: int = 0

    def offer(self, request: Request) -> None:
        """Queue a request; requests must be offered in order of arrival."""
        self.waiting.append(request)

    def advance(self, until: float) -> None:
        """Work until a step would begin at or after ``until``."""
        while self.now < until:
            self._schedule()
            if not self.running:
                nearest = self.waiting[0].arrived if self.waiting else until
                self.now = min(max(nearest, self.now), until)
                if self.now >= until:
                    return
                continue
            self._step()

    def _schedule(self) -> None:
        while self.waiting and self.waiting[0].arrived <= self.now and self._has_room(self.waiting[0]):
            request = self.waiting.popleft()
            shared = min(request.shared_tokens, self.warm_prefix, request.prompt_tokens - 1)
            cached = shared // BLOCK * BLOCK
            request.scheduled = self.now
            request.to_prefill = request.computed = request.prompt_tokens - cached
            self.warm_prefix = max(self.warm_prefix, request.shared_tokens)
            self.kv_used += request.kv_tokens
            self.recorder.scheduled(request, cached, self.now - request.arrived)
            self.running.append(request)

    def _has_room(self, request: Request) -> bool:
        return len(self.running) < self.speed.max_running and self.kv_used + request.kv_tokens <= self.speed.kv_tokens

    def _step(self) -> None:
        budget, prefilled, decoding = self.speed.step_tokens, 0, []
        for request in self.running:
            if not request.to_prefill:
                decoding.append(request)
                continue
            share = min(request.to_prefill, budget)
            request.to_prefill -= share
            budget -= share
            prefilled += share
        seconds = self.speed.overhead_seconds + prefilled / self.speed.prefill_tokens_per_second
        if decoding:
            seconds += self.speed.decode_seconds + self.speed.sequence_seconds * len(decoding)
        self.now += seconds
        self._emit(decoding, seconds)

    def _emit(self, decoding: list[Request], seconds: float) -> None:
        if decoding:
            self.recorder.tokens(len(decoding), seconds)
        for request in decoding:
            request.generated += 1
        for request in self.running:
            if not request.to_prefill and not request.generated:
                request.generated, request.first_token = 1, self.now
                self.recorder.first_token(self.now - request.arrived)
        done = [request for request in self.running if request.generated >= request.output_tokens]
        for request in done:
            self.kv_used -= request.kv_tokens
            self.recorder.finished(request, self.now)
        if done:
            self.running = [request for request in self.running if request.generated < request.output_tokens]
