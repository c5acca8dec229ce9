"""What a policy has spent this month, what the month will cost, and what that leaves for each hour.

Accelerators are paid for while a pod that asks for them has a node, whatever it does there; so are they exported
(``reconcile.exports``).  Month to date lives in status, because Prometheus rarely keeps a month; it is written when the
cost per hour changes, and when a month begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from costpolicy.api.conditions import Condition, ConditionType, condition
from costpolicy.api.policy import CostPolicySpec
from costpolicy.api.reasons import Reason
from costpolicy.api.spending import SpendingStatus
from costpolicy.api.types import CapacityType
from costpolicy.kube.gateway import POLICY_LABEL, VARIANT_LABEL
from costpolicy.observe.source import Missing
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.plan import Plan
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.snapshot import MetricsDown, Snapshot
from costpolicy.savings.month import (
    WEEK,
    MonthToDate,
    carried_on,
    forecast,
    hourly_ceiling,
    month_of,
    resumed,
    rounded,
    split,
    weekly_pattern,
    without_history,
)
from costpolicy.units import ZERO, Money, format_duration, format_time, parse_duration

Prices = Mapping[tuple[str, CapacityType], Money]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """A policy's month.

    Attributes:
        month: what it has cost, and costs an hour.
        forecast: what it will have cost; ``None``: there is no monthly budget, or it is not known.
        ceiling: what the monthly budget leaves an hour; ``None``: there is no monthly budget.
        now: the time.
    """

    month: MonthToDate
    forecast: Money | None
    ceiling: Money | None
    now: datetime


def spending_of(snapshot: Snapshot, now: datetime) -> Spending:
    """Return what a policy has spent and may spend."""
    month = _month(snapshot, now)
    monthly = monthly_budget(snapshot.policy.spec)
    return Spending(
        month=month,
        forecast=None if monthly is None else _forecast(snapshot, month, now),
        ceiling=None if monthly is None else hourly_ceiling(monthly, month, now),
        now=now,
    )


def monthly_budget(spec: CostPolicySpec) -> Money | None:
    """Return the monthly budget, if there is one."""
    return Money.parse(spec.budget.monthly) if spec.budget and spec.budget.monthly is not None else None


def spending_status(spending: Spending, currency: str) -> SpendingStatus:
    """Return a policy's month as status keeps it."""
    month = spending.month
    spent, remainder = split(month)
    return SpendingStatus(
        month=f"{month.until:%Y-%m}",
        spent=spent.text(),
        remainder=remainder,
        until=month.until,
        cost_per_hour=month.rate.text() if month.rate is not None else None,
        gap=format_duration(month.gap) if month.gap else "",
        currency=currency,
        forecast=rounded(spending.forecast).text() if spending.forecast is not None else None,
        hourly_ceiling=spending.ceiling.text() if spending.ceiling is not None else None,
    )


def recorded_month(status: SpendingStatus) -> MonthToDate:
    """Return the month that status keeps."""
    return resumed(
        status.until,
        Money.parse(status.spent),
        status.remainder,
        parse_duration(status.gap or "0s"),
        Money.parse(status.cost_per_hour) if status.cost_per_hour is not None else None,
    )


def held_per_hour(snapshot: Snapshot) -> Money | Missing:
    """Return what the accelerators that a policy's pods hold cost an hour, at the prices in force.

    Pods of variants that are gone already are not counted: what they held is in no record.
    """
    policy, prices, total = snapshot.policy.metadata, snapshot.prices.hourly(), ZERO
    for pod in snapshot.capacity.pods:
        variant = snapshot.live.variant(pod.labels.get(VARIANT_LABEL, ""))
        if (
            (pod.namespace, pod.labels.get(POLICY_LABEL)) != (policy.namespace, policy.name)
            or not pod.node
            or variant is None
        ):
            continue
        configuration = priced_configuration(variant, prices)
        if isinstance(configuration, Missing):
            return configuration
        hourly = prices[configuration.accelerator, configuration.capacity_type]
        total = total + hourly * pod.requests.get(configuration.resource_name, 0)
    return total


def asked_per_hour(snapshot: Snapshot) -> Money | Missing:
    """Return what the accelerators that all variants ask for cost an hour, at the prices in force.

    Where one of them has no price, all of them together have none: a gap, never a saving.
    """
    prices, total = snapshot.prices.hourly(), ZERO
    for variant in snapshot.live.variants:
        if variant.replicas == 0:
            continue
        configuration = priced_configuration(variant, prices)
        if isinstance(configuration, Missing):
            return configuration
        hourly = prices[configuration.accelerator, configuration.capacity_type]
        total = total + hourly * (variant.replicas * (variant.requested or configuration.accelerators_per_replica))
    return total


