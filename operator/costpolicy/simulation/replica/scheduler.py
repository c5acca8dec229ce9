"""vLLM's scheduler (V1, 0.11 to 0.32): continuous batching with chunked prefill over a paged KV cache.

A step decodes one token of every running request, then spends what is left of ``max_num_batched_tokens`` on
prompts: first the one that an earlier step began, then the waiting ones in order of arrival, while there is a seat
(``max_num_seqs``) and the whole prompt finds free blocks (``scheduler_reserve_full_isl``). Where decoding finds no
block, the request that was admitted last is preempted: it loses its blocks, waits in front of all others, and its
prompt and generated tokens are computed anew. A step that preempts admits nobody.
"""

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from math import ceil, inf
from typing import NamedTuple, Protocol

from costpolicy.simulation.replica.kv_blocks import BLOCK_TOKENS, KvBlocks, blocks_of
from costpolicy.simulation.replica.requests import Request


class StepSeconds(Protocol):
    """How long one step takes, in seconds."""

    def __call__(
        self, *, prompts: float, prompt_tokens: float, pairs: float, sequences: float, context: float
    ) -> float:
        """Return the seconds of a step.

        ``prompts`` end their prefill in it, ``prompt_tokens`` are computed with ``pairs`` (query, key) pairs of
        attention, ``sequences`` requests decode a token each with a mean ``context`` of tokens of their own (a
        shared prefix not counted).
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The engine's settings.

    Raises:
        ValueError: a setting is below 1, or the token budget below ``max_num_seqs`` (vLLM does not start).
    """

    max_num_seqs: int
    max_num_batched_tokens: int
    kv_cache_tokens: int
    shared_tokens: int = 0

    def __post_init__(self) -> None:
        if self.max_num_seqs < 1 or self.max_num_batched_tokens < self.max_num_seqs:
            raise ValueError(
                f"max_num_batched_tokens {self.max_num_batched_tokens} must not be below max_num_seqs "
                f"{self.max_num_seqs}, which is at least 1"
            )
        if self.shared_tokens < 0 or blocks_of(self.kv_cache_tokens) <= blocks_of(self.shared_tokens):
            raise ValueError(
                f"{self.kv_cache_tokens} tokens of KV cache hold no request beside {self.shared_tokens} shared ones"
            )


class Progress(NamedTuple):
    """What one call of :meth:`Scheduler.advance` did, in ``seconds``.

    ``gaps`` are times between tokens of one request as (seconds, how many such gaps); ``blocks`` is the mean number
    of blocks taken.
    """

    seconds: float
    blocks: float
    gaps: list[tuple[float, int]]
    finished: list[Request]
    preemptions: int


class _Prefill(NamedTuple):
    """The prompts of a step: tokens, attention pairs, and the requests whose prefill ends."""

    tokens: int
    pairs: float
    ended: list[Request]


