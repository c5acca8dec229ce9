"""Tiers as they can be served today: by which model, at which price, and what keeps one from answering."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, Literal

from costpolicy.api.conditions import ConditionType, find
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.model_route_status import TierTokenPrice
from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.api.route_tiers import ExternalModel, TierSpec
from costpolicy.api.validation import Problem
from costpolicy.catalog.prices import PriceList
from costpolicy.manifests.router.inputs import Backend, External, SelfHosted, TokenPrices
from costpolicy.units import Money

STEADY: Final = Fraction(1, 10)
"""A policy's price within a tenth of the one in force leaves it: each new price is a new configuration, and rolls the router."""
LASTS: Final = timedelta(days=1)
"""A policy's price holds that long, whatever the load does to the cost of a token meanwhile."""
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """What a million tokens of a tier cost, how that is known, and, of a policy's tokens, since when they count at it."""

    prices: TokenPrices
    basis: Literal["Measured", "Planned", "PriceBook"]
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedTier:
    """A tier that the router can be told.

    Attributes:
        price: or why it is not known.
        waiting: why nobody answers there at the moment; empty: somebody does.
    """

    spec: TierSpec
    backend: Backend
    price: Priced | Problem
    waiting: str = ""

    @property
    def name(self) -> str:
        """Name of the tier."""
        return self.spec.name


def served_tiers(
    route: ModelRoute, policies: Mapping[str, CostPolicy], prices: PriceList, now: datetime
) -> dict[str, ServedTier | Problem]:
    """Return each tier of a route by name, in order; of one that cannot be served, why."""
    before = {tier.name: tier.price_per_million for tier in route.status.tiers} if route.status else {}
    return {
        tier.name: _external(tier, tier.external, prices)
        if tier.external is not None
        else _self_hosted(tier, policies, before.get(tier.name), now)
        for tier in route.spec.tiers
    }


def _external(tier: TierSpec, model: ExternalModel, prices: PriceList) -> ServedTier:
    return ServedTier(
        spec=tier,
        backend=External(
            provider=model.provider, model=model.model, base_url=model.base_url or "", api_key=model.api_key_secret_ref
        ),
        price=_book_price(tier, model, prices),
    )


def _book_price(tier: TierSpec, model: ExternalModel, prices: PriceList) -> Priced | Problem:
    for price in prices.token_prices:
        if (price.provider, price.model) == (model.provider, model.model):
            cached = price.cached_input_per_million
            found = TokenPrices(
                input=Money.parse(price.input_per_million),
                output=Money.parse(price.output_per_million),
                cached_input=None if cached is None else Money.parse(cached),
            )
            return Priced(prices=found, basis="PriceBook")
    return Problem(
        reason=Reason.NO_TOKEN_PRICE,
        message=f"tier {tier.name}: no price book prices the tokens of {model.model} of {model.provider}; add it to "
        "spec.tokenPrices of a PriceBook",
    )


def _self_hosted(
    tier: TierSpec, policies: Mapping[str, CostPolicy], before: TierTokenPrice | None, now: datetime
) -> ServedTier | Problem:
    name = tier.policy_ref.name if tier.policy_ref else ""
    policy = policies.get(name)
    if policy is None:
        return Problem(
            reason=Reason.POLICY_NOT_FOUND,
            message=f"tier {tier.name}: there is no CostPolicy {name} in this namespace; create it, or correct policyRef.name",
        )
    if policy.spec.model is None:
        return Problem(
            reason=Reason.POLICY_ONLY_ADVISES,
            message=f"tier {tier.name}: CostPolicy {name} only advises on somebody else's Deployment; name its Service as an "
            "external tier with baseURL",
        )
    return ServedTier(
        spec=tier,
        backend=SelfHosted(policy=name, model=policy.spec.model.name),
        price=_hosting_price(tier, policy, before, now),
        waiting=_waiting(policy),
    )


def _waiting(policy: CostPolicy) -> str:
    """Return why a policy's engines do not answer; empty: at least one does."""
    status = policy.status
    if status is not None and status.current is not None and status.current.ready_replicas > 0:
        return ""
    ready = find(status.conditions, ConditionType.READY) if status else None
    return (
        f"{ready.reason}: {ready.message}" if ready and ready.message else ready.reason if ready else "not planned yet"
    )


def _hosting_price(
    tier: TierSpec, policy: CostPolicy, before: TierTokenPrice | None, now: datetime
) -> Priced | Problem:
    """Return the price in force while it lasts, and while the policy says none; else the one of now."""
    held = _held(before)
    if held is not None and held.since is not None and now - held.since < LASTS:
        return held
    found = _cost_of_tokens(policy, now)
    if found is None and held is not None:
        return held
    if found is not None and held is not None and _alike(found, held):
        return held
    return found or Problem(
        reason=Reason.TIER_NOT_READY,
        message=f"tier {tier.name}: CostPolicy {policy.metadata.name} has neither a plan nor a measured cost yet",
    )


def _measured(policy: CostPolicy) -> Money | None:
    """Return what accelerators cost over the tokens that they served, a million of them, as measured."""
    measurement = policy.status.measurement if policy.status else None
    window = measurement.current if measurement else None
    if window is None:
        return None
    tokens = window.prompt_tokens + window.output_tokens
    return Money.parse(window.total_cost).scaled(_MILLION, tokens) if tokens else None


def _held(before: TierTokenPrice | None) -> Priced | None:
    """Return the price in force of a policy's tokens; those of a price book are read from it."""
    if before is None or before.basis == "PriceBook":
        return None
    return Priced(prices=_flat(Money.parse(before.input)), basis=before.basis, since=before.since)


def _cost_of_tokens(policy: CostPolicy, now: datetime) -> Priced | None:
    measured = _measured(policy)
    if measured is not None:
        return Priced(prices=_flat(measured), basis="Measured", since=now)
    target = policy.status.target if policy.status else None
    if target is None or target.cost_per_million_tokens is None:
        return None
    return Priced(prices=_flat(Money.parse(target.cost_per_million_tokens)), basis="Planned", since=now)


def _alike(found: Priced, held: Priced) -> bool:
    apart = abs(found.prices.input.micros - held.prices.input.micros)
    return found.basis == held.basis and apart <= held.prices.input.micros * STEADY


def _flat(price: Money) -> TokenPrices:
    """An accelerator's hour costs the same whatever kind of token it is spent on."""
    return TokenPrices(input=price, output=price)
