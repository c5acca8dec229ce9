"""What ``costpolicy audit --prometheus`` says of the limits that clients ask for, by feature, where routers see them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never

from costpolicy.api.missing import Missing
from costpolicy.cli.console import Console, InputError
from costpolicy.observe.feature_lengths import FeatureLengths, Histogram, feature_lengths
from costpolicy.observe.prometheus import PrometheusSource
from costpolicy.observe.scope import Scope
from costpolicy.observe.source import MetricsUnavailable
from costpolicy.savings.audit.feature_limits import Cap, Feature, Judged, Seen, WellAsked, judge
from costpolicy.savings.audit.lengths import Lengths, lengths

_NOTHING = Lengths(bounds=(), cumulative=(), tokens=0.0)


def asked_features(url: str, now: datetime, window: timedelta | None) -> list[dict[str, Any]]:
    """Return the JSON answer: a row for each feature of each route, those that generate most beyond their cap first.

    Raises:
        InputError: the Prometheus cannot be asked.
    """
    try:
        with PrometheusSource(url, timeout=timedelta(seconds=30)) as source:
            found = feature_lengths(source, Scope(), now, window or timedelta(hours=24))
    except MetricsUnavailable as error:
        raise InputError(f"{url}: {error}") from error
    rows = [_row(Feature(*key), judge(_seen(counted))) for key, counted in sorted(found.items())]
    return sorted(rows, key=lambda row: -(row["shareBeyond"] or 0.0))


def print_features(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """Print a line for each cap that is worth setting, and on standard error what could not be judged."""
    for row in rows:
        name = f"{row['namespace']}/{row['route']} {row['feature']}"
        if row["maxTokens"] is not None:
            console.print(
                f"{name}: {row['evidence']}; cap them at {row['maxTokens']}, which cuts {row['cutShare']:.1%}: "
                f"outputLength.features of ModelRoute {row['route']}"
            )
        elif row["reason"]:
            console.note(f"costpolicy: {name}: {row['reason']}")


def _row(feature: Feature, judged: Judged) -> dict[str, Any]:
    named = {"namespace": feature.namespace, "route": feature.route, "feature": feature.name}
    unsaid: dict[str, Any] = dict.fromkeys(
        ("maxTokens", "cutShare", "shareBeyond", "askedTokens", "evidence", "reason")
    )
    match judged:
        case Cap():
            return {
                **named,
                "maxTokens": judged.max_tokens,
                "cutShare": round(judged.cuts, 4),
                "shareBeyond": round(judged.beyond, 4),
                "askedTokens": None if judged.asked is None else round(judged.asked, 1),
                "evidence": judged.evidence,
                "reason": None,
            }
        case WellAsked():
            return {**named, **unsaid}
        case Missing():
            return {**named, **unsaid, "reason": judged.message}
        case _:
            assert_never(judged)


def _seen(counted: FeatureLengths) -> Seen:
    return Seen(asked=_read(counted.asked), generated=_read(counted.generated), cut=counted.cut)


def _read(histogram: Histogram) -> Lengths:
    return lengths(histogram.buckets, histogram.tokens) or _NOTHING