class Scheduler:
    """The queues of one replica.

    Runs of steps that only decode are taken as one, up to the next arrival, answer or preemption, with the mean
    context of the run: exact where a step's time is linear in context.
    """

    def __init__(self, limits: Limits, step_seconds: StepSeconds) -> None:
        self._limits, self._step_seconds = limits, step_seconds
        self.blocks = KvBlocks(limits.kv_cache_tokens // BLOCK_TOKENS, limits.shared_tokens)
        self._largest = self.blocks.free
        self._waiting: deque[Request] = deque()
        self._decoding: dict[Request, int] = {}  # in order of admission, with the tick of its last token
        self._partial: Request | None = None
        self._endings: list[tuple[int, int, Request]] = []  # a heap; entries of preempted requests go stale
        self._joined = 0
        self._tick = 0
        self._context = 0

    @property
    def running(self) -> int:
        """Requests that hold a seat."""
        return len(self._decoding) + (self._partial is not None)

    @property
    def waiting(self) -> int:
        """Requests that wait for their first seat, or for their next."""
        return len(self._waiting)

    def submit(self, request: Request) -> None:
        """Queue a request.

        Raises:
            ValueError: it would not even fit in the KV cache alone.
        """
        tokens = request.prompt_tokens + request.output_tokens
        if blocks_of(tokens) > self._largest:
            raise ValueError(f"a request of {tokens} tokens does not fit in {self._largest} blocks of KV cache")
        self._waiting.append(request)

    def advance(self, now: float, next_arrival: float) -> Progress:
        """Run steps from ``now`` until something changes, or until the next arrival's step ends.

        There must be a request to work on.
        """
        preempted = self._make_room(now)
        decoding = len(self._decoding)
        prefill = self._prefill(now, admitting=not preempted)
        before = self.blocks.used
        if prefill.tokens:
            ticks, seconds = 1, self._seconds(prefill, decoding, self._context)
            self._grow(1)
        else:
            ticks, seconds = self._decode_only(decoding, next_arrival - now)
        blocks = (before + self.blocks.used) / 2.0
        self._yield(ticks)
        end = now + seconds
        finished = self._finish(end)
        gaps = [(seconds / ticks, ticks * decoding)] if decoding else []
        for request in prefill.ended:
            if request.generated:
                gaps.append((end - request.last_token, 1))
            self._join(request, end, finished)
        return Progress(seconds, blocks, gaps, finished, preempted)

    def _make_room(self, now: float) -> int:
        """Preempt the newest until the others have the blocks for their next token; return how many were."""
        preempted = 0
        while self._needed() > self.blocks.free:
            self._preempt(now)
            preempted += 1
        return preempted

    def _preempt(self, now: float) -> None:
        if self._partial is not None:
            request, self._partial = self._partial, None
            self.blocks.give_back(blocks_of(request.to_compute))
        else:
            request, _ = self._decoding.popitem()
            self._leave(request)
            request.last_token = now
            request.to_compute = request.prompt_tokens + request.generated
        request.computed = 0
        request.preemptions += 1
        self._waiting.appendleft(request)

    def _prefill(self, now: float, *, admitting: bool) -> _Prefill:
        budget = self._limits.max_num_batched_tokens - self._tokens_to_verify()
        tokens, pairs, ended = 0, 0.0, list[Request]()
        while tokens < budget and (request := self._partial or (self._admit(now, len(ended)) if admitting else None)):
            chunk = min(budget - tokens, request.to_compute - request.computed)
            pairs += chunk * (self._limits.shared_tokens + request.computed + chunk / 2.0)
            tokens += chunk
            request.computed += chunk
            self._partial = None
            if request.computed == request.to_compute:
                ended.append(request)
            else:
                self._partial = request
        return _Prefill(tokens, pairs, ended)

    def _admit(self, now: float, beside: int) -> Request | None:
        """Take the first waiting request, if there is a seat beside those admitted in this step, and memory."""
        if not self._waiting or self.running + beside >= self._limits.max_num_seqs:
            return None
        reserved = self._needed()
        if not self.blocks.take(blocks_of(self._waiting[0].to_compute) + reserved):
            return None
        self.blocks.give_back(reserved)
        request = self._waiting.popleft()
        request.admitted = min(request.admitted, now)
        return request

    def _decode_only(self, decoding: int, until: float) -> tuple[int, float]:
        """Return how many steps to take at once, and their seconds."""
        most = self._next_ending() - self._tick
        if until < inf:
            most = self._steps_until(until, most, decoding)
        ticks = self._grow(most)
        return ticks, self._run_seconds(ticks, decoding)

    def _tokens_to_verify(self) -> int:
        """Return what the running requests take of a step's token budget."""
        return len(self._decoding)

    def _needed(self) -> int:
        """Return the blocks that the running requests need for the next step."""
        return self.blocks.needed(self._tick + 1)

    def _grow(self, ticks: int) -> int:
        """Take the blocks for at most so many steps; return how many they were enough for."""
        return self.blocks.grow(self._tick, ticks)

    def _yield(self, ticks: int) -> None:
        """Let the running requests have their tokens of so many steps."""
        self._tick += ticks
        self._context += ticks * len(self._decoding)

    def _steps_until(self, until: float, most: int, decoding: int) -> int:
        """Return the fewest steps that last until then, at most ``most``."""
        ticks = min(most, max(1, ceil(until / self._run_seconds(1, decoding))))
        if ticks > 1:
            ticks = min(ticks, max(1, ceil(until / (self._run_seconds(ticks, decoding) / ticks))))
            while ticks < most and self._run_seconds(ticks, decoding) < until:
                ticks += 1
        return ticks

    def _run_seconds(self, ticks: int, decoding: int) -> float:
        return ticks * self._seconds(_NOTHING, decoding, self._context + decoding * (ticks - 1) / 2.0)

    def _seconds(self, prefill: _Prefill, decoding: int, context: float) -> float:
        return self._step_seconds(
            prompts=len(prefill.ended),
            prompt_tokens=prefill.tokens,
            pairs=prefill.pairs,
            sequences=decoding,
            context=context / decoding if decoding else 0.0,
        )

    def _next_ending(self) -> int:
        while self._decoding.get(self._endings[0][2]) != self._endings[0][0]:
            heappop(self._endings)
        return self._endings[0][0]

    def _finish(self, end: float) -> list[Request]:
        """Let go of the requests whose last token came."""
        finished = self._ended()
        for request in finished:
            del self._decoding[request]
            self._leave(request)
            request.finished = end
        return finished

    def _ended(self) -> list[Request]:
        """Return the running requests that have all their tokens."""
        ended = []
        while self._endings and self._endings[0][0] <= self._tick:
            ending, _, request = heappop(self._endings)
            if self._decoding.get(request) == ending:
                ended.append(request)
        return ended

    def _join(self, request: Request, end: float, finished: list[Request]) -> None:
        """Let a request decode whose prefill gave it a token."""
        request.first_token = min(request.first_token, end)
        request.generated += 1
        if request.generated == request.output_tokens:
            self.blocks.give_back(blocks_of(request.to_compute))
            request.finished = end
            finished.append(request)
            return
        self._context += request.to_compute
        self._start(request)

    def _start(self, request: Request) -> None:
        """Count a request with those that decode."""
        self._joined += 1
        ending = self._tick + request.output_tokens - request.generated
        request.joined = self._tick
        self._decoding[request] = ending
        heappush(self._endings, (ending, self._joined, request))
        self.blocks.start_growing(request.to_compute, self._tick)

    def _leave(self, request: Request) -> None:
        """Free what a request held that decoded until now."""
        decoded = self._tick - request.joined
        tokens = request.to_compute + decoded
        request.generated += decoded
        self._context -= tokens
        self.blocks.stop_growing(tokens, self._tick)
        self.blocks.give_back(blocks_of(tokens))


_NOTHING = _Prefill(0, 0.0, [])
