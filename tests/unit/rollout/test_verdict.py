"""The verdict on a better plan: each reason to hold, and their order.

Covered: tables over money and time.
Not covered: where proposals come from (tests/unit/reconcile), what a change costs (test_disruption.py).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from costpolicy.api.operation import MaintenanceWindow, Rollout
from costpolicy.rollout.verdict import SETTLES_WITHIN, STANDS_FOR, Hold, Proceed, Proposal, judge
from costpolicy.units import Money

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
GOOD = Proposal(
    current_cost=Money.parse("4.00"),
    target_cost=Money.parse("2.00"),
    disruption_cost=Money.parse("1.00"),
    metrics_fresh=True,
    last_change=None,
    proposed_since=NOW - STANDS_FOR,
)
CLOSED = Rollout(maintenance_windows=(MaintenanceWindow(schedule="0 2 * * *", duration="1h"),))


def verdict_on(rollout: Rollout | None = None, **changes: object) -> Hold | Proceed:
    return judge(replace(GOOD, **changes), rollout or Rollout(), NOW)


def test_where_no_number_of_replicas_would_do_no_saving_is_asked_for_and_none_is_claimed():
    assert Proceed(message="what runs cannot keep its promise any more") == verdict_on(current_cost=None)


def test_what_pays_goes_ahead_and_says_what_it_saves():
    assert Proceed(message="it saves 2.00 an hour") == verdict_on()


@pytest.mark.parametrize(
    ("reason", "changes", "rollout"),
    [
        ("SavingTooSmall", {"target_cost": Money.parse("3.81")}, Rollout()),
        ("SavingTooSmall", {"target_cost": Money.parse("4.00")}, Rollout(minimum_savings="0")),
        ("SavingTooSmall", {"target_cost": Money.parse("5.00")}, Rollout(minimum_savings="0")),
        ("SavingTooSmall", {"current_cost": Money(0), "target_cost": Money(0)}, Rollout()),
        ("DoesNotPayBack", {"disruption_cost": Money.parse("2.00")}, Rollout(payback_horizon="1h")),
        ("DoesNotPayBack", {"disruption_cost": Money.parse("400.00")}, Rollout()),
        ("MetricsStale", {"metrics_fresh": False}, Rollout()),
        ("CoolingDown", {"last_change": NOW - timedelta(minutes=59)}, Rollout()),
        ("CoolingDown", {"changes": tuple(NOW - hours * HOUR for hours in (2, 8, 14, 20))}, Rollout()),
        ("OutsideWindow", {}, CLOSED),
        ("InTransition", {"unready_since": NOW - SETTLES_WITHIN + timedelta(seconds=1)}, Rollout()),
        ("OthersChanging", {"others_changing": True}, Rollout()),
        ("Revalidating", {"proposed_since": None}, Rollout()),
        ("Revalidating", {"proposed_since": NOW - STANDS_FOR + timedelta(seconds=1)}, Rollout()),
        ("Revalidating", {"proposed_since": NOW + HOUR}, Rollout()),  # the clock was set back
    ],
)
def test_it_holds_and_names_the_reason(reason: str, changes: dict[str, object], rollout: Rollout):
    found = verdict_on(rollout, **changes)

    assert isinstance(found, Hold)
    assert reason == found.reason
    assert found.message


@pytest.mark.parametrize(
    ("changes", "rollout"),
    [
        ({"target_cost": Money.parse("3.80")}, Rollout()),  # exactly the minimum
        ({"last_change": NOW - HOUR}, Rollout()),  # exactly the cooldown
        ({"disruption_cost": Money.parse("1.999999")}, Rollout(payback_horizon="1h")),
        ({"last_change": NOW}, Rollout(cooldown="0s")),
        ({"changes": tuple(NOW - hours * HOUR for hours in (2, 8, 14, 24))}, Rollout()),
        ({"current_cost": None, "target_cost": Money.parse("99.00")}, Rollout()),  # nothing else keeps the promise
        ({"unready_since": NOW - SETTLES_WITHIN}, Rollout()),
        ({}, Rollout(maintenance_windows=(MaintenanceWindow(schedule="0 12 * * *", duration="1h"),))),
    ],
)
def test_at_the_edge_it_goes_ahead(changes: dict[str, object], rollout: Rollout):
    assert isinstance(verdict_on(rollout, **changes), Proceed)


def test_the_first_reason_wins_money_before_time():
    changes = {"target_cost": Money.parse("3.99"), "metrics_fresh": False, "last_change": NOW}

    assert Hold(
        reason="SavingTooSmall", message="the best plan saves 0.2%, spec.rollout.minimumSavings is 5%"
    ) == verdict_on(CLOSED, **changes)


def test_the_end_of_the_cooldown_is_told_as_a_time_which_does_not_flutter():
    found = verdict_on(last_change=NOW - timedelta(minutes=40))

    assert found.message.endswith(f"not before {NOW + timedelta(minutes=20):%Y-%m-%dT%H:%M:%SZ}")
