"""What Jobs that ask prompts have found, and that it is no load of clients.

Covered: Jobs as their controller leaves them, that what ended is read once, rates and lengths without what was asked.
Not covered: decisions (test_gate.py), a real controller.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import policy
from costpolicy.api.operation import Prompts
from costpolicy.api.types import JudgeType
from costpolicy.clock import Clock
from costpolicy.kube.gateway import FieldManager, Pod
from costpolicy.manifests.evaluation_job import Contest, evaluation_job, pause_map
from costpolicy.quality.result import Arm, EvaluationResult
from costpolicy.reconcile.asked import disturbs, without_evaluations
from costpolicy.reconcile.evaluations import Asked, Asking, Evaluations, Failed, outcome_of
from costpolicy.simulation.clock import SimulatedClock
from costpolicy.simulation.gateway import SimulatedGateway
from costpolicy.simulation.store import Store
from staging import NO_METRICS

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
BEGAN, ENDED = NOW - timedelta(minutes=22), NOW - timedelta(minutes=2)
WINDOW = timedelta(minutes=5)
CONTEST = Contest(baseline="0000000000", canary="1111111111")
RESULT = EvaluationResult(
    prompts_digest="abc",
    judge=JudgeType.EXACT,
    both_right=540,
    lost=0,
    gained=0,
    both_wrong=60,
    identical=600,
    baseline=Arm(prompt_tokens=60_000, output_tokens=6_000),
    canary=Arm(prompt_tokens=60_000, output_tokens=6_000),
)


def job(**status: Any) -> dict[str, Any]:
    prompts = Prompts.model_validate({"configMapRef": {"name": "questions"}})
    made = evaluation_job(policy(), prompts, CONTEST, "operator:1")
    metadata = {**made["metadata"], "uid": "uid-1", "creationTimestamp": BEGAN.isoformat()}
    return {**made, "metadata": metadata, "status": status}


def complete() -> dict[str, Any]:
    end = {"type": "Complete", "status": "True", "lastTransitionTime": ENDED.isoformat()}
    return job(startTime=BEGAN.isoformat(), completionTime=ENDED.isoformat(), conditions=[end])


def failed(reason: str = "BackoffLimitExceeded") -> dict[str, Any]:
    end = {"type": "Failed", "status": "True", "reason": reason, "lastTransitionTime": ENDED.isoformat()}
    return job(startTime=BEGAN.isoformat(), conditions=[{"type": "FailureTarget", "status": "True"}, end])


def pod(message: str, name: str = "pod") -> Pod:
    return Pod(
        name=name,
        namespace="default",
        labels={},
        node="n",
        phase="Failed",
        ready=False,
        terminating=False,
        restarts=0,
        requests={},
        termination_message=message,
    )


def test_a_result_is_what_the_pod_left_with_when_it_was_asked_and_of_whom():
    found = outcome_of(complete(), [pod("connection refused", "first"), pod(RESULT.line(), "second")])

    assert Asked(contest=CONTEST, result=RESULT, began=BEGAN, ended=ENDED) == found
    assert timedelta(minutes=20) == found.took


@pytest.mark.parametrize(
    ("stored", "pods", "said"),
    [
        (failed(), [pod("first words"), pod("last words")], "BackoffLimitExceeded: last words"),
        (failed("DeadlineExceeded"), [], "DeadlineExceeded: its pods left no message"),
        (complete(), [], "its pod is gone, or left something that is no result"),
        (complete(), [pod("{}")], "its pod is gone, or left something that is no result"),
    ],
)
def test_without_a_result_it_failed_in_the_pods_words(stored: dict[str, Any], pods: Sequence[Pod], said: str):
    assert Failed(message=said, ended=ENDED) == outcome_of(stored, pods)


class CountingGateway(SimulatedGateway):
    """Counts how often pods of a Job are asked for."""

    asked = 0

    def pods_of_job(self, namespace: str, job: str) -> tuple[Pod, ...]:
        self.asked += 1
        return super().pods_of_job(namespace, job)


@pytest.fixture
def clock() -> Clock:
    return SimulatedClock(NOW)


def test_what_has_ended_is_read_once_and_forgotten_with_its_job(clock: SimulatedClock):
    gateway = CountingGateway(Store(clock))
    evaluations, stored = Evaluations(gateway), failed()
    for _ in range(3):
        [found] = evaluations.of("default", "chat", [stored]).values()
        assert isinstance(found, Failed)
    assert 1 == gateway.asked

    assert {} == evaluations.of("default", "chat", [])
    evaluations.of("default", "chat", [stored])
    assert 2 == gateway.asked
    evaluations.forget("default", "chat")
    evaluations.of("default", "chat", [stored])
    assert 3 == gateway.asked


def test_one_that_still_asks_says_since_when_it_is_paused(clock: SimulatedClock):
    gateway = SimulatedGateway(Store(clock))
    evaluations, stored = Evaluations(gateway), job(startTime=BEGAN.isoformat())
    name = stored["metadata"]["name"]
    assert {name: Asking(uid="uid-1")} == evaluations.of("default", "chat", [stored])

    gateway.apply(pause_map(policy(), name, "uid-1", NOW), FieldManager.OPERATOR)
    assert {name: Asking(uid="uid-1", paused_since=NOW)} == evaluations.of("default", "chat", [stored])
    gateway.apply(pause_map(policy(), name, "uid-1", None), FieldManager.OPERATOR)
    assert {name: Asking(uid="uid-1")} == evaluations.of("default", "chat", [stored])


def test_what_was_asked_is_taken_from_rates_and_lengths_as_far_as_the_window_holds_it(measured):
    """600 prompts in 20 minutes are 0.5 a second, of which the window of 5 minutes saw 3."""
    asked = Asked(contest=CONTEST, result=RESULT, began=BEGAN, ended=ENDED)
    observed = measured(2.3)
    left = without_evaluations(observed, {"job": asked}, WINDOW, NOW)

    assert 2.0 == pytest.approx(left.requests_per_second)
    assert (1000 * 2.3 - 100 * 0.3) / 2.0 == pytest.approx(left.prompt_tokens)
    assert (250 * 2.3 - 10 * 0.3) / 2.0 == pytest.approx(left.output_tokens)


def test_what_serves_asked_twice_counts_twice(measured):
    asked = Asked(contest=replace(CONTEST, canary="0000000000"), result=RESULT, began=BEGAN, ended=ENDED)

    assert 1.7 == pytest.approx(without_evaluations(measured(2.3), {"job": asked}, WINDOW, NOW).requests_per_second)


def test_nothing_is_taken_once_the_window_holds_nothing_of_it_nor_below_nothing(measured):
    asked = Asked(contest=CONTEST, result=RESULT, began=BEGAN, ended=ENDED)
    observed, later = measured(0.1), NOW + WINDOW

    assert observed == without_evaluations(observed, {"job": asked}, WINDOW, later)
    assert 0.0 == without_evaluations(observed, {"job": asked}, WINDOW, NOW).requests_per_second
    assert 1000.0 == without_evaluations(observed, {"job": asked}, WINDOW, NOW).prompt_tokens
    assert NO_METRICS is without_evaluations(NO_METRICS, {"job": asked}, WINDOW, NOW)


def test_rates_are_doubted_while_prompts_are_asked_and_until_the_window_has_forgotten_them():
    asked = Asked(contest=CONTEST, result=RESULT, began=BEGAN, ended=ENDED)

    assert disturbs({"job": Asking(uid="u")}, WINDOW, NOW)
    assert disturbs({"job": asked}, WINDOW, NOW)
    assert not disturbs({"job": asked}, WINDOW, NOW + WINDOW)
    assert not disturbs({"job": Failed(message="", ended=ENDED)}, WINDOW, NOW)
