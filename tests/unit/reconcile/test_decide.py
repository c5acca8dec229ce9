"""What the operator does next, from creation over changes to trouble.

Covered: modes, first deployment, replica loop, edits, better plans, blocked and failed changes, stalled policies.
Not covered: writing (tests/unit/reconcile/test_actions.py), the real API server (tests/integration).
"""

import pytest

from builders import node, offering, policy
from costpolicy.api.types import RolloutMode
from staging import Stage

BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}
H100_ONLY = {"accelerators": ["nvidia-h100-80gb"]}
AUTO = {"mode": "Auto", "cooldown": "0s"}


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


def test_an_edit_of_the_user_is_rolled_out_by_a_surge_and_the_old_variant_goes_last():
    stage = Stage(policy(traffic=BUSY, hardware=H100_ONLY))
    stage.settle()
    old = stage.serving()
    stage.edit(traffic=BUSY, hardware={"accelerators": ["nvidia-l40s"]})
    stage.step()

    assert 2 == len(stage.deployments())
    assert old == stage.serving()
    assert "True" == stage.condition("Reconciling")[0]
    assert ("True", "Serving") == stage.condition("Ready")

    stage.all_ready()
    stage.step()
    assert old != stage.serving()
    assert 2 == len(stage.deployments())

    stage.settle(2)
    assert ["nvidia-l40s"] == [item["metadata"]["labels"]["costpolicy.dev/accelerator"] for item in stage.deployments()]
    assert ("False", "Serving") == stage.condition("Reconciling")
    assert 1 == len(stage.status().history)


def test_mode_initial_only_recommends_a_better_plan():
    stage = Stage(policy(traffic=BUSY), offerings=(offering(),))
    stage.settle()
    stage.offerings = (offering("nvidia-l40s", "1.00"), offering())
    stage.settle()

    assert "nvidia-h100-80gb" == stage.status().current.accelerator
    assert "nvidia-l40s" == stage.status().target.accelerator
    assert 1 == len(stage.deployments())


def test_mode_auto_takes_a_better_plan_only_while_demand_is_measured(measured):
    stage = Stage(policy(traffic=BUSY, rollout=AUTO), offerings=(offering(),))
    stage.settle()
    stage.offerings = (offering("nvidia-l40s", "1.00"), offering())
    stage.settle(3)
    assert ("True", "MetricsStale") == stage.condition("RolloutBlocked")

    stage.observed = measured(2.0)
    stage.settle()
    assert "nvidia-l40s" == stage.status().current.accelerator
    assert 1 == len(stage.deployments())


def test_a_change_that_the_operator_starts_leaves_ready_true_and_reconciling_false(measured):
    stage = Stage(policy(traffic=BUSY, rollout=AUTO), offerings=(offering(),), observed=measured(2.0))
    stage.settle()
    stage.offerings = (offering("nvidia-l40s", "1.00"), offering())
    stage.step()

    assert 2 == len(stage.deployments())
    assert ("True", "Serving") == stage.condition("Ready")
    assert "False" == stage.condition("Reconciling")[0]
    assert ("True", "Surging") == stage.condition("RolloutInProgress")


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


def test_one_replica_and_no_spare_accelerator_blocks_the_change_and_says_what_to_do():
    stage = Stage(policy(traffic=BUSY), nodes=(node("h100", count=1),), offerings=(offering(),))
    stage.settle()
    old = stage.serving()
    stage.edit(traffic=BUSY, engine={"env": [{"name": "SETTING", "value": "new"}]})
    stage.settle(3)

    assert old == stage.serving()
    assert 1 == len(stage.deployments())
    assert ("True", "NoSpareGPU") == stage.condition("RolloutBlocked")
    assert ("True", "Serving") == stage.condition("Ready")


def test_with_downtime_allowed_the_single_replica_is_stopped_first():
    stage = Stage(policy(traffic=BUSY), nodes=(node("h100", count=1),), offerings=(offering(),))
    stage.settle()
    old = stage.serving()
    stage.edit(traffic=BUSY, engine={"env": [{"name": "SETTING", "value": "new"}]}, rollout={"allowDowntime": True})
    stage.settle()

    assert old != stage.serving()
    assert 1 == len(stage.deployments())


def test_a_canary_that_crashes_is_withdrawn_and_not_tried_again_for_this_generation():
    stage = Stage(policy(traffic=BUSY))
    stage.settle()
    old = stage.serving()
    stage.edit(traffic=BUSY, engine={"env": [{"name": "SETTING", "value": "broken"}]})
    stage.step()
    canary = stage.deployments()[-1]["metadata"]["name"]
    stage.failures[canary] = {"restarts": 3, "termination_message": "CUDA error: out of memory"}
    decision = stage.step()
    stage.settle(3)

    assert old == stage.serving()
    assert 1 == len(stage.deployments())
    assert any("out of memory" in news.note for news in decision.news)
    assert "EngineDied" == stage.status().rollout.failed_reason
    assert ("True", "RolledBack") == stage.condition("RolloutBlocked")


def test_a_canary_that_finds_no_node_is_withdrawn_after_fifteen_minutes():
    stage = Stage(policy(traffic=BUSY))
    stage.settle()
    stage.edit(traffic=BUSY, engine={"env": [{"name": "SETTING", "value": "new"}]})
    stage.step()
    canary = stage.deployments()[-1]["metadata"]["name"]
    stage.failures[canary] = {"node": "", "unschedulable": "0/2 nodes are available: insufficient nvidia.com/gpu"}
    stage.step(minutes=14)
    assert 2 == len(stage.deployments())
    stage.step(minutes=2)
    stage.step()

    assert 1 == len(stage.deployments())
    assert "CanaryUnschedulable" == stage.status().rollout.failed_reason


def test_hold_until_stops_changes_until_its_time():
    stage = Stage(policy(traffic=BUSY, hardware=H100_ONLY))
    stage.settle()
    stage.edit(traffic=BUSY, hardware={"accelerators": ["nvidia-l40s"]})
    stage.annotate(hold_until="2026-11-02T10:00:00Z")
    stage.settle(3)
    assert ("True", "HoldUntil") == stage.condition("RolloutBlocked")
    assert 1 == len(stage.deployments())

    stage.now = stage.now.replace(hour=10, minute=1)
    stage.settle()
    assert "nvidia-l40s" == stage.status().current.accelerator


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


def test_mode_auto_never_alters_answers_without_the_gate(measured):
    stage = Stage(policy(traffic=BUSY, rollout=AUTO), observed=measured(2.0), mode=RolloutMode.AUTO)
    stage.settle()

    assert "bf16" == stage.status().current.weights
    assert ("True", "NoChangeYet") == stage.condition("QualityMaintained")
