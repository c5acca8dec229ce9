"""What a canary has shown beside what serves.

Covered: warm-up, evidence, objectives missed alone and together, failures, silence, patience, clocks that are set back.
Not covered: what the operator makes of it (tests/scenarios/test_canary.py).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from costpolicy.rollout.evidence import (
    CONFIRMED_AFTER,
    PATIENCE,
    WARM_UP,
    Against,
    Arm,
    Enough,
    Evidence,
    Gathering,
    Step,
    judge_canary,
)

SINCE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
OBJECTIVES = frozenset({"TTFT", "inter-token latency"})
GOOD = Arm(requests_per_second=1.0, failed_per_second=0.0, finished_per_second=1.0, missed=frozenset(), kept=OBJECTIVES)
SLOW = replace(GOOD, missed=frozenset({"TTFT"}), kept=OBJECTIVES - {"TTFT"})
FAILING = replace(GOOD, failed_per_second=0.05)
DONE = WARM_UP + HALF_AN_HOUR


def judged(
    new: Arm | None = GOOD, old: Arm | None = GOOD, after: timedelta = DONE, wrong_for: timedelta | None = None
) -> Evidence:
    now = SINCE + after
    step = Step(
        since=SINCE,
        duration=HALF_AN_HOUR,
        wrong_since=None if wrong_for is None else now - wrong_for,
        objectives=OBJECTIVES,
    )
    return judge_canary(new, old, step, now)


def test_what_keeps_everything_for_the_whole_step_is_enough():
    assert Enough() == judged()
    assert isinstance(judged(after=DONE - timedelta(seconds=1)), Gathering)


def test_while_it_warms_up_nothing_is_held_against_it():
    assert Gathering(message="it warms up until 2026-11-23T12:10:00Z") == judged(
        SLOW, after=WARM_UP - timedelta(seconds=1), wrong_for=CONFIRMED_AFTER
    )


@pytest.mark.parametrize(("arm", "reason"), [(SLOW, "CanaryMissesObjective"), (FAILING, "CanaryFailsRequests")])
def test_what_stays_wrong_ends_it_and_what_was_wrong_once_does_not(arm: Arm, reason: str):
    first = judged(arm)
    assert isinstance(first, Gathering)
    assert SINCE + DONE == first.wrong_since

    last = judged(arm, wrong_for=CONFIRMED_AFTER)
    assert isinstance(last, Against)
    assert reason == last.reason

    assert Enough() == judged(GOOD, wrong_for=CONFIRMED_AFTER)


@pytest.mark.parametrize("arm", [SLOW, FAILING])
def test_what_is_wrong_with_both_is_not_the_canarys_doing_but_proves_nothing(arm: Arm):
    both = judged(arm, arm, wrong_for=CONFIRMED_AFTER)

    assert isinstance(both, Enough if arm is FAILING else Gathering)
    assert getattr(both, "wrong_since", None) is None


def test_a_few_failures_are_chance():
    assert Enough() == judged(replace(GOOD, failed_per_second=0.015, finished_per_second=0.015))


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (None, "cannot be read"),
        (replace(GOOD, requests_per_second=None), "cannot be read"),
        (replace(GOOD, kept=frozenset({"TTFT"})), "inter-token latency is not known"),
        (replace(GOOD, requests_per_second=0.001), "fewer than 100 requests"),
    ],
)
def test_without_an_answer_it_is_neither_enough_nor_wrong_and_given_up_after_a_day(new: Arm | None, why: str):
    found = judged(new)
    assert isinstance(found, Gathering)
    assert why in found.message
    assert found.wrong_since is None

    end = judged(new, after=PATIENCE)
    assert isinstance(end, Against)
    assert ("CanaryInconclusive", True) == (end.reason, why in end.message)


def test_without_the_other_arms_metrics_the_canary_answers_for_itself():
    assert Enough() == judged(old=None)
    assert isinstance(judged(SLOW, None, wrong_for=CONFIRMED_AFTER), Against)


def test_a_clock_that_was_set_back_confirms_nothing():
    assert isinstance(judged(SLOW, wrong_for=-timedelta(hours=1)), Gathering)
