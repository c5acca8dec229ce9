"""What the operator exports of routes: prices of tokens that others serve, and what proofs are worth.

Read from what is stored: an alert tells what status tells.
"""

from collections.abc import Iterable, Iterator

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.model_route_status import ModelRouteStatus, TierTokenPrice
from costpolicy.kube.gateway import Unreadable
from costpolicy.observe.exported import ROUTE_PROOF, TOKEN_PRICE, ExportedGauge
from costpolicy.observe.router_metrics import TokenKind
from costpolicy.reconcile.policy_exports import Series


def route_series(routes: Iterable[ModelRoute | Unreadable], currency: str) -> dict[ExportedGauge, Series]:
    """Return the series of each gauge about routes; a price in status is the one that the router has."""
    told = [(route.metadata, route.status) for route in routes if isinstance(route, ModelRoute) and route.status]
    return {
        TOKEN_PRICE: {
            (meta.namespace, meta.name, tier.name, kind.value, currency): price
            for meta, status in told
            for tier in status.tiers
            if tier.price_per_million is not None and tier.price_per_million.basis == "PriceBook"
            for kind, price in _by_kind(tier.price_per_million)
        },
        ROUTE_PROOF: {
            (meta.namespace, meta.name, proof, verdict): 1.0
            for meta, status in told
            for proof, verdict in _verdicts(status)
        },
    }


def _verdicts(status: ModelRouteStatus) -> Iterator[tuple[str, str]]:
    yield from ((f"tier/{tier.name}", tier.verdict) for tier in status.tiers if tier.verdict)
    if status.compression is not None:
        yield "compression", status.compression.verdict


def _by_kind(price: TierTokenPrice) -> Iterator[tuple[TokenKind, float]]:
    yield TokenKind.PROMPT, float(price.input)
    yield TokenKind.CACHED, float(price.cached_input if price.cached_input is not None else price.input)
    yield TokenKind.OUTPUT, float(price.output)
