"""What a route's tokens cost: shares of tiers, the blended price, and what that saves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from costpolicy.manifests.router.inputs import TokenPrices
from costpolicy.observe.routes import RouteTraffic, TierTokens
from costpolicy.reconcile.routes.thresholds import Threshold
from costpolicy.routing.tiers import Tier, blended, saving_against
from costpolicy.units import Money, split_by_largest_remainder

ASSUMED: Final = TierTokens(prompt=1000, output=250)
"""A request before there are any: what plans assume too."""
_PERCENT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a route's tokens cost.

    Attributes:
        shares: of the route's tokens, by tier; they sum to 1.
        basis: whether they were seen, or follow from thresholds.
        blended: a million tokens; ``None``: a tier that has some has no price.
        dearest: the tier at which everything would cost most, of those that are priced; empty: there is none.
        against_dearest, against_current: saved share; ``None``: not known.
    """

    shares: Mapping[str, Fraction]
    basis: Literal["Seen", "Expected"]
    blended: Money | None
    dearest: str
    against_dearest: Fraction | None
    against_current: Fraction | None


def spending(
    prices: Mapping[str, TokenPrices | None],
    trusted: str,
    thresholds: Sequence[Threshold],
    traffic: RouteTraffic | None,
    current: str | None,
) -> Spending:
    """Return what tokens cost.

    Args:
        prices: of every tier of the route, in order.
        trusted: the tier that has all the rest.
        thresholds: in force.
        traffic: of the last day.
        current: the tier that answers everything today, where that was stated.

    Shares and token mixes are taken in whole per cent: status is written when it changes, and must not flutter.
    """
    seen = {name: traffic.tokens[name] for name in prices if name in traffic.tokens} if traffic else {}
    tokens = {name: one.total for name, one in seen.items() if one.total}
    shares = _seen(tokens) if tokens else _expected(prices, trusted, thresholds)
    mix = mix_of(seen.values())
    tiers = [
        Tier(
            name=name,
            price=price_per_million(price, seen.get(name, mix) if tokens else mix),
            below=None,
            share=shares[name],
        )
        for name, price in prices.items()
        if price is not None and shares.get(name)
    ]
    known = len(tiers) == sum(1 for share in shares.values() if share)
    alone = {name: price_per_million(price, mix) for name, price in prices.items() if price is not None}
    dearest = max(alone, key=lambda name: alone[name], default="")
    return Spending(
        shares=shares,
        basis="Seen" if tokens else "Expected",
        blended=blended(tiers) if known else None,
        dearest=dearest,
        against_dearest=_saving(tiers, alone.get(dearest)) if known else None,
        against_current=_saving(tiers, alone.get(current or dearest)) if known else None,
    )


def _saving(tiers: Sequence[Tier], alone: Money | None) -> Fraction | None:
    if alone is None:
        return None
    return saving_against(tiers, Tier(name="", price=alone, below=None, share=Fraction(1)))


def _seen(tokens: Mapping[str, int]) -> dict[str, Fraction]:
    parts = split_by_largest_remainder(_PERCENT, list(tokens.values()))
    return {name: Fraction(part, _PERCENT) for name, part in zip(tokens, parts, strict=True)}


def _expected(
    prices: Mapping[str, TokenPrices | None], trusted: str, thresholds: Sequence[Threshold]
) -> dict[str, Fraction]:
    """Return shares by thresholds: a score is the share of calibrated prompts that are simpler."""
    shares, taken = dict.fromkeys(prices, Fraction(0)), Fraction(0)
    for one in thresholds:
        if one.below is not None and one.below > taken:
            shares[one.tier] = one.below - taken
            taken = one.below
    shares[trusted] = 1 - taken
    return shares


def mix_of(tokens: Iterable[TierTokens]) -> TierTokens:
    """Return the tokens of all tiers, or, where none were seen, those of an assumed request."""
    counted = tuple(tokens)
    total = TierTokens(
        prompt=sum(one.prompt for one in counted),
        cached=sum(one.cached for one in counted),
        output=sum(one.output for one in counted),
    )
    return total if total.total else ASSUMED


def price_per_million(prices: TokenPrices, mix: TierTokens) -> Money:
    """Return what a million tokens cost that are mixed as these are, in whole per cent."""
    cached = min(mix.cached, mix.prompt)
    parts = split_by_largest_remainder(_PERCENT, [mix.prompt - cached, cached, mix.output])
    each = (prices.input, prices.cached_input or prices.input, prices.output)
    micros = sum(Fraction(part * price.micros, _PERCENT) for part, price in zip(parts, each, strict=True))
    return Money(round(micros))
