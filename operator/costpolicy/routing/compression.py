"""What compression of long messages is worth: tokens removed, minus those that the prefix cache would have spared."""

from collections.abc import Sequence
from dataclasses import dataclass

from costpolicy.router_plugin.compression import Limits, compress
from costpolicy.routing.prompts.ordering import BLOCK, cached_tokens
from costpolicy.routing.prompts.samples import Request, recast
from costpolicy.routing.prompts.tokens import Counter

DEFAULT_LIMITS = Limits(minimum=2000, ratio=0.5)
"""Half of messages of about 500 tokens and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetSaving:
    """What compressed requests would have saved.

    Attributes:
        removed: tokens that are no longer in the prompts.
        hits_lost: tokens that came from the prefix cache and no longer do; negative if more do.
        shortened: requests that were changed. requests: all.
    """

    removed: int
    hits_lost: int
    shortened: int
    requests: int

    @property
    def net(self) -> int:
        """Tokens that need not be computed any more; negative where compression costs more than it saves."""
        return self.removed - self.hits_lost


def net_saving(
    requests: Sequence[Request], counter: Counter, limits: Limits = DEFAULT_LIMITS, block: int = BLOCK
) -> NetSaving:
    """Compress requests, and count what would be computed before and after.

    That answers stay right is not judged here: compression is off until an evaluation has shown it.
    """
    compressed = [recast(request, compress(request.messages, limits)) for request in requests]
    before = [counter.tokens(request.segments) for request in requests]
    after = [counter.tokens(request.segments) for request in compressed]
    return NetSaving(
        removed=sum(map(len, before)) - sum(map(len, after)),
        hits_lost=cached_tokens(before, block) - cached_tokens(after, block),
        shortened=sum(one.segments != other.segments for one, other in zip(requests, compressed, strict=True)),
        requests=len(requests),
    )
