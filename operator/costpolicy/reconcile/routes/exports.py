"""What the operator exports of routes: prices of tokens that others serve, so that their cost is recorded by feature."""

from collections.abc import Iterable, Iterator

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.model_route_status import TierTokenPrice
from costpolicy.kube.gateway import Unreadable
from costpolicy.observe.exported import TOKEN_PRICE, ExportedGauge
from costpolicy.observe.router_metrics import TokenKind
from costpolicy.reconcile.policy_exports import Series


def route_series(routes: Iterable[ModelRoute | Unreadable], currency: str) -> dict[ExportedGauge, Series]:
    """Return the series of each gauge about routes, from what is stored: a price in status is the one that the router has."""
    return {
        TOKEN_PRICE: {
            (route.metadata.namespace, route.metadata.name, tier.name, kind.value, currency): price
            for route in routes
            if isinstance(route, ModelRoute) and route.status is not None
            for tier in route.status.tiers
            if tier.price_per_million is not None and tier.price_per_million.basis == "PriceBook"
            for kind, price in _by_kind(tier.price_per_million)
        }
    }


def _by_kind(price: TierTokenPrice) -> Iterator[tuple[TokenKind, float]]:
    yield TokenKind.PROMPT, float(price.input)
    yield TokenKind.CACHED, float(price.cached_input if price.cached_input is not None else price.input)
    yield TokenKind.OUTPUT, float(price.output)
