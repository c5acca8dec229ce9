"""From policies with their status, and hours that Prometheus recorded, to the statement of a month."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Final

from costpolicy.api.policy import CostPolicy
from costpolicy.api.status import CostPolicyStatus
from costpolicy.observe.review import PolicyKey, Review, Served
from costpolicy.reconcile.budget import recorded_month
from costpolicy.reporting.statement import Advice, Bill, ChangeMade, Driver, Statement
from costpolicy.rollout.upcoming import described
from costpolicy.savings import features
from costpolicy.savings.month import month_of
from costpolicy.savings.paragraph import paragraph
from costpolicy.units import ZERO, Money

_WORTH: Final = ("Recommended", "Applied", "Blocked", "Unknown", "NotApplicable")
"""States of a playbook's rows, those to act on first."""
_OF_STATUS: Final = "the policies' status, which the operator counts; by day it is known with --prometheus only"
_OF_PROMETHEUS: Final = "the ledger's hours, as recorded in Prometheus"


def statement(policies: Sequence[CostPolicy], recorded: Review | None, since: datetime, now: datetime) -> Statement:
    """Put a month together.

    Args:
        policies: as stored, with their status.
        recorded: the month as Prometheus has it; without it costs are those of status, which knows only the present month.
        since: its begin.
        now: the time.
    """
    begin, end = month_of(since)
    present = begin == month_of(now)[0]
    until = min(now, end) if recorded is None else recorded.until
    drivers = list(_drivers(policies, recorded, now, present=present))
    changes = [made for policy in policies for made in _changes(policy, begin, end)]
    changes.sort(
        key=lambda made: (made.saved_per_month is None, -_micros(made.saved_per_month), -made.receipt.at.timestamp())
    )
    return Statement(
        since=begin,
        until=until,
        made_at=now,
        source=_OF_STATUS if recorded is None else _OF_PROMETHEUS,
        bills=_bills(drivers, recorded),
        changes=tuple(changes),
        advice=_advice(policies),
        policies=len(policies),
        without_playbook=sum(not (policy.status and policy.status.playbook) for policy in policies),
        missing=tuple(_missing(policies, recorded, present=present)),
    )


def currency_of(policy: CostPolicy) -> str:
    """Return the currency of a policy's amounts; empty where nothing says one."""
    status = policy.status or CostPolicyStatus()
    named = (status.spending, status.current, status.target, policy.spec.budget)
    return next((one.currency for one in named if one is not None and one.currency), "")


def _drivers(
    policies: Sequence[CostPolicy], recorded: Review | None, now: datetime, *, present: bool
) -> Iterator[tuple[str, Driver]]:
    """Yield each policy's driver with its currency; those that are gone and cost something are among them."""
    known = {(policy.metadata.namespace, policy.metadata.name): policy for policy in policies}
    if recorded is None:
        for policy in policies:
            yield (
                currency_of(policy),
                _driver(policy, _spent(policy, now) if present else ZERO, None, now, present=present),
            )
        return
    for key, by_currency in recorded.days.items():
        for currency, days in by_currency.items():
            cost = Money(sum(each.micros for each in days.values()))
            served = recorded.served.get(key)
            found = known.get(key)
            if found is not None:
                yield currency, _driver(found, cost, served, now, present=present, currency=currency)
            else:
                yield currency, _served(_without_policy(key, cost), served, currency)
    for key in known.keys() - recorded.days.keys():
        yield currency_of(known[key]), _driver(known[key], ZERO, recorded.served.get(key), now, present=present)


def _without_policy(key: PolicyKey, cost: Money) -> Driver:
    """Return what is gone, or what was bought: of tokens nobody knows how many there will be."""
    bought = "/" in key[1]
    return Driver(
        policy="/".join(key),
        runs="tokens that another provider served" if bought else "is not there any more",
        cost=cost,
        per_hour=None if bought else ZERO,
        forecast=None if bought else cost,
        budget=None,
    )


def _driver(
    policy: CostPolicy, cost: Money, served: Served | None, now: datetime, *, present: bool, currency: str | None = None
) -> Driver:
    status, budget = policy.status or CostPolicyStatus(), policy.spec.budget
    current = status.current
    hourly = current.cost_per_hour if current else "0"
    driver = Driver(
        policy=policy.key,
        runs=described(current) if current else "",
        cost=cost,
        per_hour=None if hourly is None else Money.read(hourly),
        forecast=_forecast(status, now) if present else cost,
        budget=Money.read(budget.monthly) if budget is not None and budget.monthly is not None else None,
    )
    return _served(driver, served, currency if currency is not None else currency_of(policy))


def _served(driver: Driver, served: Served | None, currency: str) -> Driver:
    if served is None:
        return driver
    cost = served.costs.get(currency)
    each = None
    if cost is not None and served.requests:
        each = Money(round(Fraction(cost.micros * 1000, served.requests)))
    return replace(driver, requests=served.requests, cost_per_thousand=each)


