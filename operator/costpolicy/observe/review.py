"""A month of the whole fleet, read from the ledger's hours in seven questions, whatever the number of policies.

Days are those of UTC; a day is the sum of its hours of which it is known what was held.  Prometheus adds the hours up: a thousand
policies have three quarters of a million of them.  To read single hours is :mod:`costpolicy.observe.ledger`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

from costpolicy.observe.attribution import POLICY
from costpolicy.observe.exported import Recorded
from costpolicy.observe.ledger import LedgerFigure
from costpolicy.observe.queries import tagged
from costpolicy.observe.scope import Scope, promql_duration
from costpolicy.observe.source import MetricsSource, Sample
from costpolicy.observe.usual import KNOWN_SHARE
from costpolicy.units import HOUR, MICROS_PER_UNIT, Money

_DAY: Final = timedelta(days=1)
_HALF: Final = HOUR / 2
"""Subtracted from ranges of hours: with it, both ends of a range mean the same in every version of Prometheus."""
_SERVED: Final = (LedgerFigure.REQUESTS, LedgerFigure.PROMPT_TOKENS, LedgerFigure.OUTPUT_TOKENS)

PolicyKey: TypeAlias = tuple[str, str]
"""Namespace and name; where tokens were bought elsewhere, ``ROUTE/TIER`` stands in for the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a policy served in the hours of which that is known, and what those hours cost, by currency."""

    requests: int = 0
    tokens: int = 0
    costs: Mapping[str, Money] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A span of full hours of the whole fleet.

    Attributes:
        since, until: the span; ``until`` is the end of the last hour that counts.
        days: what each policy cost on each day, by currency.
        served: of each policy.
        known_hours: hours of which it is known what was held; the cost of the others is not.
        features: what of each policy's cost went to each feature, by currency, as far as routers saw it.
        unpriced: hours of each policy in which one of its accelerators had no price; what it cost is in no sum.
    """

    since: datetime
    until: datetime
    days: Mapping[PolicyKey, Mapping[str, Mapping[date, Money]]]
    served: Mapping[PolicyKey, Served]
    known_hours: int
    unpriced: Mapping[PolicyKey, int]
    features: Mapping[PolicyKey, Mapping[str, Mapping[str, Money]]] = field(default_factory=dict)

    @property
    def hours(self) -> int:
        """Hours of the span."""
        return (self.until - self.since) // HOUR


