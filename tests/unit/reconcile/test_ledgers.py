"""Reading the ledger's hours: when, of whom, how many at once, and what happens when it cannot be read.

Covered: what is due, turns, decisions that are noted, failures, policies that go, hours that are unknown.
Not covered: the question's own text (tests/contract/observe/test_ledger.py).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import policy
from costpolicy.api.measured import MeasurementStatus, Receipt
from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.api.status import CostPolicyStatus
from costpolicy.observe.ledger import ledger_hours
from costpolicy.observe.scope import Scope
from costpolicy.observe.source import MetricsUnavailable, Sample
from costpolicy.reconcile.ledgers import AT_ONCE, Ledgers

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OFFERING = {"accelerator": "nvidia-l40s", "capacity_type": "OnDemand"}
CHAT = {"namespace": "default", "policy": "chat"}


class Prometheus:
    """Answers every question with the same samples, and remembers the questions."""

    def __init__(self, samples: Sequence[Sample] = ()) -> None:
        self.samples = tuple(samples)
        self.asked: list[str] = []
        self.down = False

    def query(self, promql: str, at: datetime) -> tuple[Sample, ...]:
        self.asked.append(promql)
        if self.down:
            raise MetricsUnavailable(Reason.PROMETHEUS_TIMEOUT, "too slow")
        return self.samples

    def retention(self) -> timedelta | None:
        return None


def policies(count: int) -> list[CostPolicy]:
    return [policy(f"chat-{number:02}") for number in range(count)]


def read(ledgers: Ledgers, source: Prometheus, them: Sequence[CostPolicy], now: datetime = NOON) -> None:
    ledgers.read(source, Scope(), them, now)


def decide_on_all(ledgers: Ledgers, them: Sequence[CostPolicy]) -> list[str]:
    decided = []
    for each in them:
        ledger = ledgers.of("default", each.metadata.name)
        if ledger is not None:
            ledgers.decided("default", each.metadata.name, ledger)
            decided.append(each.metadata.name)
    return decided


def test_every_policy_has_its_turn_once_and_then_nothing_is_asked_for_six_hours() -> None:
    ledgers, source, them = Ledgers(), Prometheus(), policies(2 * AT_ONCE + 3)
    turns = []
    for _ in range(5):
        read(ledgers, source, them)
        turns.append(decide_on_all(ledgers, them))
    assert [AT_ONCE, AT_ONCE, 3, 0, 0] == [len(turn) for turn in turns]
    assert sorted(name for turn in turns for name in turn) == [each.metadata.name for each in them]
    assert 3 == len(source.asked)

    read(ledgers, source, them, NOON + timedelta(minutes=9))
    assert 3 == len(source.asked)
    read(ledgers, source, them, NOON + timedelta(minutes=10))
    assert 4 == len(source.asked), "noon has settled"
    assert turns[0] == decide_on_all(ledgers, them), "those that have waited longest come first"


def with_status(changed: datetime | None, **measurement: Any) -> CostPolicy:
    history = () if changed is None else (Receipt(at=changed, change="the policy was edited"),)
    status = CostPolicyStatus(measurement=MeasurementStatus(**measurement), history=history)
    return policy("chat").model_copy(update={"status": status})


@pytest.mark.parametrize(
    ("them", "asked"),
    [
        pytest.param(with_status(None, read_at=MORNING), 0, id="read at six, before the restart"),
        pytest.param(with_status(None, read_at=MORNING - 6 * HOUR), 1, id="read at midnight"),
        pytest.param(with_status(NOON, changed_at=NOON, read_at=MORNING), 0, id="changed, and read since"),
        pytest.param(with_status(NOON, changed_at=NOON), 1, id="changed, and not read since"),
        pytest.param(with_status(NOON, changed_at=MORNING, read_at=MORNING), 1, id="changed again"),
        pytest.param(
            with_status(NOON - 9 * 24 * HOUR, changed_at=NOON - 9 * 24 * HOUR, complete=True), 0, id="complete"
        ),
    ],
)
def test_status_says_whether_a_new_process_reads(them: CostPolicy, asked: int) -> None:
    source, ledgers = Prometheus(), Ledgers()
    assert bool(asked) is ledgers.awaits(them, NOON)
    read(ledgers, source, [them])
    assert asked == len(source.asked)


def test_a_policy_awaits_its_hours_until_they_were_decided_on() -> None:
    ledgers, source, them = Ledgers(), Prometheus(), policies(1)
    awaits = [ledgers.awaits(them[0], NOON)]
    read(ledgers, source, them)
    awaits.append(ledgers.awaits(them[0], NOON))
    decide_on_all(ledgers, them)
    awaits += [ledgers.awaits(them[0], NOON), ledgers.awaits(them[0], NOON + 6 * HOUR)]

    assert [True, True, False, True] == awaits


def test_what_was_read_waits_until_a_decision_on_it_is_written() -> None:
    ledgers, source, them = Ledgers(), Prometheus(), policies(1)
    read(ledgers, source, them)
    first = ledgers.of("default", "chat-00")
    read(ledgers, source, them)
    assert first is not None
    assert first is ledgers.of("default", "chat-00")
    assert 1 == len(source.asked)
    ledgers.decided("default", "chat-00", first)
    assert ledgers.of("default", "chat-00") is None


def test_a_question_that_fails_is_left_alone_for_five_minutes_and_changes_nothing() -> None:
    ledgers, source, them = Ledgers(), Prometheus(), policies(1)
    source.down = True
    read(ledgers, source, them)
    assert ledgers.of("default", "chat-00") is None
    source.down = False
    read(ledgers, source, them, NOON + timedelta(minutes=4))
    assert 1 == len(source.asked)
    read(ledgers, source, them, NOON + timedelta(minutes=5))
    assert ledgers.of("default", "chat-00") is not None


def test_a_policy_that_is_gone_takes_no_turn() -> None:
    ledgers, source, them = Ledgers(), Prometheus(), policies(AT_ONCE)
    read(ledgers, source, them)
    others = [policy("docs")]
    read(ledgers, source, others)
    assert ["docs"] == decide_on_all(ledgers, others)


def test_the_longest_window_of_those_asked_about_decides_how_far_back_is_read() -> None:
    source = Prometheus()
    read(Ledgers(), source, [policy("a", measurement={"window": "24h"}), policy("b", measurement={"window": "72h"})])
    assert 'policy=~"a|b"' in source.asked[0]
    assert "[168h:1h]" in source.asked[0], "two windows and the day that a change may take"


def sample(figure: str, value: float, hours: int = 0, **labels: str) -> Sample:
    return Sample(labels={**CHAT, "figure": figure, **labels}, value=value, timestamp=NOON + hours * HOUR)


def known(share: float = 1.0, hours: int = 0) -> Sample:
    return Sample(labels={}, value=share, timestamp=NOON + hours * HOUR)


WHOLE = [
    sample("cost", 3.72, **OFFERING, currency="USD"),
    sample("accelerators", 2.0, **OFFERING),
    sample("requests", 7200.4),
    sample("prompt_tokens", 7_200_000.0),
    sample("output_tokens", 1_440_000.0),
    sample("held", 1.0),
    sample("scraped", 1.0),
]


def test_an_hour_in_integers() -> None:
    [hour] = ledger_hours(WHOLE, [known()])
    assert 3_720_000 == hour.costs["nvidia-l40s", "OnDemand"].micros
    assert (7200, 7_200_000, 0, 1_440_000) == (
        hour.requests,
        hour.prompt_tokens,
        hour.cached_tokens,
        hour.output_tokens,
    )


def test_a_policy_that_held_nothing_in_a_known_hour_cost_nothing() -> None:
    [hour] = ledger_hours([], [known()])
    assert ({}, 0) == (hour.costs, hour.requests)


def without(figure: str) -> list[Sample]:
    return [each for each in WHOLE if each.labels["figure"] != figure]


@pytest.mark.parametrize(
    ("samples", "share"),
    [
        pytest.param(WHOLE, 0.8, id="no operator for a fifth of it"),
        pytest.param([*without("scraped"), sample("scraped", 0.5)], 1.0, id="engines not scraped for half of it"),
        pytest.param(without("scraped"), 1.0, id="engines never scraped"),
        pytest.param(without("cost"), 1.0, id="no price"),
        pytest.param([*WHOLE, sample("cost", 1.0, **OFFERING, currency="EUR")], 1.0, id="two currencies"),
    ],
)
def test_an_hour_of_which_too_little_is_known_is_none(samples: list[Sample], share: float) -> None:
    assert () == ledger_hours(samples, [known(share)])


def test_hours_come_in_order_and_only_those_that_are_known() -> None:
    samples = [*WHOLE, *(sample("requests", 1.0, hours=number) for number in (-1, -3))]
    found = ledger_hours(samples, [known(), known(hours=-3), known(hours=-2)])
    assert [NOON - 3 * HOUR, NOON - 2 * HOUR, NOON] == [hour.until for hour in found]
