"""The status of a route, from its view and its conditions."""

from datetime import datetime
from fractions import Fraction

from costpolicy.api.conditions import merge_conditions
from costpolicy.api.model_route_status import (
    CompressionStatus,
    ModelRouteStatus,
    RouteCalibrationStatus,
    RouterStatus,
    RouteSavings,
    TierStatus,
    TierTokenPrice,
)
from costpolicy.api.validation import Problem
from costpolicy.manifests.router.identity import ROUTER
from costpolicy.manifests.router.inputs import External
from costpolicy.reconcile.routes.compression import Compressing
from costpolicy.reconcile.routes.compression_savings import compression_savings
from costpolicy.reconcile.routes.conditions import RouteAnswer, conditions
from costpolicy.reconcile.routes.thresholds import Threshold, calibration_of, proven_threshold
from costpolicy.reconcile.routes.tiers import Priced, ServedTier
from costpolicy.reconcile.routes.view import RouteView
from costpolicy.routing.compression_proof import Pairs


def status_of(answer: RouteAnswer, now: datetime) -> ModelRouteStatus:
    """Return the status that says what is served, and why."""
    view, before = answer.view, answer.view.route.status or ModelRouteStatus()
    spent = view.spending
    routed = sum((spent.shares.get(one.tier, Fraction(0)) for one in view.thresholds), Fraction(0))
    status = ModelRouteStatus(
        observed_generation=view.route.metadata.generation,
        conditions=merge_conditions(before.conditions, conditions(answer), now),
        tiers=tuple(_tier(view, name) for name in view.tiers),
        routed=_percent(routed),
        blended_per_million_tokens=spent.blended.text() if spent.blended is not None else None,
        currency=answer.currency,
        savings=_savings(view),
        calibration=_calibration(view),
        compression=_compression(view.compressing),
        router=RouterStatus(name=ROUTER, configuration=answer.configuration, ready_replicas=answer.state.ready)
        if answer.configuration or answer.state.exists
        else None,
    )
    return _as_seen_before(status, before) if answer.metrics_down else status


def _as_seen_before(status: ModelRouteStatus, before: ModelRouteStatus) -> ModelRouteStatus:
    """Return a status with the shares that were seen last: a question that cannot be asked changes no figure."""
    if before.savings is None or before.savings.basis != "Seen":
        return status
    shares = {tier.name: tier.share for tier in before.tiers}
    return status.model_copy(
        update={
            "tiers": tuple(
                tier.model_copy(update={"share": shares.get(tier.name, tier.share)}) for tier in status.tiers
            ),
            "routed": before.routed,
            "blended_per_million_tokens": before.blended_per_million_tokens,
            "savings": before.savings,
        }
    )


def _tier(view: RouteView, name: str) -> TierStatus:
    tier = view.tiers[name]
    threshold = next((one for one in view.thresholds if one.tier == name), None)
    share = view.spending.shares.get(name)
    return TierStatus(
        name=name,
        model=_model(tier) if isinstance(tier, ServedTier) else "",
        below=_plain(threshold.below) if threshold and threshold.below is not None else "",
        verdict=_verdict(threshold) if threshold else "",
        proven=proven_threshold(threshold.proof) if threshold and threshold.proof else None,
        why_not=_why_not(tier, threshold),
        price_per_million=_price(tier),
        share=_percent(share) if share is not None else "",
    )


def _why_not(tier: ServedTier | Problem, threshold: Threshold | None) -> str:
    if isinstance(tier, Problem):
        return tier.message
    if threshold is not None and threshold.problem is not None:
        return threshold.problem.message
    asked = Fraction(tier.spec.complexity_below or "0")
    if threshold is not None and threshold.below is not None and threshold.below < asked:
        return f"{_plain(asked)} was asked for, {_plain(threshold.below)} is proven"
    return ""


def _model(tier: ServedTier) -> str:
    backend = tier.backend
    return f"{backend.provider}/{backend.model}" if isinstance(backend, External) else backend.model


def _verdict(threshold: Threshold) -> str:
    return threshold.distrust.reason if threshold.distrust else "Proven"


def _price(tier: ServedTier | Problem) -> TierTokenPrice | None:
    if isinstance(tier, Problem) or not isinstance(tier.price, Priced):
        return None
    prices = tier.price.prices
    return TierTokenPrice(
        input=prices.input.text(),
        output=prices.output.text(),
        cached_input=prices.cached_input.text() if prices.cached_input is not None else None,
        basis=tier.price.basis,
        since=tier.price.since,
    )


def _savings(view: RouteView) -> RouteSavings | None:
    spent = view.spending
    compression = compression_savings(view.compressing, view.removed)
    if spent.against_dearest is None and compression is None:
        return None
    dearest, current = spent.against_dearest, spent.against_current
    return RouteSavings(
        against_dearest=_percent(dearest) if dearest is not None else "",
        against_current=_percent(current) if current is not None else "",
        dearest=spent.dearest,
        basis=spent.basis,
        compression=compression,
    )


def _calibration(view: RouteView) -> RouteCalibrationStatus | None:
    if not view.thresholds:
        return None
    first = view.thresholds[0]
    return RouteCalibrationStatus(
        config_map=calibration_of(view.route).get(first.tier, ""),
        verdict=_verdict(first),
        message=first.distrust.message if first.distrust else first.proof.message if first.proof else "",
        labelling_per_day=view.labelling_per_day.text() if view.labelling_per_day is not None else None,
    )


def _compression(found: Compressing | None) -> CompressionStatus | None:
    if found is None:
        return None
    evidence = found.evidence
    pairs = evidence.pairs if evidence else Pairs()
    return CompressionStatus(
        verdict=found.problem.reason if found.problem else "Proven",
        message=found.message,
        config_map=found.config_map,
        pairs=pairs.judged,
        lost=pairs.lost,
        needed=found.needed,
        loss_bound=f"{pairs.at_most:.2%}" if pairs.judged else "",
        date=evidence.date.isoformat() if evidence else "",
    )


def _plain(share: Fraction) -> str:
    return f"{float(share):g}"


def _percent(share: Fraction, places: int = 0) -> str:
    return f"{float(share) * 100:.{places}f}%"
