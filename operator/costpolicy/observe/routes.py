"""What the routers of ModelRoutes count: tokens by tier, how complex prompts are, and what compression left out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from costpolicy.observe.router_metrics import CacheKind, RouterMetric, TokenKind, grown
from costpolicy.observe.scope import Scope
from costpolicy.observe.source import Sample

TRAFFIC_WINDOW: Final = "1d"
"""A whole day, so that the hour of the day does not show in shares."""
TENTHS: Final = 10

RouteKey: TypeAlias = tuple[str, str]
"""Namespace and name of a ModelRoute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTokens:
    """Tokens of answered requests; ``cached`` are among those of the prompt."""

    prompt: int = 0
    cached: int = 0
    output: int = 0

    @property
    def total(self) -> int:
        """Prompt and generated tokens."""
        return self.prompt + self.output


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedTokens:
    """Tokens that compression left out: computed otherwise, found in the prefix cache otherwise, or not known which."""

    missed: int = 0
    hit: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.missed + self.hit + self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTraffic:
    """A day of a route.

    Attributes:
        tokens: by tier.
        scores: requests by tenth of their complexity, from the simplest.
        removed: tokens that compression left out.
    """

    tokens: Mapping[str, TierTokens] = field(default_factory=dict)
    scores: tuple[int, ...] = (0,) * TENTHS
    removed: RemovedTokens = field(default_factory=RemovedTokens)


def route_traffic(scope: Scope) -> str:
    """Tokens of a day by ``namespace, route, tier, kind``, requests by ``namespace, route, tenth``, and tokens that were left out
    by ``namespace, route, cache``.
    """
    tokens = _grown(scope, RouterMetric.TOKENS, ("tier", "kind"), "feature")
    scores = _grown(scope, RouterMetric.SCORES, ("tenth",))
    return f"{tokens} or {scores} or {_grown(scope, RouterMetric.REMOVED_TOKENS, ('cache',))}"


def _grown(scope: Scope, metric: RouterMetric, labels: tuple[str, ...], *within: str) -> str:
    each = grown(scope, scope.selector(metric), TRAFFIC_WINDOW, *labels, *within)
    return f"sum {scope.by('namespace', 'route', *labels)} ({each})"


def traffic_of(samples: Iterable[Sample]) -> Mapping[RouteKey, RouteTraffic]:
    """Return what was answered to :func:`route_traffic`, by route; samples of other questions are passed over."""
    tokens: dict[RouteKey, dict[str, dict[str, int]]] = {}
    scores: dict[RouteKey, dict[str, int]] = {}
    removed: dict[RouteKey, dict[str, int]] = {}
    for sample in samples:
        labels = sample.labels
        key = (labels.get("namespace", ""), labels.get("route", ""))
        if "tenth" in labels:
            scores.setdefault(key, {})[labels["tenth"]] = round(sample.value)
        elif "cache" in labels:
            removed.setdefault(key, {})[labels["cache"]] = round(sample.value)
        elif "tier" in labels:
            tier = tokens.setdefault(key, {}).setdefault(labels["tier"], {})
            tier[labels.get("kind", "")] = round(sample.value)
    return {
        key: RouteTraffic(
            tokens={
                tier: TierTokens(**{kind.value: kinds.get(kind, 0) for kind in TokenKind})
                for tier, kinds in tokens.get(key, {}).items()
            },
            scores=tuple(scores.get(key, {}).get(str(tenth), 0) for tenth in range(TENTHS)),
            removed=RemovedTokens(**{kind.value: removed.get(key, {}).get(kind, 0) for kind in CacheKind}),
        )
        for key in tokens.keys() | scores.keys() | removed.keys()
    }
