"""What the operator exports of each policy: promises that are not kept, budget, month, savings.

Read from what is stored: an alert tells what status tells, and no second judgement is made of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from costpolicy.api.conditions import ConditionType
from costpolicy.api.policy import CostPolicy
from costpolicy.api.status import CostPolicyStatus
from costpolicy.observe.exported import (
    BUDGET,
    MONTH_FORECAST,
    MONTH_SPENT,
    OBJECTIVE,
    SAVED_PER_HOUR,
    UNMET_CONDITION,
    ExportedGauge,
)
from costpolicy.reconcile.budget import recorded_month
from costpolicy.savings.month import month_of
from costpolicy.units import parse_duration

Series = Mapping[tuple[str, ...], float]
PROMISES: Final = frozenset(
    {
        ConditionType.METRICS_AVAILABLE,
        ConditionType.OBJECTIVES_MET,
        ConditionType.WITHIN_BUDGET,
        ConditionType.QUALITY_MAINTAINED,
    }
)
"""Conditions whose ``False`` is exported: those that somebody may have to look at."""

_Sample = tuple[ExportedGauge, tuple[str, ...], float]


def policy_series(policies: Iterable[CostPolicy], now: datetime) -> dict[ExportedGauge, Series]:
    """Return the series of each gauge about policies; what a status does not say has none."""
    gauges = (UNMET_CONDITION, BUDGET, MONTH_SPENT, MONTH_FORECAST, SAVED_PER_HOUR, OBJECTIVE)
    series: dict[ExportedGauge, dict[tuple[str, ...], float]] = {gauge: {} for gauge in gauges}
    for policy in policies:
        key = (policy.metadata.namespace, policy.metadata.name)
        for gauge, labels, value in _of_policy(policy, now):
            series[gauge][(*key, *labels)] = value
    return dict(series)


def _of_policy(policy: CostPolicy, now: datetime) -> Iterator[_Sample]:
    objectives = policy.spec.objectives
    for name, objective in (("ttft", objectives.ttft), ("inter_token_latency", objectives.inter_token_latency)):
        if objective is not None:
            yield OBJECTIVE, (name,), parse_duration(objective.p95).total_seconds()
    status = policy.status
    if status is None:
        return
    for one in status.conditions:
        if one.type in PROMISES and one.status == "False":
            yield UNMET_CONDITION, (one.type, one.reason), 1.0
    yield from _money(policy, status, now)


def _money(policy: CostPolicy, status: CostPolicyStatus, now: datetime) -> Iterator[_Sample]:
    spending, measured = status.spending, status.measurement
    currency = spending.currency if spending else ""
    budget = policy.spec.budget
    for period, amount in (("hour", budget.hourly), ("month", budget.monthly)) if budget else ():
        if amount is not None:
            yield BUDGET, ((budget.currency if budget else "") or currency, period), float(amount)
    if spending is not None and spending.month == f"{month_of(now)[0]:%Y-%m}":
        yield MONTH_SPENT, (currency,), float(recorded_month(spending).spent_at(now).text())
        if spending.forecast is not None:
            yield MONTH_FORECAST, (currency,), float(spending.forecast)
    saved = (measured.saved_per_hour, measured.realised_per_hour) if measured else (None, None)
    for basis, value in zip(("allocated", "realised"), saved, strict=True):
        if value is not None:
            yield SAVED_PER_HOUR, (currency, basis), float(value)
