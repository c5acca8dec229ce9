"""One route as it is served today: its tiers, its thresholds, what its tokens cost, and what the router is told of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from costpolicy.api.missing import Missing
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.reasons import Reason
from costpolicy.api.route_validation import fallbacks, route_problems
from costpolicy.api.types import OutputLengthMode
from costpolicy.api.validation import Problem
from costpolicy.manifests.router.inputs import Cap, Route, RoutedTier, Sampling, TokenPrices
from costpolicy.observe.routes import RouteTraffic
from costpolicy.reconcile.routes.compression import Compressing, compressing, unproven, wanted_compression
from costpolicy.reconcile.routes.compression_savings import RemovedShares, removed_shares
from costpolicy.reconcile.routes.labelling import labelling_per_day
from costpolicy.reconcile.routes.snapshot import RoutesSnapshot
from costpolicy.reconcile.routes.spending import Spending, spending
from costpolicy.reconcile.routes.thresholds import Evidence, Threshold, thresholds
from costpolicy.reconcile.routes.tiers import Priced, ServedTier, served_tiers
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.units import Money, parse_duration, parse_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteView:
    """One route as it is served today.

    Attributes:
        tiers: by name, in order; of those that cannot be served, why.
        trusted: tier that answers whatever is not proven for another: the route's, or, where that cannot be served, the first
            of its fallbacks that can; empty: no tier can be served.
        problems: what only the user can mend, the gravest first.
        compressing: what becomes of long requests; ``None``: the route does not ask for it.
        removed: what compression saved in a day, or why that is not known.
        labelling_per_day: what labels of samples cost at most; ``None``: there are none, or it is not known.
        rendered: what the router is told; ``None``: nothing.
    """

    route: ModelRoute
    tiers: Mapping[str, ServedTier | Problem]
    trusted: str
    thresholds: tuple[Threshold, ...]
    spending: Spending
    problems: tuple[Problem, ...]
    compressing: Compressing | None
    removed: RemovedShares | Missing
    labelling_per_day: Money | None
    rendered: Route | None

    @property
    def served(self) -> tuple[ServedTier, ...]:
        """Tiers that can be served, in order."""
        return tuple(tier for tier in self.tiers.values() if isinstance(tier, ServedTier))


def view_of(route: ModelRoute, snapshot: RoutesSnapshot, conflict: Problem | None, now: datetime) -> RouteView:
    """Return a route as it is served.

    Args:
        route: of the snapshot.
        snapshot: of its namespace.
        conflict: why it cannot share the namespace's router.
        now: when this is decided.
    """
    tiers = served_tiers(route, snapshot.policies, snapshot.prices, now)
    counted = None if isinstance(snapshot.traffic, MetricsDown) else snapshot.traffic.get(route.metadata.name)
    found = thresholds(route, tiers, Evidence(proofs=snapshot.proofs, traffic=counted, now=now))
    trusted = _trusted(route, tiers)
    shortened = _compressing(route, snapshot, trusted, found, now)
    told = None if conflict or not trusted else _rendered(route, tiers, trusted, found)
    if told is not None and shortened is not None and shortened.problem is None:
        told = replace(told, compression=shortened.limits)
    return RouteView(
        route=route,
        tiers=tiers,
        trusted=trusted,
        thresholds=found,
        compressing=shortened,
        removed=removed_shares(counted, route.spec.trusted),
        labelling_per_day=labelling_per_day(route, _prices(tiers), counted),
        spending=spending(_prices(tiers), trusted or route.spec.trusted, found, counted, route.spec.current_tier),
        problems=tuple(_problems(route, tiers, conflict)),
        rendered=told,
    )


def _problems(
    route: ModelRoute, tiers: Mapping[str, ServedTier | Problem], conflict: Problem | None
) -> Iterator[Problem]:
    if conflict is not None:
        yield conflict
    yield from (tier for tier in tiers.values() if isinstance(tier, Problem))
    yield from route_problems(route)
    prices = (tier.price for tier in tiers.values() if isinstance(tier, ServedTier))
    yield from (price for price in prices if isinstance(price, Problem) and price.reason is Reason.NO_TOKEN_PRICE)


def _prices(tiers: Mapping[str, ServedTier | Problem]) -> dict[str, TokenPrices | None]:
    return {
        name: tier.price.prices if isinstance(tier, ServedTier) and isinstance(tier.price, Priced) else None
        for name, tier in tiers.items()
    }


def _trusted(route: ModelRoute, tiers: Mapping[str, ServedTier | Problem]) -> str:
    wanted = route.spec.trusted
    answering = (name for name in (wanted, *fallbacks(route.spec)[wanted]) if isinstance(tiers[name], ServedTier))
    return next(answering, "")


def _rendered(
    route: ModelRoute,
    tiers: Mapping[str, ServedTier | Problem],
    trusted: str,
    found: tuple[Threshold, ...],
) -> Route:
    proofs = [one.proof for one in found if one.proof is not None]
    coefficients = proofs[0].coefficients if proofs else ""
    limits = {one.tier: one for one in found}
    instead = fallbacks(route.spec)
    spec = route.spec
    return Route(
        name=route.metadata.name,
        uid=route.metadata.uid,
        tiers=tuple(
            _tier(tier, limits.get(tier.name), coefficients, _answering(instead[tier.name], tiers))
            for tier in tiers.values()
            if isinstance(tier, ServedTier)
        ),
        trusted=trusted,
        coefficients=coefficients,
        features=spec.attribution.features,
        caps=_caps(route),
        sampling=_sampling(route),
    )


def _answering(names: tuple[str, ...], tiers: Mapping[str, ServedTier | Problem]) -> tuple[str, ...]:
    return tuple(name for name in names if isinstance(tiers[name], ServedTier))


def _tier(tier: ServedTier, threshold: Threshold | None, coefficients: str, instead: tuple[str, ...]) -> RoutedTier:
    below = threshold.below if threshold else None
    own = threshold.proof.coefficients if threshold and threshold.proof and below is not None else coefficients
    return RoutedTier(
        name=tier.name,
        backend=tier.backend,
        prices=tier.price.prices if isinstance(tier.price, Priced) else None,
        below=below,
        fallbacks=instead,
        coefficients="" if own == coefficients else own,
    )


def _caps(route: ModelRoute) -> dict[str, Cap]:
    output = route.spec.output_length
    if output.mode is not OutputLengthMode.ENFORCE:
        return {}
    caps = {one.name: Cap(max_tokens=one.max_tokens, stop=one.stop) for one in output.features}
    if output.max_tokens is not None or output.stop:
        caps[""] = Cap(max_tokens=output.max_tokens, stop=output.stop)
    return caps


def _compressing(
    route: ModelRoute, snapshot: RoutesSnapshot, trusted: str, found: tuple[Threshold, ...], now: datetime
) -> Compressing | None:
    """Say what becomes of long requests; another tier that answers in the trusted one's place was never judged."""
    traffic = {} if isinstance(snapshot.traffic, MetricsDown) else snapshot.traffic
    scores = traffic.get(route.metadata.name, RouteTraffic()).scores
    shortened = compressing(route, snapshot.compressions, found, scores, now)
    if shortened is None or trusted == route.spec.trusted:
        return shortened
    return unproven(shortened, Reason.TIER_NOT_READY, f"the trusted tier {route.spec.trusted} cannot be served")


def _sampling(route: ModelRoute) -> Sampling | None:
    calibration = route.spec.calibration
    if calibration.samples is None or calibration.storage is None:
        return None
    return Sampling(
        share=parse_ratio(calibration.samples.share),
        per_day=calibration.samples.per_day,
        claim=calibration.storage.claim_name,
        retention=parse_duration(calibration.retention),
        compression=wanted_compression(route),
    )
