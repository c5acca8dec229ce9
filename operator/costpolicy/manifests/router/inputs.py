"""What a namespace's router is told: its routes, their tiers, and who may use them.

Everything is decided already: thresholds are those that are proven today, prices those that are in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from typing import TypeAlias

from costpolicy.api.containers import ResourceRequirements
from costpolicy.api.objects import SecretKeyRef
from costpolicy.api.operation import Judge
from costpolicy.units import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    """What a million tokens of a tier cost; ``cached_input`` is ``None`` where cached tokens cost what others do."""

    input: Money
    output: Money
    cached_input: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfHosted:
    """A tier that a CostPolicy of the same namespace serves, through the policy's own Service.

    Attributes:
        policy: name of the policy, which is its Service's too.
        model: name under which its engines serve.
    """

    policy: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """A tier that somebody else serves.

    Attributes:
        provider: as LiteLLM and price books call it, such as ``openai``.
        model: as the provider calls it.
        base_url: root of its API; empty: the provider's own.
        api_key: the Secret that the kubelet hands to the router's pods; nobody of ours reads it.
    """

    provider: str
    model: str
    base_url: str = ""
    api_key: SecretKeyRef | None = None


Backend: TypeAlias = SelfHosted | External


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedTier:
    """One model of a route.

    Attributes:
        prices: ``None``: nobody states them; the tier serves all the same, and LiteLLM counts no cost of it.
        below: proven today for what scores below it and not below the tier before; ``None``: nothing is sent here by
            score, or, for the trusted tier, all the rest.
        fallbacks: names of tiers that answer when this one does not, in their order.
        coefficients: of the score that ``below`` is about, a JSON document; empty: the route's.
    """

    name: str
    backend: Backend
    prices: TokenPrices | None
    below: Fraction | None = None
    fallbacks: tuple[str, ...] = ()
    coefficients: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """Messages from this many characters on are shortened to this share of them."""

    minimum: int
    ratio: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The most that a feature's answers may take, and what ends them; ``max_tokens`` ``None``: as clients ask."""

    max_tokens: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Requests that another tier answers as well, for labels.

    Attributes:
        share: of requests.
        per_day: the most a day, over all replicas; what caps the cost.
        claim: the PersistentVolumeClaim that samples go to.
        retention: age at which they are deleted.
        compression: what samples are to show to be harmless, in force or not; ``None``: nothing.
    """

    share: Fraction
    per_day: int
    claim: str
    retention: timedelta
    compression: Compression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A ModelRoute as it is served today.

    Attributes:
        name: the model name that clients ask for.
        uid: of the ModelRoute; empty if it was never stored.
        tiers: from the one for the simplest prompts on.
        trusted: name of the tier that answers whatever is not proven, and everything when the callback fails.
        coefficients: of the score, a JSON document; empty: those that need no labels.
        features: what may stand in the label ``feature``; others count as ``other``, none as ``unattributed``.
        caps: by feature; the key ``""`` holds for all that have none of their own.
    """

    name: str
    uid: str = ""
    tiers: tuple[RoutedTier, ...]
    trusted: str
    coefficients: str = ""
    features: tuple[str, ...] = ()
    caps: Mapping[str, Cap] = field(default_factory=dict)
    compression: Compression | None = None
    sampling: Sampling | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Who may use which routes, by a key that lies in a Secret."""

    name: str
    key: SecretKeyRef
    routes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewedTier:
    """A tier whose threshold is proven anew.

    Attributes:
        config_map: that the route names for it.
        max_loss: what it may lose, as a share of the trusted tier's score.
    """

    name: str
    config_map: str
    max_loss: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewedCompression:
    """A compression that is proven anew, on answers of the trusted tier.

    Attributes:
        config_map: that the route names for it.
        max_loss: what it may lose, as a share of the trusted tier's score.
    """

    limits: Compression
    config_map: str
    max_loss: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """How a route's thresholds and its compression are proven anew, by a CronJob.

    Attributes:
        route: its name.
        tiers: some before the trusted one, in order; empty: there is a compression.
        schedule: cron expression of five fields.
        judge: how answers are compared.
        claim: where samples and labels lie.
        per_day: the most labels of a tier and day.
        keep: age at which labels go.
        compression: ``None``: there is none to prove.
    """

    route: str
    tiers: tuple[RenewedTier, ...]
    schedule: str
    judge: Judge
    claim: str
    per_day: int
    keep: timedelta
    compression: RenewedCompression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """The router of a namespace.

    Attributes:
        image: with its digest.
        routes: by name, in a fixed order.
        tenants: empty: whoever reaches the Service and has the master key may use every route.
        master_key: LiteLLM's administrator key.
        database: LiteLLM's own, for its budgets and virtual keys; ``None``: there are none.
        feature_header: header in which clients name the feature that asks.
        resources: of the router's container; ``None``: those that are usual for it.
        renewals: of routes that have a schedule for it.
        operator_image: what CronJobs of renewals run; empty: there is none, and they are not made.
    """

    namespace: str
    image: str
    replicas: int
    routes: tuple[Route, ...]
    tenants: tuple[Tenant, ...] = ()
    master_key: SecretKeyRef
    database: SecretKeyRef | None = None
    image_pull_secrets: tuple[str, ...] = ()
    feature_header: str = "x-costpolicy-feature"
    resources: ResourceRequirements | None = None
    renewals: tuple[Renewal, ...] = ()
    operator_image: str = ""
