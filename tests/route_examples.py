"""The examples of ``api_examples`` that are ModelRoutes."""

from typing import Any

from example import Example
from plain_documents import TIERS, Document, route

SMALL, LARGE = TIERS
MEDIUM: Document = {"name": "medium", "policyRef": {"name": "medium"}, "complexityBelow": "0.7"}


def _tiers(name: str, accepted: list[Document], rejected: list[Document], says: str, **spec: Any) -> Example:
    return Example(name=name, accepted=route(accepted, **spec), rejected=route(rejected, **spec), says=says)


def _spec(name: str, field: str, accepted: Any, rejected: Any, says: str, **beside: Any) -> Example:
    return Example(
        name=name,
        accepted=route(**{field: accepted}, **beside),
        rejected=route(**{field: rejected}, **beside),
        says=says,
    )


ROUTE_RULES: tuple[Example, ...] = (
    Example(
        name="a route's name within 40 characters",
        accepted=route(name="a" * 40),
        rejected=route(name="a" * 41),
        says="the name of a route must not exceed 40 characters",
    ),
    Example(
        name="a route's name is a model's name",
        accepted=route(name="chat-2"),
        rejected=route(name="2-chat"),
        says="the name of a route must begin with a letter",
    ),
    _tiers(
        "a tier is a policy or a provider",
        TIERS,
        [SMALL, {**LARGE, "policyRef": {"name": "chat"}}],
        "a tier needs exactly one of policyRef and external",
    ),
    _tiers(
        "thresholds rise",
        [SMALL, MEDIUM, LARGE],
        [{**SMALL, "complexityBelow": "0.8"}, MEDIUM, LARGE],
        "complexityBelow must rise from tier to tier",
    ),
    _tiers(
        "thresholds differ, however they are written",
        [SMALL, MEDIUM, LARGE],
        [{**SMALL, "complexityBelow": "0.70"}, MEDIUM, LARGE],
        "complexityBelow must rise from tier to tier",
    ),
    _tiers(
        "every tier before the trusted one has a threshold",
        TIERS,
        [{"name": "small", "policyRef": {"name": "chat"}}, LARGE],
        "every tier before the trusted one",
    ),
    _tiers(
        "the last tier has all the rest",
        TIERS,
        [SMALL, {**LARGE, "complexityBelow": "1"}],
        "every tier before the trusted one",
    ),
    _tiers(
        "tiers after the trusted one have no threshold",
        [SMALL, {"name": "medium", "policyRef": {"name": "medium"}}, LARGE],
        [SMALL, MEDIUM, LARGE],
        "every tier before the trusted one",
        trustedTier="medium",
    ),
    _spec("the trusted tier exists", "trustedTier", "large", "huge", "trustedTier must be the name of a tier"),
    _spec("the tier of today exists", "currentTier", "small", "huge", "currentTier must be the name of a tier"),
    _tiers(
        "fallbacks are other tiers",
        [{**SMALL, "fallbacks": ["large"]}, LARGE],
        [{**SMALL, "fallbacks": ["small"]}, LARGE],
        "fallbacks must be names of other tiers",
    ),
    _spec(
        "a calibration is of a tier",
        "calibration",
        {"tiers": [{"name": "small", "configMapRef": {"name": "proof"}}]},
        {"tiers": [{"name": "huge", "configMapRef": {"name": "proof"}}]},
        "calibration.tiers must have names of tiers",
    ),
    _spec(
        "samples are kept somewhere",
        "calibration",
        {"samples": {"share": "1%"}, "storage": {"claimName": "samples"}},
        {"samples": {"share": "1%"}},
        "samples and schedule need storage.claimName",
    ),
    _spec(
        "a cap is of a feature that requests are told apart by",
        "outputLength",
        {"mode": "Enforce", "features": [{"name": "search", "maxTokens": 300}]},
        {"mode": "Enforce", "features": [{"name": "summary", "maxTokens": 300}]},
        "outputLength.features must be listed in attribution.features",
        attribution={"features": ["search"]},
    ),
    _spec(
        "a feature's output says something",
        "outputLength",
        {"features": [{"name": "search", "stop": ["END"]}]},
        {"features": [{"name": "search"}]},
        "a feature's output needs maxTokens or stop",
        attribution={"features": ["search"]},
    ),
    _spec(
        "features do not hide what is not listed",
        "attribution",
        {"features": ["others"]},
        {"features": ["search", "other"]},
        "other and unattributed are what the router calls features that are not listed",
    ),
)

ROUTE_VALUES: tuple[Example, ...] = (
    _tiers("a route has two tiers", TIERS, [LARGE], "tiers"),
    _tiers("a tier's name occurs once", TIERS, [SMALL, {**LARGE, "name": "small"}], "uplicate"),
    _tiers(
        "a threshold is more than zero", TIERS, [{**SMALL, "complexityBelow": "0.0"}, LARGE], "must be more than zero"
    ),
    _tiers("a threshold is no percentage", TIERS, [{**SMALL, "complexityBelow": "30%"}, LARGE], "complexityBelow"),
    _tiers("a threshold is at most one", TIERS, [{**SMALL, "complexityBelow": "1.5"}, LARGE], "complexityBelow"),
    _spec("no loss at all cannot be proven", "maxQualityLoss", "1%", "0%", "must be more than zero"),
    _spec("a router has two replicas", "router", {"replicas": 2}, {"replicas": 1}, "replicas"),
    _spec("a router is LiteLLM", "provider", "LiteLLM", "Envoy", "provider"),
    _spec(
        "a tenant occurs once",
        "attribution",
        {"tenants": [{"name": "shop", "keySecretRef": {"name": "shop"}}]},
        {"tenants": [{"name": "shop", "keySecretRef": {"name": "shop"}}] * 2},
        "uplicate",
    ),
    _spec(
        "a header's name is lower case",
        "attribution",
        {"header": "x-feature"},
        {"header": "X Feature"},
        "header",
    ),
)