def priced_configuration(variant: LiveVariant, prices: Prices) -> Configuration | Missing:
    """Return what a variant runs on, if that is known and priced."""
    configuration = variant.configuration
    if configuration is None:
        message = f"the Deployment of variant {variant.hash} carries no record of what it was planned on"
        return Missing(reason=Reason.NO_PRICE, message=message)
    if (configuration.accelerator, configuration.capacity_type) not in prices:
        what = f"{configuration.accelerator} {configuration.capacity_type}"
        message = f"no price book prices {what}, which variant {variant.hash} holds: add it to a PriceBook"
        return Missing(reason=Reason.NO_PRICE, message=message)
    return configuration


def within_budget(spec: CostPolicySpec, plan: Plan, cost: Money | Missing, spending: Spending) -> Condition:
    """Return the condition ``WithinBudget``; ``cost`` is what all variants ask for an hour."""
    if spec.budget is None:
        return _told(True, Reason.NO_BUDGET, "")
    if isinstance(cost, Missing):
        return _told(None, cost.reason, cost.message)
    hourly = Money.parse(spec.budget.hourly) if spec.budget.hourly is not None else None
    if hourly is not None and cost > hourly:
        message = f"what runs costs {cost.text(2)} an hour, the budget is {hourly.text(2)}; it serves with the fewest replicas"
        return _told(False, Reason.OVER_BUDGET, message)
    if cost == ZERO and plan.infeasible and plan.infeasible.reason == Reason.BUDGET_EXCEEDED:
        return _told(False, Reason.BUDGET_EXCEEDED, plan.infeasible.message)
    monthly = monthly_budget(spec)
    over = _over_the_month(monthly, spending) if monthly is not None else None
    return over or _told(True, Reason.WITHIN_BUDGET, _kept(cost, hourly, monthly, spending))


def _over_the_month(monthly: Money, spending: Spending) -> Condition | None:
    month = spending.month
    _, end = month_of(spending.now)
    if month.spent_at(spending.now) >= monthly:
        message = f"the {monthly.text(2)} of {month.until:%Y-%m} are spent; it serves with the fewest replicas until {format_time(end)}"
        return _told(False, Reason.MONTHLY_BUDGET_SPENT, message + _unknown(month))
    if spending.forecast is None or spending.forecast <= monthly or spending.ceiling is None:
        return None
    message = (
        f"{month.until:%Y-%m} will cost {rounded(spending.forecast).text(2)}, the budget is {monthly.text(2)}: "
        f"no replica is added beyond {spending.ceiling.text(2)} an hour until {format_time(end)}"
    )
    return _told(False, Reason.FORECAST_EXCEEDS_BUDGET, message + _unknown(month))


def _kept(cost: Money, hourly: Money | None, monthly: Money | None, spending: Spending) -> str:
    parts = [f"{cost.text(2)} of {hourly.text(2)} an hour"] if hourly is not None else []
    if monthly is not None:
        coming = "an unknown part" if spending.forecast is None else rounded(spending.forecast).text(2)
        parts.append(f"{spending.month.until:%Y-%m} will cost {coming} of {monthly.text(2)}{_unknown(spending.month)}")
    return "; ".join(parts)


def _unknown(month: MonthToDate) -> str:
    return f" (of {format_duration(month.gap)} the cost is not known)" if month.gap else ""


def _told(status: bool | None, reason: Reason, message: str) -> Condition:
    return condition(ConditionType.WITHIN_BUDGET, status, reason, message)


def _month(snapshot: Snapshot, now: datetime) -> MonthToDate:
    before = snapshot.policy.status.spending if snapshot.policy.status else None
    held = held_per_hour(snapshot)
    rate = None if isinstance(held, Missing) else held
    if before is None or before.currency != snapshot.prices.currency:
        begun = snapshot.live.variants[0].created if snapshot.live.variants else now
        return without_history(begun, rate, now)
    return carried_on(recorded_month(before), rate, now)


def _forecast(snapshot: Snapshot, month: MonthToDate, now: datetime) -> Money | None:
    """Return the forecast of the month: from the last week where it is known, else from what is paid now.

    What is paid now says nothing about the hours to come where schedules change it.
    """
    pattern = weekly_pattern(_costs(snapshot, now), now)
    if pattern is None and snapshot.policy.spec.scaling.schedules:
        return None
    return forecast(month, pattern, now)


def _costs(snapshot: Snapshot, now: datetime) -> Mapping[datetime, Money]:
    """Return the costs of the last week, if there has been one."""
    observed, created = snapshot.observed, snapshot.policy.metadata.creation_timestamp
    young = created is None or now - created < WEEK
    return {} if young or isinstance(observed, MetricsDown) else observed.costs
