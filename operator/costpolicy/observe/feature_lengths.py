"""What routers saw of each feature: limits that clients ask for, tokens of answers, answers that were cut.

One question a figure, for people and not for every cycle of an operator.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from costpolicy.observe.router_metrics import RouterMetric, grown
from costpolicy.observe.scope import Scope, promql_duration
from costpolicy.observe.source import MetricsSource

FeatureKey: TypeAlias = tuple[str, str, str]
"""Namespace, route, feature."""

_FEATURE: Final = ("namespace", "route", "feature")


@dataclass(slots=True)
class Histogram:
    """Token counts: requests up to each ``le``, and the sum of their tokens."""

    buckets: dict[str, float] = field(default_factory=dict)
    tokens: float = 0.0


@dataclass(slots=True)
class FeatureLengths:
    """Of one feature; histograms without buckets where nothing was counted."""

    asked: Histogram = field(default_factory=Histogram)
    generated: Histogram = field(default_factory=Histogram)
    cut: float = 0.0


def feature_lengths(
    source: MetricsSource, scope: Scope, at: datetime, window: timedelta
) -> Mapping[FeatureKey, FeatureLengths]:
    """Return what routers counted in the window before a moment, by feature.

    Raises:
        MetricsUnavailable: a question could not be asked.
    """
    found: dict[FeatureKey, FeatureLengths] = defaultdict(FeatureLengths)
    for metric in (RouterMetric.ASKED_TOKENS, RouterMetric.GENERATED_TOKENS):
        for sample in source.query(_grown(scope, f"{metric}_bucket", window, "le"), at):
            _of(found[_key(sample.labels)], metric).buckets[sample.labels.get("le", "")] = sample.value
        for sample in source.query(_grown(scope, f"{metric}_sum", window), at):
            _of(found[_key(sample.labels)], metric).tokens = sample.value
    for sample in source.query(_grown(scope, RouterMetric.CUT, window), at):
        found[_key(sample.labels)].cut = sample.value
    return dict(found)


def _of(lengths: FeatureLengths, metric: RouterMetric) -> Histogram:
    return lengths.asked if metric is RouterMetric.ASKED_TOKENS else lengths.generated


def _key(labels: Mapping[str, str]) -> FeatureKey:
    namespace, route, feature = (labels.get(label, "") for label in _FEATURE)
    return namespace, route, feature


def _grown(scope: Scope, name: str, window: timedelta, *split: str) -> str:
    each = grown(scope, scope.selector(name), promql_duration(window), "feature", *split)
    return f"sum {scope.by(*_FEATURE, *split)} ({each})"
