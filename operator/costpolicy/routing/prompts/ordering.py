"""Shared text behind variable text: an engine's prefix cache ends where two prompts first differ.

What would be cached is counted as vLLM caches: in whole blocks from the beginning of a prompt, never its last token,
with room for everything that was asked before.  So hit ratios are those of a cache that never forgets, for the order
as it is and for the better one alike.
"""

from collections import Counter as Multiset
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from costpolicy.routing.prompts.samples import Request, Segment
from costpolicy.routing.prompts.tokens import Counter

BLOCK: Final = 16
"""Tokens of a KV-cache block: vLLM's default."""
SHARED_BY: Final = Fraction(1, 2)
"""Share of a feature's requests from which a segment counts as shared."""
FEWEST_REQUESTS: Final = 5
FEWEST_TOKENS: Final = 8
"""Of a shared segment that is worth moving; shorter ones are phrases that happen to return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """What an order of segments would be worth.

    Attributes:
        tokens: of all prompts.
        cached: of them, those that come from the cache in the order as it is.
        cached_reordered: the same with shared text first.
        moved: shared segments that stand behind variable text in most prompts, in the order to give them.
        variable: the beginning of the variable text that most often stands before them; empty if nothing is moved.
    """

    tokens: int
    cached: int
    cached_reordered: int
    moved: Sequence[str]
    variable: str

    @property
    def gain(self) -> int:
        """Tokens that would no longer be computed."""
        return self.cached_reordered - self.cached


def judge_order(requests: Sequence[Request], counter: Counter, block: int = BLOCK) -> Ordering:
    """Compare the order of one feature's prompts with shared text first.

    Nothing is moved where that gains nothing, or where there are too few requests to tell what is shared.
    """
    sequences = [counter.tokens(request.segments) for request in requests]
    tokens, cached = sum(map(len, sequences)), cached_tokens(sequences, block)
    as_it_is = Ordering(tokens=tokens, cached=cached, cached_reordered=cached, moved=(), variable="")
    if len(requests) < FEWEST_REQUESTS:
        return as_it_is
    order = _shared(requests, counter)
    behind, variable = _behind(requests, order)
    reordered = cached_tokens([counter.tokens(_reordered(request, order)) for request in requests], block)
    if not behind or reordered <= cached:
        return as_it_is
    moved = tuple(segment.text.strip() for segment in order if segment in behind)
    return Ordering(tokens=tokens, cached=cached, cached_reordered=reordered, moved=moved, variable=variable)


def cached_tokens(prompts: Iterable[Sequence[Hashable]], block: int) -> int:
    """Return how many tokens of prompts, asked one after the other, lie in blocks that were computed before."""
    known: dict[tuple[int, tuple[Hashable, ...]], int] = {}
    found = 0
    for prompt in prompts:
        place, hitting = 0, True
        for start in range(0, (len(prompt) - 1) // block * block, block):
            key = (place, tuple(prompt[start : start + block]))
            hitting = hitting and key in known
            found += block * hitting
            place = known.setdefault(key, len(known) + 1)
    return found


def _shared(requests: Sequence[Request], counter: Counter) -> list[Segment]:
    """Return the segments that most prompts have: those of the most prompts first, then in the order of the prompts."""
    holding = Multiset(segment for request in requests for segment in set(request.segments))
    places: dict[Segment, list[int]] = {}
    for request in requests:
        for place, segment in enumerate(request.segments):
            places.setdefault(segment, []).append(place)
    shared = [
        segment
        for segment, count in holding.items()
        if count >= SHARED_BY * len(requests) and counter.count([segment]) >= FEWEST_TOKENS
    ]
    return sorted(shared, key=lambda one: (-holding[one], sum(places[one]) / len(places[one]), one.text))


def _reordered(request: Request, order: Sequence[Segment]) -> list[Segment]:
    held = set(request.segments)
    first = [segment for segment in order if segment in held]
    moved = set(first)
    rest = [segment for segment in request.segments if segment not in moved]
    return first + rest


def _behind(requests: Sequence[Request], order: Sequence[Segment]) -> tuple[set[Segment], str]:
    """Return shared segments that follow variable text in most prompts that have them, and the first such text."""
    shared = set(order)
    behind: Multiset[Segment] = Multiset()
    holding: Multiset[Segment] = Multiset()
    before: Multiset[str] = Multiset()
    for request in requests:
        variable = ""
        for segment in request.segments:
            if segment not in shared:
                variable = variable or segment.text.strip()
                continue
            holding[segment] += 1
            behind[segment] += bool(variable)
            before[variable] += bool(variable)
    found = {segment for segment in shared if 2 * behind[segment] > holding[segment]}
    [(text, _)] = before.most_common(1) or [("", 0)]
    return found, text if found else ""