def _spent(policy: CostPolicy, now: datetime) -> Money:
    spending = policy.status.spending if policy.status else None
    if spending is None or spending.month != f"{month_of(now)[0]:%Y-%m}":
        return ZERO
    return recorded_month(spending).spent_at(now)


def _forecast(status: CostPolicyStatus, now: datetime) -> Money | None:
    """Return the operator's forecast; for policies without a monthly budget what the present rate leads to."""
    spending = status.spending
    if spending is None or spending.month != f"{month_of(now)[0]:%Y-%m}":
        return None
    if spending.forecast is not None:
        return Money.read(spending.forecast)
    month = recorded_month(spending)
    return None if month.rate is None else month.spent_at(month_of(now)[1])


def _bills(drivers: Iterable[tuple[str, Driver]], recorded: Review | None) -> tuple[Bill, ...]:
    by_currency: dict[str, list[Driver]] = {}
    for currency, driver in drivers:
        by_currency.setdefault(currency, []).append(driver)
    nameless = by_currency.pop("", [])
    if nameless:  # of policies that cost nothing yet no currency is known: they join the most
        most = max(by_currency, key=lambda currency: len(by_currency[currency]), default="")
        by_currency.setdefault(most, []).extend(nameless)
    bills = [
        Bill(
            currency=currency,
            drivers=tuple(sorted(found, key=lambda one: (-one.cost.micros, -_micros(one.per_hour), one.policy))),
            days=_days(recorded, currency),
            features=_features(recorded, currency),
        )
        for currency, found in by_currency.items()
    ]
    return tuple(sorted(bills, key=lambda bill: (-len(bill.drivers), bill.currency)))


def _days(recorded: Review | None, currency: str) -> Mapping[str, Mapping[date, Money]]:
    if recorded is None:
        return {}
    return {"/".join(key): found[currency] for key, found in recorded.days.items() if currency in found}


def _features(recorded: Review | None, currency: str) -> Mapping[str, Money]:
    if recorded is None:
        return {}
    return features.together(
        features.split(
            Money(sum(each.micros for each in found[currency].values())),
            recorded.features.get(key, {}).get(currency, {}),
        )
        for key, found in recorded.days.items()
        if currency in found
    )


def _changes(policy: CostPolicy, begin: datetime, end: datetime) -> Iterator[ChangeMade]:
    status = policy.status or CostPolicyStatus()
    for receipt in status.history:
        if not begin <= receipt.at < end:
            continue
        mine = status.measurement if status.measurement and status.measurement.changed_at == receipt.at else None
        currency = currency_of(policy)
        yield ChangeMade(
            policy=policy.key,
            currency=currency,
            receipt=receipt,
            measured=mine,
            paragraph=paragraph(receipt, mine, policy=policy.key, currency=currency),
        )


def _advice(policies: Iterable[CostPolicy]) -> tuple[Advice, ...]:
    rows = [
        Advice(policy=policy.key, currency=currency_of(policy), row=row)
        for policy in policies
        for row in (policy.status.playbook if policy.status else ())
    ]
    return tuple(sorted(rows, key=lambda one: (_WORTH.index(one.row.state), -_saves(one), one.policy)))


def _saves(advice: Advice) -> int:
    saves = advice.row.saves_per_month
    return Money.read(saves).micros if saves is not None else 0


def _missing(policies: Sequence[CostPolicy], recorded: Review | None, *, present: bool) -> Iterator[str]:
    unanswered = sum(policy.status is None for policy in policies)
    if unanswered:
        yield f"{_count(unanswered, 'policy', 'policies')} the operator has not answered yet: no cost of them is known."
    if recorded is None:
        if not present:
            yield "Status knows the present month only: give --prometheus to review an earlier one."
        yield "Without --prometheus there are no costs by day, no requests, and no cost per request."
        gaps = sum(bool(policy.status and policy.status.spending and policy.status.spending.gap) for policy in policies)
        if gaps:
            yield f"Of {_count(gaps, 'policy', 'policies')} some time of the month has no known cost; it is in no sum."
    else:
        unknown = recorded.hours - recorded.known_hours
        if unknown:
            yield (
                f"Of {unknown} of {recorded.hours} hours it is not known what was held: what they cost is in no sum."
            )
        if recorded.unpriced:
            worst = ", ".join("/".join(key) for key in sorted(recorded.unpriced)[:5])
            yield f"{_count(len(recorded.unpriced), 'policy', 'policies')} held accelerators without a price, which are in no sum: {worst}."
    unpriced = sum(
        bool(policy.status and policy.status.current and policy.status.current.cost_per_hour is None)
        for policy in policies
    )
    if unpriced:
        yield f"{_count(unpriced, 'policy', 'policies')} hold an accelerator that no price book prices now."


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _micros(amount: Money | None) -> int:
    return 0 if amount is None else amount.micros
