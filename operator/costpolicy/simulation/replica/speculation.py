"""Speculative decoding in the simulated scheduler: a step yields as many tokens of a request as luck has it."""

from dataclasses import dataclass
from random import Random

from costpolicy.simulation.replica.kv_blocks import blocks_of
from costpolicy.simulation.replica.requests import Request
from costpolicy.simulation.replica.scheduler import Limits, Scheduler, StepSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """``tokens`` are proposed a step and request, each accepted with probability ``acceptance`` if those before it were.

    Raises:
        ValueError: nothing is proposed, or the acceptance is no probability.
    """

    tokens: int
    acceptance: float

    def __post_init__(self) -> None:
        if self.tokens < 1 or not 0 <= self.acceptance <= 1:
            raise ValueError(f"{self.tokens} tokens at an acceptance of {self.acceptance} are no proposals")

    def draw(self, generator: Random) -> int:
        """Return how many tokens a step yields of one request: those accepted and the one that is always right."""
        accepted = 0
        while accepted < self.tokens and generator.random() < self.acceptance:
            accepted += 1
        return 1 + accepted


class SpeculatingScheduler(Scheduler):
    """The scheduler of an engine that speculates.

    Every proposed token needs a place in the step's budget and in the KV cache; the time that proposing and verifying take
    is part of ``step_seconds``.  Steps are taken one by one, since no two requests get on alike.
    """

    def __init__(self, limits: Limits, step_seconds: StepSeconds, proposals: Proposals, generator: Random) -> None:
        super().__init__(limits, step_seconds)
        self._proposals, self._generator = proposals, generator
        self._held: dict[Request, int] = {}  # blocks of each that decodes
        self._short: dict[Request, int] = {}  # blocks that some of them lack for the next step

    def _tokens_to_verify(self) -> int:
        return len(self._decoding) * (1 + self._proposals.tokens)

    def _needed(self) -> int:
        return sum(self._short.values())

    def _grow(self, ticks: int) -> int:
        del ticks
        for request, more in self._short.items():
            self.blocks.take(more)
            self._held[request] += more
        self._short.clear()
        return 1

    def _decode_only(self, decoding: int, until: float) -> tuple[int, float]:
        del until
        return self._grow(1), self._run_seconds(1, decoding)

    def _yield(self, ticks: int) -> None:
        self._tick += ticks
        for request in self._decoding:
            tokens = min(self._proposals.draw(self._generator), request.output_tokens - request.generated)
            request.generated += tokens
            self._context += tokens
            self._look_ahead(request)

    def _ended(self) -> list[Request]:
        return [request for request in self._decoding if request.generated == request.output_tokens]

    def _start(self, request: Request) -> None:
        self._decoding[request] = self._tick
        self._held[request] = blocks_of(request.to_compute)
        request.joined = request.generated
        self._look_ahead(request)

    def _leave(self, request: Request) -> None:
        self._context -= self._length(request)
        self._short.pop(request, None)
        self.blocks.give_back(self._held.pop(request))

    def _length(self, request: Request) -> int:
        """Return the tokens in the KV cache of a request that decodes, the shared prefix left out."""
        return request.to_compute + request.generated - request.joined

    def _look_ahead(self, request: Request) -> None:
        """Note the blocks that the next step may fill, no more than the whole request."""
        most = request.prompt_tokens + request.output_tokens
        more = blocks_of(min(self._length(request) + 1 + self._proposals.tokens, most)) - self._held[request]
        if more > 0:
            self._short[request] = more