def review(source: MetricsSource, scope: Scope, since: datetime, until: datetime) -> Review:
    """Read a span.

    Args:
        source: whom to ask.
        scope: which series.
        since: its begin, a midnight of UTC.
        until: its end, at most now; the last full hour before it is the last that counts.

    Raises:
        MetricsUnavailable: it cannot be asked.
    """
    until = until.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = max((until - since) // HOUR, 0)
    days = _days(source, scope, since, until)
    if hours == 0:
        return Review(since=since, until=since, days=days, served={}, known_hours=0, unpriced={})
    known = source.query(_known_hours(scope, hours), until)
    return Review(
        since=since,
        until=until,
        days=days,
        served=_served(source.query(_totals(scope, hours), until)),
        known_hours=round(known[0].value) if known else 0,
        unpriced={_key(each): round(each.value) for each in source.query(_unpriced(scope, hours), until)},
        features=_features(source.query(_added(_hourly_features(scope), hours), until)),
    )


def _days(
    source: MetricsSource, scope: Scope, since: datetime, until: datetime
) -> dict[PolicyKey, dict[str, dict[date, Money]]]:
    midnight = until.replace(hour=0)
    full = (midnight - since) // _DAY
    samples: list[Sample] = []
    if full > 0:
        daily = f"({_added(_hourly_cost(scope), 24)})[{promql_duration((full - 1) * _DAY + _DAY / 2)}:1d]"
        samples += source.query(daily, midnight)
    rest = (until - max(midnight, since)) // HOUR
    if rest > 0:
        samples += source.query(_added(_hourly_cost(scope), rest), until)
    found: dict[PolicyKey, dict[str, dict[date, Money]]] = {}
    for each in samples:
        by_day = found.setdefault(_key(each), {}).setdefault(each.labels.get("currency", ""), {})
        day = (each.timestamp - timedelta(seconds=1)).astimezone(UTC).date()
        by_day[day] = _money(each)
    return found


def _served(samples: tuple[Sample, ...]) -> dict[PolicyKey, Served]:
    totals: dict[PolicyKey, dict[str, float]] = {}
    costs: dict[PolicyKey, dict[str, Money]] = {}
    for each in samples:
        figure = each.labels.get("figure", "")
        if figure == LedgerFigure.COST:
            costs.setdefault(_key(each), {})[each.labels.get("currency", "")] = _money(each)
        else:
            totals.setdefault(_key(each), {})[figure] = each.value
    return {
        key: Served(
            requests=round(figures.get(LedgerFigure.REQUESTS, 0.0)),
            tokens=round(figures.get(LedgerFigure.PROMPT_TOKENS, 0.0) + figures.get(LedgerFigure.OUTPUT_TOKENS, 0.0)),
            costs=costs.get(key, {}),
        )
        for key, figures in totals.items()
    }


def _features(samples: tuple[Sample, ...]) -> dict[PolicyKey, dict[str, dict[str, Money]]]:
    found: dict[PolicyKey, dict[str, dict[str, Money]]] = {}
    for each in samples:
        by_feature = found.setdefault(_key(each), {}).setdefault(each.labels.get("currency", ""), {})
        by_feature[each.labels.get("feature", "")] = _money(each)
    return found


def _money(sample: Sample) -> Money:
    return Money(round(sample.value * MICROS_PER_UNIT))


def _key(sample: Sample) -> PolicyKey:
    return sample.labels.get("namespace", ""), sample.labels.get("policy", "")


def _seen(scope: Scope) -> str:
    return f"(max({scope.selector(Recorded.OPERATORS_SEEN)}) >= {KNOWN_SHARE})"


def _hourly_cost(scope: Scope) -> str:
    return f"{_held(scope)} or {_bought(scope)}"


def _held(scope: Scope) -> str:
    cost = f"max {scope.by(*POLICY, 'currency')} ({scope.selector(Recorded.POLICY_COST)})"
    return f"{cost} and {scope.on()} {_seen(scope)}"


def _bought(scope: Scope, *split: str) -> str:
    """Tokens that others served: known from their own counters, whether or not an operator was seen."""
    each = (
        f"max {scope.by('namespace', 'route', 'tier', 'feature', 'currency')} ({scope.selector(Recorded.BOUGHT_COST)})"
    )
    named = f'label_join({each}, "policy", "/", "route", "tier")'
    return f"sum {scope.by(*POLICY, *split, 'currency')} ({named})"


def _hourly_features(scope: Scope) -> str:
    cost = f"max {scope.by(*POLICY, 'feature', 'currency')} ({scope.selector(Recorded.FEATURE_COST)})"
    return f"{cost} and {scope.on()} {_seen(scope)} or {_bought(scope, 'feature')}"


def _added(hourly: str, hours: int) -> str:
    """The sum of so many hours, up to the time of the question."""
    return f"sum_over_time(({hourly})[{promql_duration(hours * HOUR - _HALF)}:1h])"


def _totals(scope: Scope, hours: int) -> str:
    """What was served, by ``figure``; as ``cost`` what the hours cost of which that is known."""
    recorded = scope.selector(Recorded.LEDGER, f'figure=~"{"|".join(_SERVED)}"')
    served = f"max {scope.by(*POLICY, 'figure')} (sum without (variant) ({recorded})) and {scope.on()} {_seen(scope)}"
    requests = scope.selector(Recorded.LEDGER, f'figure="{LedgerFigure.REQUESTS}"')
    cost = f"{_held(scope)} and {scope.on(*POLICY)} {requests}"
    return f"{_added(served, hours)} or {tagged(LedgerFigure.COST, _added(cost, hours), 'figure')}"


def _known_hours(scope: Scope, hours: int) -> str:
    return f"count_over_time({_seen(scope)}[{promql_duration(hours * HOUR - _HALF)}:1h])"


def _unpriced(scope: Scope, hours: int) -> str:
    offering = (*POLICY, "accelerator", "capacity_type")
    held, priced = (
        f"max {scope.by(*offering)} ({scope.selector(Recorded.LEDGER, matcher)})"
        for matcher in (f'figure="{LedgerFigure.ACCELERATORS}"', f'figure="{LedgerFigure.COST}"')
    )
    hourly = f"count {scope.by(*POLICY)} ({held} unless {priced}) and {scope.on()} {_seen(scope)}"
    return f"count_over_time(({hourly})[{promql_duration(hours * HOUR - _HALF)}:1h])"
