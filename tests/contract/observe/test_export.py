"""``costpolicy export`` on a real Prometheus: the sum of its rows is the ledger's.

Covered: several policies and offerings, a policy that is gone, hours without an operator or price, days, FOCUS, CSV and JSON.  Not
covered: the rules of FOCUS (tests/unit/reporting/test_focus.py).
"""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from contract.observe.tapes import BEGIN, HOUR, Tape
from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from costpolicy.observe.exported import Recorded
from costpolicy.observe.ledger import ledger_hours
from costpolicy.observe.ledger_queries import ledger_of
from costpolicy.observe.scope import Scope
from scraping import Server

HOURS = 30
SINCE = datetime.fromtimestamp(BEGIN, tz=UTC)
UNTIL = SINCE + timedelta(days=2)
UNKNOWN = (5, 6)
"""Hours, by their ends, in which no operator was scraped."""


def varying(base: float, without: tuple[int, ...] = ()) -> list[tuple[int, float]]:
    """Another value each hour, with digits that no binary fraction has."""
    every = range(BEGIN + 120, BEGIN + HOURS * HOUR + 1, 120)
    hours = [(when, -(-(when - BEGIN) // HOUR)) for when in every]
    return [(when, base + 0.1 * hour / 3) for when, hour in hours if hour not in without]


def held(tape: Tape, policy: str, accelerator: str, base: float, without_price: tuple[int, ...] = ()) -> None:
    labels = {"namespace": "demo", "policy": policy, "accelerator": accelerator, "capacity_type": "OnDemand"}
    for variant, state in (("aaa", "ready"), ("aaa", "starting"), ("bbb", "ready")):
        place = {**labels, "variant": variant, "state": state}
        tape.add(Recorded.LEDGER, {**place, "figure": "accelerators"}, varying(1.0))
        tape.add(Recorded.LEDGER, {**place, "figure": "cost", "currency": "USD"}, varying(base, without_price))


@pytest.fixture(scope="module")
def server(backfilled: Callable[[Tape], Server]) -> Server:
    tape = Tape()
    held(tape, "chat", "nvidia-l40s", 1.37)
    held(tape, "chat", "nvidia-h100-80gb", 6.88)
    held(tape, "docs", "nvidia-l40s", 0.93, without_price=(9,))
    tape.add(Recorded.OPERATORS_SEEN, {}, [(when, 1.0) for when, _ in varying(1.0, UNKNOWN)])
    return backfilled(tape)


def export(server: Server, *arguments: str) -> tuple[str, str]:
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO())
    dates = ("--since", f"{SINCE:%Y-%m-%d}", "--until", f"{UNTIL:%Y-%m-%d}")
    assert 0 == main(("export", "--prometheus", server.url, *dates, *arguments), console)
    return console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


def ledger_total(server: Server) -> Decimal:
    """The sum of the ledger's hours of both policies, as the operator reads them."""
    samples = server.source().query(ledger_of(Scope(), ("chat", "docs"), UNTIL - SINCE), UNTIL)
    known = [sample for sample in samples if "policy" not in sample.labels]
    total = 0
    for policy in ("chat", "docs"):
        mine = [sample for sample in samples if sample.labels.get("policy") == policy]
        total += sum(cost.micros for hour in ledger_hours(mine, known) for cost in hour.costs.values())
    return Decimal(total) / 10**6


@pytest.mark.parametrize("by", ["hour", "day"])
def test_the_sum_of_the_rows_is_the_ledgers_to_the_micro_unit(server: Server, by: str):
    out, err = export(server, "--by", by, "-o", "focus")
    billed = [Decimal(row["BilledCost"]) for row in csv.DictReader(io.StringIO(out))]

    assert ledger_total(server) == sum(billed) > 0
    assert "in 1 hours accelerators had no price: what they cost is in no row" in err


def test_hours_that_nobody_saw_are_in_no_row(server: Server):
    found = json.loads(export(server, "--by", "hour", "-o", "json")[0])
    begins = {row["since"] for row in found}

    assert HOURS - len(UNKNOWN) == len(begins)
    for hour in UNKNOWN:
        assert f"{SINCE + timedelta(hours=hour - 1):%Y-%m-%dT%H:%M:%SZ}" not in begins


def test_all_forms_carry_the_same_costs(server: Server):
    plain = [row["cost"] for row in json.loads(export(server, "-o", "json")[0])]

    assert plain == [row["cost"] for row in csv.DictReader(io.StringIO(export(server, "-o", "csv")[0]))]
    assert plain == [row["BilledCost"] for row in csv.DictReader(io.StringIO(export(server)[0]))]


def test_a_span_in_which_nothing_was_held_is_a_header(server: Server):
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO())
    code = main(("export", "--prometheus", server.url, "--since", "2026-10-01", "--until", "2026-10-02"), console)

    assert 0 == code
    assert 1 == len(console.out.getvalue().splitlines())  # type: ignore[attr-defined]
