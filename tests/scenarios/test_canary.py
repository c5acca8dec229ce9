"""A better plan that has to prove itself beside what serves.

Covered: stages up to the promotion, engines that are slower than predicted, prices that rise again, metrics that go away,
load that grows meanwhile, the user's word, and that somebody always serves.
Not covered: single judgements (tests/unit/rollout/test_evidence.py), killed processes (tests/faults).
"""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from costpolicy.api.reasons import Reason
from costpolicy.simulation import world as simulated
from costpolicy.simulation.engine import profile
from costpolicy.simulation.traffic import Constant, Traffic
from stories import (
    BUSY,
    H100,
    HOUR,
    KEY,
    L40S,
    MINUTE,
    annotate,
    chat,
    conditions,
    message,
    prices,
    ready_behind_the_service,
    reasons,
    runs_on,
    serving,
    world,
)

AUTO = {"mode": "Auto"}
CHEAP = {"h100": "0.40"}


def auto():
    return serving(rollout=AUTO)


def until(of, reason: str, minutes: int = 200) -> timedelta:
    """Run on until a reason is told; return how long that took, and assert that somebody always serves."""
    began = of.clock.now()
    for _ in range(minutes):
        of.run(MINUTE)
        assert 1 <= ready_behind_the_service(of)
        if reason in reasons(of):
            return of.clock.now() - began
    pytest.fail(f"{reason} was never told; {of.status(*KEY)['rollout']}")


def test_a_better_plan_of_one_replica_shares_the_traffic_before_it_gets_all_of_it():
    made = auto()
    made.apply(prices(h100="1.20"))
    until(made, "RolloutStarted", 10)
    made.run(8 * MINUTE)
    assert ("True", "Sharing") == conditions(made)["RolloutInProgress"]
    assert ("True", "Serving") == conditions(made)["Ready"]
    assert 2 == ready_behind_the_service(made)
    assert "it warms up until" in message(made, "RolloutInProgress")

    took = until(made, "Promoted")
    assert 30 * MINUTE <= took <= 40 * MINUTE
    made.run(5 * MINUTE)
    assert [(H100, 1)] == runs_on(made)
    proof = made.status(*KEY)["history"][0]["proof"]
    found = re.fullmatch(
        r"kept its objectives beside what served in 1 stage\(s\), (\d\.\d\d) against (\d\.\d\d) USD per million tokens; "
        r"all replicas ready",
        proof,
    )
    assert found, proof
    new, old = (float(each) for each in found.groups())
    assert abs(new / old - 1.20 / 1.86) < 0.1, "one replica each, and half of the traffic"


def test_several_replicas_come_stage_by_stage():
    made = world(l40s=16, book=prices(h100="20.00"))
    made.apply(chat(rollout=AUTO, traffic={**BUSY, "requestsPerSecond": 30}, scaling={"maxReplicas": 16}))
    made.traffic[KEY] = Traffic(curve=Constant(30.0))
    made.run(HOUR)
    old = runs_on(made)
    assert [L40S] == [accelerator for accelerator, _ in old]
    made.apply(prices(**CHEAP))
    seen, steps = [], []
    for _ in range(400):
        made.run(MINUTE)
        assert old[0][1] <= ready_behind_the_service(made) or "Promoted" in reasons(made)
        count = dict(runs_on(made)).get(H100, 0)
        if not seen or count != seen[-1]:
            seen.append(count)
            steps.append(made.clock.now())
        if "Promoted" in reasons(made):
            break
    wanted = seen[-1]

    assert wanted >= 2
    assert list(range(wanted + 1)) == seen
    assert all(later - earlier >= 40 * MINUTE for earlier, later in pairwise(steps[1:]))
    made.run(5 * MINUTE)
    assert {H100} == {accelerator for accelerator, _ in runs_on(made)}


@pytest.fixture
def slow_h100(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines on H100 take ten times as long for a prefill as their data sheet says."""

    def slower(model, accelerator, *others):
        found = profile(model, accelerator, *others)
        return replace(found, prefill_rate=found.prefill_rate / 10) if accelerator.name == H100 else found

    monkeypatch.setattr(simulated, "profile", slower)


def test_engines_that_are_slower_than_predicted_are_withdrawn_and_not_tried_again(slow_h100: None):
    made = auto()
    made.apply(prices(**CHEAP))
    until(made, "CanaryMissesObjective")
    made.run(2 * HOUR)

    assert [(L40S, 1)] == runs_on(made)
    assert 1 == reasons(made).count("RolloutStarted")
    assert "Promoted" not in reasons(made)
    assert ["CanaryMissesObjective"] == [one["reason"] for one in made.status(*KEY)["rollout"]["rejected"]]
    assert ("True", "RolledBack") == conditions(made)["RolloutBlocked"]
    assert ("True", "Serving") == conditions(made)["Ready"]


def test_a_price_that_rises_again_ends_the_change():
    made = auto()
    made.apply(prices(h100="1.20"))
    until(made, "RolloutStarted", 10)
    made.run(10 * MINUTE)
    made.apply(prices(h100="4.50"))
    until(made, "CanaryNotCheaper")

    made.run(5 * MINUTE)
    assert [(L40S, 1)] == runs_on(made)


def test_without_metrics_nothing_is_promoted_and_nothing_taken_away():
    made = auto()
    made.apply(prices(h100="1.20"))
    until(made, "RolloutStarted", 10)
    made.run(10 * MINUTE)
    made.metrics.outage = Reason.PROMETHEUS_UNREACHABLE
    made.run(2 * HOUR)
    assert [(L40S, 1), (H100, 1)] == runs_on(made)
    assert "Promoted" not in reasons(made)
    assert "its metrics cannot be read" in message(made, "RolloutInProgress")

    made.metrics.outage = None
    until(made, "Promoted")


def test_what_serves_grows_with_the_load_while_the_other_proves_itself():
    made = auto()
    made.apply(prices(h100="1.20"))
    until(made, "RolloutStarted", 10)
    made.run(10 * MINUTE)
    made.traffic[KEY] = Traffic(curve=Constant(12.0))
    made.run(10 * MINUTE)

    assert dict(runs_on(made))[L40S] >= 2
    until(made, "Promoted", 400)


def test_the_users_word_ends_it_at_once():
    made = auto()
    made.apply(prices(h100="1.20"))
    until(made, "RolloutStarted", 10)
    made.run(10 * MINUTE)
    annotate(made, rollback="now")
    made.run(3 * MINUTE)

    assert [(L40S, 1)] == runs_on(made)
    assert "RolledBack" in reasons(made)


def test_status_is_written_only_when_something_was_learnt():
    made = auto()
    made.apply(prices(h100="1.20"))
    until(made, "RolloutStarted", 10)
    made.run(20 * MINUTE)
    before = made.store.writes
    made.run(15 * MINUTE)

    assert before == made.store.writes
