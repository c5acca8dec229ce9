"""Budgets of a month: what is counted, what is said, and where growth stops.

Covered: accounting in status across decisions and restarts, each reason of WithinBudget, ceilings for replicas.
Not covered: the arithmetic (tests/unit/savings/test_month.py), simulated months (tests/scenarios/test_budget.py).
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import offering, policy
from costpolicy.reconcile.decide import decide
from costpolicy.units import Money
from staging import START, Stage

BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}
L40S = {"accelerators": ["nvidia-l40s"]}


def stage_with(monthly: str | None, created: int = 0, **spec) -> Stage:
    """A policy on L40S for 1.86 an hour that was created so many days before."""
    budget = {"budget": {"monthly": monthly}} if monthly else {}
    made = Stage(policy(traffic=BUSY, hardware=L40S, **budget, **spec))
    metadata = made.policy.metadata.model_copy(update={"creation_timestamp": START - timedelta(days=created)})
    made.policy = made.policy.model_copy(update={"metadata": metadata})
    return made


def within(stage: Stage) -> tuple[str, str, str]:
    found = next(one for one in stage.status().conditions if one.type == "WithinBudget")
    return found.status, found.reason, found.message


def test_accelerators_are_counted_from_the_moment_their_pods_have_nodes_and_in_exact_sums():
    stage = stage_with(None)
    stage.settle()
    spending = stage.status().spending
    assert ("2026-11", "0.00", "1.86") == (spending.month, spending.spent, spending.cost_per_hour)

    stage.now += timedelta(hours=10)
    stage.offerings = (offering("nvidia-l40s", "2.00"),)
    stage.step()
    later = stage.status().spending
    hours = (later.until - spending.until) / timedelta(hours=1)
    assert pytest.approx(float(later.spent)) == 1.86 * hours
    assert "2.00" == later.cost_per_hour


def test_nothing_is_written_while_the_cost_stays_the_same_and_once_when_the_month_ends():
    stage = stage_with("20000")
    stage.settle()
    written = []
    for hours in (1, 100, 700, 701, 1300):
        stage.now = START + timedelta(hours=hours)
        before = stage.status().spending
        stage.step()
        written.append(stage.status().spending.month if stage.status().spending.until != before.until else "")

    assert ["", "", "2026-12", "", ""] == written
    assert "0.00" == stage.status().spending.spent


def test_time_without_a_price_is_told_as_a_gap():
    stage = stage_with("20000")
    stage.settle()
    known = stage.offerings
    stage.offerings = (offering(),)
    stage.step(minutes=120)
    stage.offerings = known
    stage.step()

    assert "2h" == stage.status().spending.gap
    assert "of 2h the cost is not known" in within(stage)[2]


def test_what_ran_before_it_was_counted_is_a_gap():
    stage = stage_with("20000")
    stage.settle()
    stage.policy = stage.policy.model_copy(update={"status": None})
    stage.now += timedelta(hours=5)
    stage.step()

    assert stage.status().spending.gap.startswith("5h")


def test_a_stalled_policy_goes_on_costing():
    stage = stage_with(None)
    stage.settle()
    stage.edit(traffic=BUSY, hardware={"accelerators": ["nvidia-h10"]})
    stage.offerings = (offering("nvidia-l40s", "2.00"),)
    stage.now += timedelta(hours=10)
    stage.step()

    assert "2.00" == stage.status().spending.cost_per_hour
    assert float(stage.status().spending.spent) > 18


def test_the_forecast_and_the_budget_are_told_without_a_time_that_passes():
    stage = stage_with("20000")
    stage.settle()
    told = within(stage)
    stage.step(minutes=300)
    stage.step()

    assert ("True", "WithinBudget", "2026-11 will cost 1280.00 of 20000.00") == told == within(stage)


def test_a_month_that_would_cost_too_much_is_told_before_it_does(measured):
    stage = stage_with("2000", scaling={"minReplicas": 1})
    stage.settle()
    stage.edit(traffic=BUSY, hardware=L40S, budget={"monthly": "1000"})
    stage.settle()
    status, reason, message = within(stage)

    assert ("False", "ForecastExceedsBudget") == (status, reason)
    assert "2026-11 will cost 1280.00, the budget is 1000.00: no replica is added beyond 1.40 an hour" in message
    assert "2026-12-01T00:00:00Z" in message
    assert "True" == stage.condition("Ready")[0]


def test_scale_up_stops_at_what_is_left_of_the_month(measured):
    stage = stage_with("2900")  # 4.22 for each of the 687 hours left
    stage.settle()
    stage.observed = measured(40.0)
    stage.settle()
    assert [2] == [item["spec"]["replicas"] for item in stage.deployments()]

    stage.now += timedelta(days=20)  # 20 days at 3.72 were cheaper than planned
    for _ in range(3):
        stage.step()
    assert [2] == [item["spec"]["replicas"] for item in stage.deployments()]
    stage.edit(traffic=BUSY, hardware=L40S, budget={"monthly": "3500"})
    stage.settle()
    assert [4] <= [item["spec"]["replicas"] for item in stage.deployments()]


def test_a_month_that_is_spent_keeps_the_promised_replicas_and_the_next_one_begins_anew(measured):
    stage = stage_with("2900", objectives={"availability": {"minReadyReplicas": 1}})
    stage.settle()
    stage.observed = measured(40.0)
    stage.settle()
    stage.edit(traffic=BUSY, hardware=L40S, budget={"monthly": "1"})
    stage.settle()
    assert ("False", "MonthlyBudgetSpent") == within(stage)[:2]
    assert [1] == [item["spec"]["replicas"] for item in stage.deployments()]
    assert "True" == stage.condition("Ready")[0]

    stage.edit(traffic=BUSY, hardware=L40S, budget={"monthly": "2900"})
    stage.now = START.replace(month=12, day=1)
    stage.settle()
    assert "0.00" != stage.status().spending.spent
    assert ("True", "WithinBudget") == within(stage)[:2]


def test_a_first_plan_above_the_months_budget_is_refused():
    stage = stage_with("1000")  # 1.34 an hour in the longest month; one L40S costs 1.86
    stage.settle()

    assert [] == stage.deployments()
    assert ("False", "BudgetExceeded") == within(stage)[:2]


def test_a_first_plan_late_in_the_month_is_still_one_for_whole_months():
    stage = stage_with("1000")
    stage.now = START.replace(day=29)
    stage.settle()

    assert [] == stage.deployments()


def test_with_schedules_the_present_rate_says_nothing_of_the_month(measured):
    nights = [
        {"schedule": "0 20 * * *", "minReplicas": 0, "maxReplicas": 0},
        {"schedule": "0 8 * * *", "minReplicas": 1},
    ]
    stage = stage_with("20000", scaling={"schedules": nights})
    stage.settle()

    assert "2026-11 will cost an unknown part of 20000.00" == within(stage)[2]


def test_the_last_week_says_what_the_rest_of_the_month_will_cost(measured):
    stage = stage_with("20000", created=8)
    stage.settle()
    step = timedelta(hours=3)
    newest = START.replace(hour=9)
    costs = {newest - number * step: Money.parse("1.00") for number in range(56)}
    stage.observed = replace(measured(2.0), costs=costs)
    stage.step()

    hours = (START.replace(month=12, day=1, hour=0) - START) / timedelta(hours=1)
    assert pytest.approx(hours, rel=0.01) == float(stage.status().spending.forecast)


def test_equal_snapshots_get_equal_spending():
    stage = stage_with("20000")
    stage.settle()
    snapshot = stage.snapshot()

    assert decide(snapshot, stage.now).status.spending == decide(snapshot, stage.now).status.spending


def test_over_the_budget_the_cheapest_configuration_takes_over_with_as_many_replicas_as_it_pays_for(measured):
    both = {"accelerators": ["nvidia-l40s", "nvidia-h100-80gb"]}
    auto = {"mode": "Auto", "canary": {"duration": "0s"}, "cooldown": "0s"}
    stage = Stage(policy(traffic=BUSY, hardware=both, rollout=auto))
    stage.offerings = (offering("nvidia-l40s", "9.00"), offering())  # H100 for 2.50 is the cheaper one
    stage.observed = measured(20.0)
    stage.settle(2)
    stage.offerings = (offering("nvidia-l40s", "0.50"), offering())
    stage.edit(traffic=BUSY, hardware=both, rollout=auto, budget={"hourly": "2.00"})
    stage.settle(14)

    [deployment] = stage.deployments()
    assert "nvidia-l40s" in str(deployment["spec"]["template"]["metadata"]["labels"])
    assert 4 == deployment["spec"]["replicas"]
    assert "2.00" == stage.status().target.cost_per_hour
    assert "True" == stage.condition("Ready")[0]
