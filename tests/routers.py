"""Routers as the operator decides them, with keyword overrides: a test states only what it is about."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

from costpolicy.api.objects import SecretKeyRef
from costpolicy.api.operation import Judge
from costpolicy.manifests.router.inputs import (
    Backend,
    Cap,
    Compression,
    External,
    Renewal,
    RenewedCompression,
    RenewedTier,
    Route,
    RoutedTier,
    Router,
    Sampling,
    SelfHosted,
    Tenant,
    TokenPrices,
)
from costpolicy.units import Money

LIMITS = Compression(minimum=4000, ratio=Fraction(1, 2))
IMAGE = "ghcr.io/berriai/litellm@sha256:" + "0" * 64


def secret(name: str, key: str = "key") -> SecretKeyRef:
    """A key of a Secret."""
    return SecretKeyRef(name=name, key=key)


def prices(given: str = "0.10", answered: str = "0.40", cached: str | None = None) -> TokenPrices:
    """What a million tokens cost."""
    return TokenPrices(
        input=Money.parse(given), output=Money.parse(answered), cached_input=Money.parse(cached) if cached else None
    )


def hosted(policy: str = "llama-8b", model: str = "llama") -> SelfHosted:
    """A policy of the same namespace."""
    return SelfHosted(policy=policy, model=model)


def provider(model: str = "gpt-large", base_url: str = "", api_key: SecretKeyRef | None = None) -> External:
    """A provider of the OpenAI API."""
    return External(provider="openai", model=model, base_url=base_url, api_key=api_key)


def tier(name: str = "small", backend: Backend | None = None, **fields: Any) -> RoutedTier:
    """A tier that a policy serves."""
    return RoutedTier(**({"name": name, "backend": backend or hosted(), "prices": prices()} | fields))


def route(name: str = "chat", **fields: Any) -> Route:
    """A small tier of a policy's and a large one of a provider's, which is trusted."""
    tiers = (tier(), tier("large", provider(api_key=secret("provider")), prices=prices("2.50", "10", "0.25")))
    return Route(**({"name": name, "uid": f"{name}-uid", "tiers": tiers, "trusted": "large"} | fields))


def router(*routes: Route, **fields: Any) -> Router:
    """The router of a namespace; without arguments it has one route."""
    smallest = {"namespace": "shop", "image": IMAGE, "replicas": 2, "master_key": secret("costpolicy-router")}
    return Router(**(smallest | {"routes": routes or (route(),)} | fields))


def full_router() -> Router:
    """A router in which everything is used: three tiers, two routes, tenants, caps, compression and samples."""
    tiers = (
        tier(below=Fraction(3, 10)),
        tier("medium", hosted("llama-70b", "llama-large"), below=Fraction(7, 10), coefficients='{"of": "medium"}'),
        tier("large", provider(api_key=secret("provider")), prices=prices("2.50", "10", "0.25")),
    )
    chat = route(
        tiers=tiers,
        coefficients='{"of": "chat"}',
        features=("search", "support"),
        caps={"search": Cap(max_tokens=300, stop=("\n\n",)), "": Cap(max_tokens=2000)},
        compression=LIMITS,
        sampling=Sampling(
            share=Fraction(1, 100),
            per_day=500,
            claim="traffic",
            retention=timedelta(days=30),
            compression=LIMITS,
        ),
    )
    mail = route(
        "mail", tiers=(tier(), tier("elsewhere", provider("other", "https://llm.example:8443/v1"))), trusted="small"
    )
    tenants = (
        Tenant(name="shop", key=secret("shop"), routes=("chat",)),
        Tenant(name="desk", key=secret("desk"), routes=("chat", "mail")),
    )
    return router(
        chat,
        mail,
        tenants=tenants,
        replicas=3,
        image_pull_secrets=("registry",),
        renewals=(renewal(),),
        operator_image="costpolicy.example/operator:1",
    )


def renewal() -> Renewal:
    """The route of :func:`full_router` with two tiers and a compression to prove, by a judging model."""
    key = {"name": "judge", "key": "k"}
    judge = {"type": "Model", "model": {"baseURL": "https://judge.example/v1", "model": "big", "apiKeySecretRef": key}}
    return Renewal(
        route="chat",
        tiers=(
            RenewedTier(name="small", config_map="chat-calibration", max_loss=Fraction(1, 100)),
            RenewedTier(name="medium", config_map="chat-medium", max_loss=Fraction(1, 50)),
        ),
        schedule="0 3 * * *",
        judge=Judge.model_validate(judge),
        claim="traffic",
        per_day=200,
        keep=timedelta(days=30),
        compression=RenewedCompression(limits=LIMITS, config_map="chat-calibration", max_loss=Fraction(1, 100)),
    )
