"""What comes next, from status alone.

Covered: times of cooldown, windows and standing plans together, modes, holds without a time, schedules, a rise of days before,
order.
Not covered: that it then happens (tests/scenarios/test_upcoming.py).
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import plan_status, policy
from costpolicy.api.status import CostPolicyStatus
from costpolicy.api.types import RolloutMode
from costpolicy.rollout.upcoming import Upcoming, upcoming

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PLAN = plan_status()
CHEAPER = {**PLAN, "accelerator": "nvidia-l40s", "replicas": 1, "costPerHour": "1.86"}
NIGHTLY = {"maintenanceWindows": [{"schedule": "0 2 * * *", "duration": "1h"}]}
PROPOSED = {"phase": "Steady", "proposedVariant": "0123456789", "proposedSince": "2026-11-23T11:58:00Z"}


def coming(
    rollout: dict[str, Any] | None = None,
    spec: dict[str, Any] | None = None,
    blocked: tuple[str, str, str] | None = None,
    target: dict[str, Any] = CHEAPER,
    recommended: dict[str, Any] | None = None,
    **more: Any,
) -> tuple[Upcoming, ...]:
    conditions = []
    if blocked:
        status, reason, message = blocked
        conditions = [
            {
                "type": "RolloutBlocked",
                "status": status,
                "reason": reason,
                "message": message,
                "lastTransitionTime": "2026-11-23T11:00:00Z",
            }
        ]
    stored = policy(rollout={"mode": "Auto", **(spec or {})}, **more).model_copy(
        update={
            "status": CostPolicyStatus.model_validate(
                {
                    "current": PLAN,
                    "target": target,
                    "recommended": recommended,
                    "rollout": rollout or PROPOSED,
                    "conditions": conditions,
                }
            )
        }
    )
    return upcoming(stored, RolloutMode.INITIAL, NOW)


def test_a_plan_that_has_yet_to_stand_comes_when_it_has_and_says_what_it_saves():
    [found] = coming(blocked=("False", "Revalidating", "the plan is begun if it still stands at 12:03"))

    assert NOW + timedelta(minutes=3) == found.at
    assert "3.14" == found.saves_an_hour.text(2)
    assert "1 nvidia-l40s OnDemand" in found.what
    assert "stands" in found.why


@pytest.mark.parametrize(
    ("rollout", "spec", "expected"),
    [
        ({**PROPOSED, "lastChangeAt": "2026-11-23T11:30:00Z"}, {}, "2026-11-23T12:30"),
        (PROPOSED, NIGHTLY, "2026-11-24T02:00"),
        ({**PROPOSED, "lastChangeAt": "2026-11-23T11:30:00Z"}, {**NIGHTLY, "cooldown": "15h"}, "2026-11-24T02:30"),
        ({**PROPOSED, "lastChangeAt": "2026-11-23T11:30:00Z"}, {**NIGHTLY, "cooldown": "16h"}, "2026-11-25T02:00"),
    ],
    ids=["cooldown", "window", "cooldown ends inside a window", "cooldown ends after it"],
)
def test_cooldown_and_windows_are_waited_for_together(rollout: dict, spec: dict, expected: str):
    [found] = coming(rollout, spec)

    assert datetime.fromisoformat(expected).replace(tzinfo=UTC) == found.at


@pytest.mark.parametrize("reason", ["MetricsStale", "RolledBack", "SavingTooSmall", "NoSpareGPU"])
def test_what_waits_for_something_else_has_no_time_and_says_for_what(reason: str):
    [found] = coming(blocked=("True", reason, "what it waits for"))

    assert (None, "what it waits for") == (found.at, found.why)


GATED = {**CHEAPER, "weights": "fp8", "costPerHour": "0.93"}


def test_a_plan_that_is_asked_about_is_the_one_that_is_told():
    [found] = coming(blocked=("False", "EvaluationRunning", "what serves is asked twice"), recommended=GATED)
    assert "fp8 weights" in found.what
    assert found.at is None
    assert "asked twice" in found.why

    [found] = coming(target=PLAN, recommended=GATED)
    assert "fp8 weights" in found.what


def test_a_plan_that_the_gate_is_not_asked_about_stays_behind_the_one_that_comes():
    [found] = coming(recommended=GATED)

    assert "fp8" not in found.what


def test_a_mode_that_only_advises_never_changes_by_itself():
    [found] = coming(rollout={"phase": "Steady"}, spec={"mode": "Recommend"})

    assert found.at is None
    assert "Recommend" in found.why


def test_a_change_under_way_is_now():
    [found] = coming({"phase": "Surging", "fromVariant": "a", "toVariant": "b", "message": "it saves 3.14 an hour"})

    assert (NOW, "it saves 3.14 an hour") == (found.at, found.why)


def test_the_same_configuration_with_other_replicas_is_no_change():
    assert () == coming({"phase": "Steady"}, target={**PLAN, "replicas": 3})


def test_schedules_come_in_order_and_before_what_has_no_time():
    schedules = [
        {"schedule": "0 20 * * *", "timeZone": "Europe/Berlin", "minReplicas": 0, "maxReplicas": 0},
        {"schedule": "0 8 * * *", "timeZone": "Europe/Berlin", "minReplicas": 2},
    ]
    found = coming(blocked=("True", "MetricsStale", "no metrics"), scaling={"schedules": schedules})

    assert ["no replica from then on", "2 to 10 replicas from then on"] == [one.what for one in found[:2]]
    assert ["2026-11-23T19:00", "2026-11-24T07:00", None] == [one.at and f"{one.at:%Y-%m-%dT%H:%M}" for one in found]


def test_before_the_first_answer_nothing_is_said():
    assert () == upcoming(policy(), RolloutMode.AUTO, NOW)


def test_replicas_that_are_got_ready_for_a_rise_are_told_with_what_they_are_for():
    ahead = {"requestsPerSecond": 40.0, "withinMinutes": 30, "replicas": 8}
    status = CostPolicyStatus.model_validate({"current": PLAN, "target": PLAN, "ahead": ahead})
    (rise,) = upcoming(policy().model_copy(update={"status": status}), RolloutMode.INITIAL, NOW)

    assert (NOW, "8 replicas for 40 requests/s") == (rise.at, rise.what)
    assert "on days before the load rose within 30 minutes from this time" == rise.why
