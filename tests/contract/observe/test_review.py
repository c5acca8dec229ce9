"""A month as the report reads it, from a real Prometheus.

Covered: features, tokens that were bought, days, the day that is not over, two Prometheus replicas, hours without an operator,
without a price, policies apart, no series at all.  Not covered: how it is shown (tests/unit/reporting).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from contract.observe.tapes import BEGIN, HOUR, Tape
from costpolicy.observe.exported import Recorded
from costpolicy.observe.review import Served, review
from costpolicy.observe.scope import Scope
from costpolicy.units import Money
from scraping import Server

SINCE = datetime.fromtimestamp(BEGIN, tz=UTC)
HOURS = 2 * 24 + 5
AT = SINCE + timedelta(hours=HOURS, minutes=20)


def hourly(value: float, without: tuple[int, ...] = ()) -> list[tuple[int, float]]:
    """A sample each two minutes for hours that end at 1, 2, ..., but for some of them."""
    left_out = {BEGIN + number * HOUR for number in without}
    every = range(BEGIN, BEGIN + HOURS * HOUR + 1, 120)
    return [(when, value) for when in every if -(-when // HOUR) * HOUR not in left_out]


def recorded(tape: Tape, policy: str, cost: float, replica: str = "a", without: tuple[int, ...] = ()) -> None:
    labels = {"namespace": "demo", "policy": policy, "prometheus_replica": replica}
    offering = {"accelerator": "nvidia-l40s", "capacity_type": "OnDemand", "state": "ready", "variant": "aaa"}
    tape.add(Recorded.POLICY_COST, {**labels, "currency": "USD"}, hourly(cost, without))
    tape.add(Recorded.LEDGER, {**labels, **offering, "figure": "cost", "currency": "USD"}, hourly(cost, without))
    tape.add(Recorded.LEDGER, {**labels, **offering, "figure": "accelerators"}, hourly(1.0))
    for figure, value in (("requests", 600.0), ("prompt_tokens", 9000.0), ("output_tokens", 1000.0)):
        for variant in ("aaa", "bbb"):
            tape.add(Recorded.LEDGER, {**labels, "variant": variant, "figure": figure}, hourly(value / 2))


def test_a_month_is_read_by_day_and_in_sum(backfilled: Callable[[Tape], Server]) -> None:
    tape = Tape()
    for replica in ("a", "b"):
        recorded(tape, "chat", 1.25, replica)
        tape.add(Recorded.OPERATORS_SEEN, {"prometheus_replica": replica}, hourly(1.0, without=(3, 30)))
    recorded(tape, "docs", 0.5, without=(10, 11))
    found = review(backfilled(tape).source(), Scope(), SINCE, AT)

    first, second, third = (SINCE.date() + timedelta(days=number) for number in range(3))
    chat: dict[date, Money] = found.days["demo", "chat"]["USD"]  # type: ignore[assignment]
    assert {first: Money.parse("28.75"), second: Money.parse("28.75"), third: Money.parse("6.25")} == chat
    docs = found.days["demo", "docs"]["USD"]
    assert {first: Money.parse("10.50"), second: Money.parse("11.50"), third: Money.parse("2.50")} == docs
    assert (HOURS, HOURS - 2) == (found.hours, found.known_hours)
    assert {("demo", "docs"): 2} == found.unpriced
    known = HOURS - 2
    assert (
        Served(requests=600 * known, tokens=10_000 * known, costs={"USD": Money.parse("63.75")})
        == found.served["demo", "chat"]
    )


def test_features_and_tokens_that_were_bought_are_read_with_the_month(backfilled: Callable[[Tape], Server]) -> None:
    tape = Tape()
    for replica in ("a", "b"):
        recorded(tape, "chat", 1.25, replica)
        tape.add(Recorded.OPERATORS_SEEN, {"prometheus_replica": replica}, hourly(1.0, without=(3, 30)))
        where = {"namespace": "demo", "currency": "USD", "prometheus_replica": replica}
        for feature, cost in (("search", 0.75), ("other", 0.25)):
            tape.add(Recorded.FEATURE_COST, {**where, "policy": "chat", "feature": feature}, hourly(cost))
            bought = {**where, "route": "help", "tier": "large", "feature": feature}
            tape.add(Recorded.BOUGHT_COST, bought, hourly(cost))
    found = review(backfilled(tape).source(), Scope(), SINCE, AT)

    known = HOURS - 2
    assert {"search": Money.parse("0.75") * known, "other": Money.parse("0.25") * known} == found.features[
        "demo", "chat"
    ]["USD"]
    # What was bought is known from the routers' own counters: no operator has to be seen.
    large = ("demo", "help/large")
    assert {"search": Money.parse("0.75") * HOURS, "other": Money.parse("0.25") * HOURS} == found.features[large]["USD"]
    assert Money(1_000_000 * HOURS) == Money(sum(cost.micros for cost in found.days[large]["USD"].values()))
    assert {("demo", "chat")} == found.served.keys()
    assert {"USD": Money.parse("63.75")} == found.served["demo", "chat"].costs


def test_a_month_that_begins_now_and_one_that_nobody_recorded_are_empty(backfilled: Callable[[Tape], Server]) -> None:
    tape = Tape()
    tape.add("up", {}, hourly(1.0))
    source = backfilled(tape).source()

    assert 0 == review(source, Scope(), SINCE, SINCE + timedelta(minutes=20)).hours
    nothing = review(source, Scope(), SINCE, AT)
    assert ({}, {}, 0, HOURS) == (nothing.days, nothing.served, nothing.known_hours, nothing.hours)
