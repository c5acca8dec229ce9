"""``routes.json``: what the callback is told (docs/decisions/0033-the-router.md describes it)."""

from datetime import timedelta
from typing import Any, Final

from costpolicy.manifests.router.files import coefficients_file, samples_folder
from costpolicy.manifests.router.identity import METRICS_PORT
from costpolicy.manifests.router.inputs import Cap, Compression, Route, RoutedTier, Router, Sampling, SelfHosted
from costpolicy.manifests.router.secrets import keyed_tenants, tenant_variable

VERSION: Final = 1
_SECOND: Final = timedelta(seconds=1)


def routes_document(router: Router) -> dict[str, Any]:
    """Return the document; what is not given is absent, and the callback does without it."""
    return {
        "version": VERSION,
        "featureHeader": router.feature_header,
        "metricsPort": METRICS_PORT,
        "routes": {route.name: _route(route) for route in router.routes},
        "tenants": [
            {"name": tenant.name, "variable": tenant_variable(position), "routes": list(tenant.routes)}
            for position, tenant in enumerate(keyed_tenants(router))
        ],
    }


def _route(route: Route) -> dict[str, Any]:
    document: dict[str, Any] = {"trusted": route.trusted, "tiers": [_tier(route, tier) for tier in route.tiers]}
    if route.coefficients:
        document["coefficients"] = coefficients_file(route.name)
    if route.features:
        document["features"] = list(route.features)
    if route.caps:
        document["caps"] = {feature: _cap(cap) for feature, cap in sorted(route.caps.items())}
    if route.compression is not None:
        document["compression"] = _compression(route.compression)
    if route.sampling is not None:
        document["sampling"] = _sampling(route.sampling, route.name)
    return document


def _tier(route: Route, tier: RoutedTier) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": tier.name,
        "policy": tier.backend.policy if isinstance(tier.backend, SelfHosted) else "",
    }
    if tier.below is not None:
        document["below"] = float(tier.below)
    if tier.coefficients:
        document["coefficients"] = coefficients_file(route.name, tier.name)
    return document


def _cap(cap: Cap) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if cap.max_tokens is not None:
        document["maxTokens"] = cap.max_tokens
    if cap.stop:
        document["stop"] = list(cap.stop)
    return document


def _compression(limits: Compression) -> dict[str, Any]:
    return {"minimum": limits.minimum, "ratio": float(limits.ratio)}


def _sampling(sampling: Sampling, route: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "share": float(sampling.share),
        "perDay": sampling.per_day,
        "folder": samples_folder(sampling.claim, route),
        "retentionSeconds": sampling.retention // _SECOND,
    }
    if sampling.compression is not None:
        document["compression"] = _compression(sampling.compression)
    return document
