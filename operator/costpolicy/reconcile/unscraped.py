"""The load of engines that serve and are not scraped, taken from those that are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from costpolicy.kube.gateway import VARIANT_LABEL, Pod
from costpolicy.observe.observation import Figure, PolicyObservation, VariantObservation
from costpolicy.observe.source import Missing


def scrapable(pods: Iterable[Pod], now: datetime, rate_window: timedelta) -> Mapping[str, int]:
    """Return how many engines of each variant (by hash) have been ready for long enough to have been found by Prometheus
    and to have a rate.  That a younger one is not scraped yet says nothing about the others.
    """
    return Counter(
        pod.labels.get(VARIANT_LABEL, "")
        for pod in pods
        if pod.ready_since and not pod.terminating and pod.ready_since <= now - rate_window
    )


def with_unscraped(observed: PolicyObservation, engines: Mapping[str, int]) -> PolicyObservation:
    """Return the observation with the load of engines that are not scraped.

    The ready replicas of a variant share its traffic evenly, so what the seen ones are asked on average is what the unseen
    ones are.  A variant of which nothing is seen stays as it is: nothing says whether it gets traffic.
    """
    seen = tuple(_completed(variant, engines.get(variant.variant, 0)) for variant in observed.variants)
    return observed if seen == observed.variants else replace(observed, variants=seen)


def _completed(variant: VariantObservation, engines: int) -> VariantObservation:
    if not 0 < variant.pods_up < engines:
        return variant
    more = engines / variant.pods_up
    return replace(
        variant,
        requests_per_second=_times(variant.requests_per_second, more),
        waiting=_times(variant.waiting, more),
    )


def _times(figure: Figure, factor: float) -> Figure:
    return figure if isinstance(figure, Missing) else figure * factor
