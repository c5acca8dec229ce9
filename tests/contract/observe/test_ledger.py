"""The ledger's hours, read back from a real Prometheus as the operator reads them.

Covered: variants and states summed, two Prometheus replicas, other policies, an hour without an operator, a policy at 0.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from contract.observe.tapes import BEGIN, HOUR, Tape
from costpolicy.observe.ledger import ledger_hours
from costpolicy.observe.ledger_queries import ledger_of
from costpolicy.observe.scope import Scope
from costpolicy.units import Money
from scraping import Server

LEDGER = "costpolicy_variant:ledger:hour"
SEEN = "costpolicy:operators_seen:hour"


def steady(value: float, without: tuple[int, ...] = ()) -> list[tuple[int, float]]:
    """A sample every two minutes, but for those of the hours that end at the numbers given."""
    every = range(BEGIN, BEGIN + 6 * HOUR + 1, 120)
    left_out = {BEGIN + number * HOUR for number in without}
    return [(when, value) for when in every if -(-when // HOUR) * HOUR not in left_out]


def recorded(tape: Tape, policy: str, replica: str = "a") -> None:
    common = {"namespace": "demo", "policy": policy, "prometheus_replica": replica}
    offering = {"accelerator": "nvidia-l40s", "capacity_type": "OnDemand"}
    for variant, state, count in (("aaa", "ready", 2.0), ("bbb", "ready", 1.0), ("bbb", "starting", 0.5)):
        held = {**common, "variant": variant, **offering, "state": state}
        tape.add(LEDGER, {**held, "figure": "accelerators"}, steady(count))
        tape.add(LEDGER, {**held, "figure": "cost", "currency": "USD"}, steady(0.8 * count))
    for variant, requests in (("aaa", 5000.0), ("bbb", 2200.0)):
        for figure, each in (("requests", 1), ("prompt_tokens", 1000), ("cached_tokens", 400), ("output_tokens", 200)):
            tape.add(LEDGER, {**common, "variant": variant, "figure": figure}, steady(requests * each))
    for share in ("held", "scraped"):
        tape.add(LEDGER, {**common, "figure": share}, steady(1.0))


def test_hours_are_read_back_as_they_were_recorded(backfilled: Callable[[Tape], Server]) -> None:
    tape = Tape()
    for replica in ("a", "b"):
        recorded(tape, "chat", replica)
        tape.add(SEEN, {"prometheus_replica": replica}, steady(1.0, without=(3,)))
    recorded(tape, "docs")
    at = datetime.fromtimestamp(BEGIN + 6 * HOUR + 600, tz=UTC)
    samples = backfilled(tape).source().query(ledger_of(Scope(), ("chat", "idle"), timedelta(hours=6)), at)
    known = [sample for sample in samples if "policy" not in sample.labels]
    mine = [sample for sample in samples if sample.labels.get("policy") == "chat"]

    assert {"chat", None} == {sample.labels.get("policy") for sample in samples}
    hours = ledger_hours(mine, known)
    assert [BEGIN + number * HOUR for number in (1, 2, 4, 5, 6)] == [hour.until.timestamp() for hour in hours]
    for hour in hours:
        assert {("nvidia-l40s", "OnDemand"): Money.parse("2.80")} == hour.costs
        assert {("nvidia-l40s", "OnDemand"): 3.5} == hour.accelerators
        assert (7200, 7_200_000, 2_880_000, 1_440_000) == (
            hour.requests,
            hour.prompt_tokens,
            hour.cached_tokens,
            hour.output_tokens,
        )
    idle = ledger_hours([], known)
    assert all(not hour.costs for hour in idle)
    assert 5 == len(idle)
