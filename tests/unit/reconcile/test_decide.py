"""What the operator does next, from creation over changes to trouble.

Covered: modes that advise, first deployment, replica loop, stalled policies.
Not covered: changes of what runs (test_configuration_changes.py), writing (test_actions.py), the real API server
(tests/integration).
"""

import pytest

from builders import policy
from staging import Stage

BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}
H100_ONLY = {"accelerators": ["nvidia-h100-80gb"]}


def test_the_first_plan_is_created_with_its_service_and_no_more_than_needed():
    stage = Stage(policy(traffic=BUSY))
    decision = stage.step()

    kinds = sorted(kind for kind, _ in stage.children)
    assert ["Deployment", "Service", "Service"] == kinds
    assert stage.serving() == stage.deployments()[0]["metadata"]["labels"]["costpolicy.dev/variant"]
    assert "Planned" in [news.reason for news in decision.news]
    assert ("False", "WaitingForReplicas") == stage.condition("Ready")
    assert ("True", "Progressing") == stage.condition("Reconciling")


def test_it_is_ready_when_the_promised_replicas_are():
    stage = Stage(policy(traffic=BUSY))
    stage.settle(1)

    assert ("True", "Serving") == stage.condition("Ready")
    assert "False" == stage.condition("Reconciling")[0]
    assert "False" == stage.condition("Stalled")[0]


def test_deciding_again_changes_nothing_and_says_nothing():
    stage = Stage(policy(traffic=BUSY))
    stage.settle()
    children, status = dict(stage.children), stage.status()
    decision = stage.step()

    assert children == stage.children
    assert status == decision.status
    assert () == decision.news
    assert () == decision.deletions


@pytest.mark.parametrize("mode", ["Off", "Recommend"])
def test_modes_that_advise_create_nothing_and_are_ready_with_a_plan(mode):
    stage = Stage(policy(traffic=BUSY, rollout={"mode": mode}))
    decision = stage.step()

    assert {} == stage.children
    assert ("True", "Planned") == stage.condition("Ready")
    assert decision.status.target is not None


@pytest.mark.parametrize("mode", ["Off", "Recommend"])
def test_no_change_of_mode_touches_what_runs(mode):
    stage = Stage(policy(traffic=BUSY, hardware=H100_ONLY))
    stage.settle()
    before = dict(stage.children)
    stage.edit(traffic=BUSY, rollout={"mode": mode})
    stage.settle(3)

    assert before == stage.children
    assert "nvidia-l40s" == stage.status().target.accelerator
    assert "nvidia-h100-80gb" == stage.status().current.accelerator


def test_replicas_follow_the_load_up_at_once_and_down_after_the_stabilization(measured):
    stage = Stage(policy(traffic=BUSY, hardware={"accelerators": ["nvidia-l40s"]}), observed=measured(2.0))
    stage.settle()
    before = stage.deployments()[0]["spec"]["replicas"]

    stage.observed = measured(12.0)
    stage.step()
    risen = stage.deployments()[0]["spec"]["replicas"]
    assert risen > before

    stage.all_ready()
    stage.observed = measured(2.0)
    stage.step(minutes=1)
    assert risen == stage.deployments()[0]["spec"]["replicas"]
    stage.step(minutes=5)
    stage.step()
    assert before == stage.deployments()[0]["spec"]["replicas"]


def test_nothing_is_scaled_down_when_metrics_are_gone(measured):
    stage = Stage(policy(traffic=BUSY, hardware={"accelerators": ["nvidia-l40s"]}), observed=measured(12.0))
    stage.settle()
    risen = stage.deployments()[0]["spec"]["replicas"]
    stage.observed = Stage(stage.policy).observed
    stage.settle()

    assert risen == stage.deployments()[0]["spec"]["replicas"]
    assert ("False", "PrometheusUnreachable") == stage.condition("MetricsAvailable")
    assert "True" == stage.condition("Ready")[0]


def test_a_night_at_zero_is_ready_and_the_morning_comes_back():
    nights = [
        {"schedule": "0 8 * * *", "minReplicas": 1, "maxReplicas": 5},
        {"schedule": "0 20 * * *", "minReplicas": 0, "maxReplicas": 0},
    ]
    stage = Stage(policy(traffic=BUSY, scaling={"schedules": nights}))
    stage.settle()
    stage.now = stage.now.replace(hour=20, minute=1)
    stage.step(minutes=6)
    stage.step()
    stage.ready.clear()
    stage.step()
    assert [0] == [item["spec"]["replicas"] for item in stage.deployments()]
    assert ("True", "ScheduledToZero") == stage.condition("Ready")

    stage.now = stage.now.replace(day=3, hour=8, minute=1)
    stage.step()
    assert 1 <= stage.deployments()[0]["spec"]["replicas"]


def test_growth_stops_at_the_budget_and_what_serves_keeps_serving(measured):
    stage = Stage(policy(traffic=BUSY, hardware={"accelerators": ["nvidia-l40s"]}, budget={"hourly": "4.00"}))
    stage.settle()
    stage.observed = measured(40.0)
    stage.settle()
    assert [2] == [item["spec"]["replicas"] for item in stage.deployments()]
    assert ("True", "WithinBudget") == stage.condition("WithinBudget")

    stage.edit(traffic=BUSY, hardware={"accelerators": ["nvidia-l40s"]}, budget={"hourly": "1.00"})
    stage.settle()
    assert [1] == [item["spec"]["replicas"] for item in stage.deployments()]
    assert ("False", "OverBudget") == stage.condition("WithinBudget")
    assert "True" == stage.condition("Ready")[0]


def test_a_policy_that_only_its_owner_can_mend_is_stalled_and_what_serves_stays():
    stage = Stage(policy(traffic=BUSY))
    stage.settle()
    before = dict(stage.children)
    stage.edit(traffic=BUSY, hardware={"accelerators": ["nvidia-h10"]})
    decision = stage.step()

    assert before == stage.children
    assert ("True", "UnknownAccelerator") == stage.condition("Stalled")
    assert ("True", "Serving") == stage.condition("Ready")
    assert ["UnknownAccelerator"] == [news.reason for news in decision.news]


def test_somebody_who_edits_a_child_by_hand_is_put_right():
    stage = Stage(policy(traffic=BUSY))
    stage.settle()
    deployment = stage.deployments()[0]
    good = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    stage.children["Deployment", deployment["metadata"]["name"]]["spec"]["template"]["spec"]["containers"][0][
        "args"
    ] = []
    stage.step()

    assert good == stage.deployments()[0]["spec"]["template"]["spec"]["containers"][0]["args"]
