"""Which routes are proven anew by a CronJob, and how (``spec.calibration.schedule``)."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.routing import Samples
from costpolicy.manifests.router.inputs import Renewal, RenewedCompression, RenewedTier, Route
from costpolicy.reconcile.routes.compression import compression_map_of, wanted_compression
from costpolicy.reconcile.routes.thresholds import calibration_of
from costpolicy.units import parse_duration, parse_ratio


def renewals(routes: Sequence[ModelRoute], rendered: Sequence[Route]) -> tuple[Renewal, ...]:
    """Return the renewals of the routes that are served and have a schedule, in the order of their names.

    A tier without a ConfigMap has nowhere to be proven, and with another tier than the trusted one labels would be of that.
    """
    served = {route.name: route for route in rendered}
    return tuple(_renewals(sorted(routes, key=lambda route: route.metadata.name), served))


def _renewals(routes: Sequence[ModelRoute], served: Mapping[str, Route]) -> Iterator[Renewal]:
    for route in routes:
        calibration, serving = route.spec.calibration, served.get(route.metadata.name)
        if calibration.schedule is None or calibration.storage is None or serving is None:
            continue
        tiers, compression = _tiers(route, serving), _compression(route, serving)
        if not tiers and compression is None:
            continue
        samples = calibration.samples or Samples()
        yield Renewal(
            route=serving.name,
            tiers=tiers,
            schedule=calibration.schedule,
            judge=samples.judge,
            claim=calibration.storage.claim_name,
            per_day=samples.per_day,
            keep=parse_duration(calibration.retention),
            compression=compression,
        )


def _tiers(route: ModelRoute, serving: Route) -> tuple[RenewedTier, ...]:
    """Return the tiers that can be proven."""
    named, part = _named(route, serving), _part(route, serving)
    ordered = (tier.name for tier in route.spec.tiers if tier.name in named)
    return tuple(RenewedTier(name=name, config_map=named[name], max_loss=part) for name in ordered)


def _compression(route: ModelRoute, serving: Route) -> RenewedCompression | None:
    limits, name = wanted_compression(route), compression_map_of(route)
    if limits is None or not name or serving.trusted != route.spec.trusted:
        return None
    return RenewedCompression(limits=limits, config_map=name, max_loss=_part(route, serving))


def _named(route: ModelRoute, serving: Route) -> Mapping[str, str]:
    """Return the ConfigMaps of tiers that can be proven."""
    if serving.trusted != route.spec.trusted:
        return {}
    can_serve = {tier.name for tier in serving.tiers}
    return {tier: name for tier, name in calibration_of(route).items() if tier in can_serve}


def _part(route: ModelRoute, serving: Route) -> Fraction:
    """Return what each tier, and compression, may lose: an equal part, because losses add up."""
    parts = len(_named(route, serving)) + (wanted_compression(route) is not None)
    return parse_ratio(route.spec.max_quality_loss) / max(1, parts)
