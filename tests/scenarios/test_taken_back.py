"""A better plan that was measured to cost more is taken back, once, and what served before it serves again.

The ledger's verdict is put into status as days of measuring would (test_measured.py lets them pass); the rest is played.
Not covered: the arithmetic of the verdict (tests/unit/savings), kills in between (tests/faults/test_killed_taken_back.py).
"""

from typing import Any

import pytest

from stories import (
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
    reasons,
    reference_of,
    runs_on,
    serving,
)
from taking_back import AUTO, LOST, SAVED, measured, moved


def test_it_goes_back_says_why_and_does_not_try_again():
    made = moved()
    measured(made, LOST)
    made.run(HOUR, step=MINUTE)

    assert [(L40S, 1)] == runs_on(made)
    receipt = made.status(*KEY)["history"][0]
    assert "was measured to cost 1.20 an hour, and what served before it would cost 0.96" in receipt["change"]
    assert ("1 nvidia-h100-80gb, bf16 weights", "1 nvidia-l40s, bf16 weights") == (receipt["before"], receipt["after"])

    made.run(3 * HOUR, step=MINUTE)
    assert [(L40S, 1)] == runs_on(made)
    assert 2 == reasons(made).count("Promoted")
    assert ("True", "RolledBack") == conditions(made)["RolloutBlocked"]
    assert "ChangeDidNotSave" in message(made, "RolloutBlocked")


def test_an_edit_lets_it_be_tried_again():
    made = moved()
    measured(made, LOST)
    made.run(HOUR, step=MINUTE)
    made.apply(chat(rollout=AUTO, budget={"monthly": "5000"}))
    made.run(HOUR, step=MINUTE)

    assert [(H100, 1)] == runs_on(made)


@pytest.mark.parametrize(
    ("interval", "more"),
    [(SAVED, {}), ({"low": -0.3, "high": 0.1, "level": 0.95}, {}), (LOST, {"complete": False})],
    ids=["it saved", "it may have saved", "days are missing"],
)
def test_what_was_not_shown_to_cost_more_stays(interval: dict[str, float], more: dict[str, Any]):
    made = moved()
    measured(made, interval, **more)
    made.run(HOUR, step=MINUTE)

    assert [(H100, 1)] == runs_on(made)
    assert 1 == reasons(made).count("Promoted")


def test_the_word_of_the_user_goes_first():
    made = moved()
    annotate(made, hold_until="2026-12-24T00:00:00Z")
    measured(made, LOST)
    made.run(HOUR, step=MINUTE)
    assert [(H100, 1)] == runs_on(made)

    annotate(made, hold_until=None)
    made.run(HOUR, step=MINUTE)
    assert [(L40S, 1)] == runs_on(made)


def test_a_window_is_waited_for():
    made = moved()
    window = {"schedule": "0 15 * * *", "duration": "1h", "timeZone": "UTC"}
    made.store.edit(reference_of(), {"spec": {"rollout": {"maintenanceWindows": [window]}}}, "kubectl-edit")
    made.run(5 * MINUTE)
    measured(made, LOST)
    made.run(HOUR, step=MINUTE)
    assert [(H100, 1)] == runs_on(made)
    assert ("True", "OutsideWindow") == conditions(made)["RolloutBlocked"]

    made.run(6 * HOUR, step=2 * MINUTE)
    assert [(L40S, 1)] == runs_on(made)


def test_an_edit_of_the_user_is_never_taken_back():
    made = serving(hardware={"accelerators": [L40S]}, rollout=AUTO)
    made.apply(chat(hardware={"accelerators": [H100]}, rollout=AUTO))
    made.run(HOUR, step=MINUTE)
    made.apply(chat(rollout=AUTO | {"minimumSavings": "90%"}, hardware={"accelerators": [H100, L40S]}))
    made.run(HOUR, step=MINUTE)
    running = runs_on(made)
    measured(made, LOST)
    made.run(HOUR, step=MINUTE)

    assert running == runs_on(made)


def test_a_loss_too_small_to_go_back_for_keeps_no_better_plan_away():
    made = moved()
    measured(made, {"low": -0.03, "high": -0.02, "level": 0.95})
    made.run(HOUR, step=MINUTE)
    assert [(H100, 1)] == runs_on(made)

    made.apply(prices(h100="4.50"))
    made.run(HOUR, step=MINUTE)
    assert [(L40S, 1)] == runs_on(made)
    assert made.status(*KEY)["history"][0]["change"].startswith("it saves")
