"""Requests: their lengths, and what happens to one of them."""

from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Final

_FEWEST: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Token counts of requests: gamma distributed, rounded, at least 1.

    ``prompt_tokens`` are the mean tokens that a prompt has beyond the shared prefix of ``shared_tokens``; both that
    and ``output_tokens`` have the coefficient of variation ``cv`` (0: all requests are equal) and are independent.
    No request is longer than ``longest`` tokens, prefix included: its output, then its prompt, is cut.

    Raises:
        ValueError: a mean is below 1, ``cv`` or the prefix negative, or ``longest`` leaves no room.
    """

    prompt_tokens: float
    output_tokens: float
    shared_tokens: int = 0
    cv: float = 0.0
    longest: float = inf

    def __post_init__(self) -> None:
        if self.prompt_tokens < _FEWEST or self.output_tokens < _FEWEST:
            raise ValueError(f"lengths are at least 1, not {self.prompt_tokens} and {self.output_tokens}")
        if self.cv < 0 or self.shared_tokens < 0:
            raise ValueError(f"cv and shared tokens must not be negative: {self.cv}, {self.shared_tokens}")
        if self.longest < self.shared_tokens + 2 * _FEWEST:
            raise ValueError(f"no request fits in {self.longest} tokens with {self.shared_tokens} of them shared")

    def draw(self, generator: Random) -> tuple[int, int]:
        """Return the prompt tokens beyond the shared prefix, and the output tokens, of one request."""
        room = self.longest - self.shared_tokens
        prompt = min(self._one(self.prompt_tokens, generator), room - _FEWEST)
        return int(prompt), int(min(self._one(self.output_tokens, generator), room - prompt))

    def _one(self, mean: float, generator: Random) -> int:
        if self.cv == 0:
            return round(mean)
        shape = self.cv**-2
        return max(_FEWEST, round(generator.gammavariate(shape, mean / shape)))


@dataclass(slots=True, kw_only=True, eq=False)
class Request:
    """One request on its way, numbered in order of arrival; times are seconds since the start, ``inf`` until they are known.

    ``to_compute`` is what must be in the KV cache before the next token comes, the shared prefix left out: the
    prompt, after a preemption the generated tokens too. ``computed`` is how much of it is there. ``generated`` counts
    tokens up to the tick ``joined``, at which it last began to decode; with speculation all of them, ``joined`` being how
    many there were then. ``last_token`` is when it was preempted.
    """

    number: int
    arrival: float
    prompt_tokens: int
    output_tokens: int
    to_compute: int = field(init=False)
    computed: int = 0
    generated: int = 0
    joined: int = 0
    preemptions: int = 0
    admitted: float = inf
    first_token: float = inf
    last_token: float = inf
    finished: float = inf

    def __post_init__(self) -> None:
        self.to_compute = self.prompt_tokens

    @property
    def ttft(self) -> float:
        """Seconds from arrival to the first token."""
        return self.first_token - self.arrival

    @property
    def queued(self) -> float:
        """Seconds from arrival until the scheduler took it for the first time."""
        return self.admitted - self.arrival

    @property
    def inter_token(self) -> float | None:
        """Seconds per token after the first, averaged over the request; ``None`` where there is one token only."""
        return (self.finished - self.first_token) / (self.output_tokens - 1) if self.output_tokens > 1 else None
