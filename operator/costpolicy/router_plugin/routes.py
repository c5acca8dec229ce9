"""What the operator decided, as it lies beside the router's configuration: ``routes.json``, read and checked.

What the file says is proven and allowed now (docs/decisions/0033-the-router.md); a file that cannot be read as a whole
counts for nothing, so nothing is ever routed by half of a decision.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from .compression import Limits

VERSION: Final = 1
FILE: Final = "routes.json"

_Document: TypeAlias = Mapping[str, Any]


class RoutesError(ValueError):
    """The text is not what the operator writes; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One model of a route.

    Attributes:
        policy: the CostPolicy that serves it; empty for tiers of other providers.
        below: score below which this tier may answer, 0 to 1; ``None``: nothing comes here by score.
        coefficients: name of the file with the coefficients of that score; empty: there is none.
    """

    name: str
    policy: str
    below: float | None
    coefficients: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The most that answers may take, in tokens, and what ends them; ``max_tokens`` ``None``: as clients ask."""

    max_tokens: int | None
    stop: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Which requests are written down.

    Attributes:
        share: of requests, 0 to 1.
        per_day: the most a day, of all replicas that share the folder.
        folder: where to.
        retention_seconds: age at which they are deleted.
        compression: what samples are to show to be harmless, whether it is in force or not; ``None``: nothing.
    """

    share: float
    per_day: int
    folder: str
    retention_seconds: int
    compression: Limits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What clients ask for as one model.

    Attributes:
        name: the model name that clients ask for.
        trusted: name of the tier that answers when nothing is proven.
        tiers: from the one for the simplest prompts on.
        coefficients: name of the file with the score's coefficients, for tiers that have none of their own.
        features: what may stand in the label ``feature``.
        caps: by feature; the key ``""`` holds for all that have none of their own.
    """

    name: str
    trusted: Tier
    tiers: tuple[Tier, ...]
    coefficients: str
    features: frozenset[str]
    caps: Mapping[str, Cap]
    compression: Limits | None
    sampling: Sampling | None

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the files with coefficients, each once: the route's, then those of tiers."""
        named = (self.coefficients, *(tier.coefficients for tier in self.tiers))
        return tuple(name for name in dict.fromkeys(named) if name)

    def model_of(self, tier: Tier) -> str:
        """Return what the router calls a tier: the route itself is the trusted one."""
        return self.name if tier is self.trusted else f"{self.name}/{tier.name}"

    def tier_of(self, model: str) -> Tier:
        """Return the tier behind a name of the router's; the trusted one for names that say nothing else."""
        return next((tier for tier in self.tiers if model == f"{self.name}/{tier.name}"), self.trusted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Who may use which routes.

    Attributes:
        variable: name of the environment variable that holds the key.
    """

    name: str
    variable: str
    routes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The whole file."""

    feature_header: str
    metrics_port: int
    routes: Mapping[str, Route]
    tenants: tuple[Tenant, ...]

    def route_of(self, model: object) -> Route | None:
        """Return the route that a model's name is, or is a tier of."""
        return self.routes.get(model.split("/", 1)[0]) if isinstance(model, str) else None


def parse_routes(text: str) -> Routing:
    """Read ``routes.json``.

    Raises:
        RoutesError: it is not JSON, of another version, or something in it is missing or contradicts itself.
    """
    try:
        document = _of_this_version(json.loads(text))
        return Routing(
            feature_header=str(document["featureHeader"]).lower(),
            metrics_port=int(document["metricsPort"]),
            routes={name: _route(name, route) for name, route in document["routes"].items()},
            tenants=tuple(_tenant(tenant, document["routes"]) for tenant in document.get("tenants", ())),
        )
    except RoutesError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise RoutesError(f"not a router's routes: {type(error).__name__}: {error}") from error


def _of_this_version(document: _Document) -> _Document:
    if document["version"] != VERSION:
        raise RoutesError(f"version {document['version']!r} is not {VERSION}")
    return document


def _route(name: str, document: _Document) -> Route:
    coefficients = str(document.get("coefficients", ""))
    tiers = tuple(_tier(tier, coefficients) for tier in document["tiers"])
    trusted = [tier for tier in tiers if tier.name == document["trusted"]]
    if len(trusted) != 1:
        raise RoutesError(f"route {name}: one tier must be the trusted one, {document['trusted']!r}")
    thresholds = [tier.below for tier in tiers if tier.below is not None]
    if thresholds != sorted(thresholds):
        raise RoutesError(f"route {name}: thresholds must rise from tier to tier")
    return Route(
        name=name,
        trusted=trusted[0],
        tiers=tiers,
        coefficients=coefficients,
        features=frozenset(map(str, document.get("features", ()))),
        caps={feature: _cap(cap) for feature, cap in document.get("caps", {}).items()},
        compression=_compression(document.get("compression")),
        sampling=_sampling(document.get("sampling")),
    )


def _tier(document: _Document, coefficients: str) -> Tier:
    below = document.get("below")
    if below is not None and not 0 <= float(below) <= 1:
        raise RoutesError(f"tier {document['name']}: a threshold lies between 0 and 1, not at {below}")
    return Tier(
        name=str(document["name"]),
        policy=str(document.get("policy", "")),
        below=None if below is None else float(below),
        coefficients=str(document.get("coefficients", coefficients)),
    )


def _cap(document: _Document) -> Cap:
    most = document.get("maxTokens")
    if most is not None and int(most) < 1:
        raise RoutesError(f"a cap must be a token at least, not {most}")
    return Cap(max_tokens=None if most is None else int(most), stop=_texts(document.get("stop", ())))


def _compression(document: _Document | None) -> Limits | None:
    if document is None:
        return None
    limits = Limits(minimum=int(document["minimum"]), ratio=float(document["ratio"]))
    if not 0 < limits.ratio <= 1:
        raise RoutesError(f"the share to keep lies between 0 and 1, not at {limits.ratio}")
    return limits


def _sampling(document: _Document | None) -> Sampling | None:
    if document is None:
        return None
    return Sampling(
        share=float(document["share"]),
        per_day=int(document["perDay"]),
        folder=str(document["folder"]),
        retention_seconds=int(document["retentionSeconds"]),
        compression=_compression(document.get("compression")),
    )


def _tenant(document: _Document, routes: _Document) -> Tenant:
    allowed = frozenset(_texts(document["routes"]))
    if unknown := sorted(allowed - routes.keys()):
        raise RoutesError(f"tenant {document['name']}: there is no route {', '.join(unknown)}")
    return Tenant(name=str(document["name"]), variable=str(document["variable"]), routes=allowed)


def _texts(given: Sequence[Any]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise RoutesError(f"a list is needed, not {given!r}")
    return tuple(map(str, given))
