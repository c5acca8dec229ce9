"""Findings of sampled requests, by feature, the one that spends most first."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from costpolicy.routing.compression import NetSaving, net_saving
from costpolicy.routing.prompts.ordering import BLOCK, Ordering, judge_order
from costpolicy.routing.prompts.repetition import Duplicates, duplicates, most_repeated, repeated_tokens
from costpolicy.routing.prompts.samples import Request, Section
from costpolicy.routing.prompts.tokens import Counter, Tokenizer
from costpolicy.units import Money

_MILLION = 1_000_000


class PriceError(ValueError):
    """A model of the samples has no price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one feature's prompts are made of.

    Attributes:
        requests: sampled. tokens: of their prompts, by section.
        cost: of the sampled prompts at the price of uncached tokens; None without prices.
        repeated: tokens of text that the same prompt already held. example: the most frequent such text.
        ordering: what the order of the text costs the prefix cache.
        duplicates: requests that an answer cache could have answered.
        compression: what shortening long messages would be worth.
    """

    feature: str
    requests: int
    tokens: Mapping[Section, int]
    cost: Money | None
    repeated: int
    example: str
    ordering: Ordering
    duplicates: Duplicates
    compression: NetSaving

    @property
    def total(self) -> int:
        """Tokens of all sections."""
        return sum(self.tokens.values())

    def cost_of(self, tokens: int) -> Money | None:
        """Return what so many tokens cost at this feature's mean price."""
        return None if self.cost is None or not self.total else self.cost.scaled(tokens, self.total)


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of a million prompt tokens, by model; ``""`` is that of models without one of their own."""

    per_million: Mapping[str, Money]

    def of(self, model: str) -> Money:
        """Return a model's price.

        Raises:
            PriceError: it has none.
        """
        price = self.per_million.get(model) or self.per_million.get("")
        if price is None:
            raise PriceError(f"model {model!r} has no price: add --price {model or 'MODEL'}=P")
        return price


def analyze(
    requests: Sequence[Request], tokenizer: Tokenizer, prices: Prices | None = None, block: int = BLOCK
) -> tuple[Finding, ...]:
    """Return a finding for each feature, the dearest first (by tokens where there are no prices).

    Raises:
        PriceError: there are prices, but not of every model.
    """
    counter = Counter(tokenizer)
    by_feature: dict[str, list[Request]] = defaultdict(list)
    for request in requests:
        by_feature[request.feature].append(request)
    found = [_finding(feature, asked, counter, prices, block) for feature, asked in by_feature.items()]
    return tuple(sorted(found, key=lambda one: (-(one.cost.micros if one.cost else 0), -one.total, one.feature)))


def _finding(feature: str, requests: Sequence[Request], counter: Counter, prices: Prices | None, block: int) -> Finding:
    tokens = dict.fromkeys(Section, 0)
    for request in requests:
        for segment in request.segments:
            tokens[segment.section] += counter.count([segment])
    return Finding(
        feature=feature,
        requests=len(requests),
        tokens=tokens,
        cost=None if prices is None else _cost(requests, counter, prices),
        repeated=sum(repeated_tokens(request, counter) for request in requests),
        example=most_repeated(requests),
        ordering=judge_order(requests, counter, block),
        duplicates=duplicates(requests),
        compression=net_saving(requests, counter, block=block),
    )


def _cost(requests: Sequence[Request], counter: Counter, prices: Prices) -> Money:
    micros = sum(
        (Fraction(counter.count(request.segments) * prices.of(request.model).micros, _MILLION) for request in requests),
        Fraction(0),
    )
    return Money(round(micros))
