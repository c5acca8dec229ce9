"""What it costs at most to label what a route samples."""

from collections.abc import Mapping
from typing import Final

from costpolicy.api.model_route import ModelRoute
from costpolicy.manifests.router.inputs import TokenPrices
from costpolicy.observe.routes import RouteTraffic
from costpolicy.reconcile.routes.compression import wanted_compression
from costpolicy.reconcile.routes.spending import ASSUMED, mix_of, price_per_million
from costpolicy.units import Money

_MILLION: Final = 1_000_000
_CHARACTERS: Final = 4
"""Of a token, about; a long request is a usual one and the shortest message that is shortened, and may well be longer."""


def labelling_per_day(
    route: ModelRoute, prices: Mapping[str, TokenPrices | None], traffic: RouteTraffic | None
) -> Money | None:
    """Return what a day of labels costs at most; ``None``: nothing is sampled, or a tier that is asked has no price.

    Of each sample the trusted tier and a cheaper one are asked (docs/decisions/0036-renewal.md), at most ``samples.perDay`` for
    each tier before the trusted one; and as many long ones twice of the trusted tier, where compression is to be proven.
    """
    samples = route.spec.calibration.samples
    asked = [route.spec.trusted, *(tier.name for tier in route.spec.tiers if tier.complexity_below is not None)]
    known = [price for name in asked if (price := prices.get(name)) is not None]
    if samples is None or len(known) < len(asked):
        return None
    trusted, *others = (price_per_million(price, mix_of(traffic.tokens.values() if traffic else ())) for price in known)
    usual = _tokens_per_request(traffic)
    each = sum(((trusted + other) * samples.per_day for other in others), Money(0)).scaled(usual, _MILLION)
    limits = wanted_compression(route)
    if limits is None:
        return each
    longer = usual + limits.minimum // _CHARACTERS
    return each + (trusted * 2 * samples.per_day).scaled(longer, _MILLION)


def _tokens_per_request(traffic: RouteTraffic | None) -> int:
    """Return the mean, to two digits so that status does not flutter."""
    requests = sum(traffic.scores) if traffic else 0
    tokens = sum(one.total for one in traffic.tokens.values()) if traffic else 0
    return round(float(f"{tokens / requests:.2g}")) if requests and tokens else ASSUMED.total
