"""How LiteLLM reaches the tiers of a route, and which of them stands in for which."""

from fractions import Fraction
from typing import Any, Final, assert_never

from costpolicy.manifests.identity import HTTP_PORT
from costpolicy.manifests.router.inputs import External, Route, RoutedTier, Router, SelfHosted, TokenPrices
from costpolicy.manifests.router.secrets import provider_variables
from costpolicy.units import MICROS_PER_UNIT, Money

NO_KEY: Final = "none"
"""Clients of the OpenAI API want a key, whether the server asks for one or not."""
ALLOWED_FAILURES: Final = 5
"""Failures in a cooldown's time after which a model is left alone for as long, where another one can answer."""
_MILLION: Final = 1_000_000


def model_list(router: Router) -> list[dict[str, Any]]:
    """Return LiteLLM's models: each route, which is its trusted tier, and each tier by its own name."""
    variables = provider_variables(router)
    models = []
    for route in router.routes:
        trusted = next(tier for tier in route.tiers if tier.name == route.trusted)
        for name, tier in ((route.name, trusted), *((tier_model(route, tier.name), tier) for tier in route.tiers)):
            key = (
                variables.get(tier.backend.api_key)
                if isinstance(tier.backend, External) and tier.backend.api_key
                else None
            )
            models.append(
                {
                    "model_name": name,
                    "litellm_params": {**_parameters(tier, router.namespace, key), "max_retries": 0},
                    "model_info": {"id": name, "mode": "chat", **_costs(tier.prices), **_patience(route)},
                }
            )
    return models


def fallbacks(router: Router) -> list[dict[str, list[str]]]:
    """Return, by model, the models that answer in its stead, in their order; models without any are absent."""
    found = []
    for route in router.routes:
        for name, tier in (
            (route.name, route.trusted),
            *((tier_model(route, tier.name), tier.name) for tier in route.tiers),
        ):
            others = [tier_model(route, other) for other in stand_ins(route, tier)]
            if others:
                found.append({name: others})
    return found


def stand_ins(route: Route, name: str) -> tuple[str, ...]:
    """Return the tiers that answer when one does not: those it names, else stronger ones, then weaker ones, nearest first."""
    names = [tier.name for tier in route.tiers]
    position = names.index(name)
    return route.tiers[position].fallbacks or (*names[position + 1 :], *reversed(names[:position]))


def tier_model(route: Route, tier: str) -> str:
    """Return the name of a tier as a model of its own."""
    return f"{route.name}/{tier}"


def _parameters(tier: RoutedTier, namespace: str, variable: str | None) -> dict[str, Any]:
    match tier.backend:
        case SelfHosted(policy=policy, model=model):
            host = f"{policy}.{namespace}.svc" if namespace else policy
            # LiteLLM's provider for vLLM passes on what only vLLM knows; that for OpenAI judges models by their names.
            return {"model": f"hosted_vllm/{model}", "api_base": f"http://{host}:{HTTP_PORT}/v1", "api_key": NO_KEY}
        case External(provider=provider, model=model, base_url=base_url):
            parameters = {"model": f"{provider}/{model}"}
            if base_url:
                parameters["api_base"] = base_url
            if variable is not None:
                parameters["api_key"] = f"os.environ/{variable}"
            elif base_url:
                parameters["api_key"] = NO_KEY
            return parameters
        case _:
            assert_never(tier.backend)


def _costs(prices: TokenPrices | None) -> dict[str, float]:
    if prices is None:
        return {}
    costs = {"input_cost_per_token": _per_token(prices.input), "output_cost_per_token": _per_token(prices.output)}
    if prices.cached_input is not None:
        costs["cache_read_input_token_cost"] = _per_token(prices.cached_input)
    return costs


def _per_token(price: Money) -> float:
    """Return units of the currency for one token, as LiteLLM reckons: it decides nothing, and no budget of ours reads it."""
    return float(Fraction(price.micros, MICROS_PER_UNIT * _MILLION))


def _patience(route: Route) -> dict[str, int]:
    """Return the setting with which LiteLLM never leaves a lone model alone: nobody else would answer."""
    return {"allowed_fails": ALLOWED_FAILURES} if len(route.tiers) == 1 else {}
