"""Another configuration takes over, or does not: edits, better plans, blocked, held and failed changes.

Covered: decisions.  Not covered: days of them (tests/scenarios/test_changes.py), interruptions (tests/faults).
"""

from builders import node, offering, policy
from costpolicy.api.types import RolloutMode
from staging import Stage

BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}
H100_ONLY = {"accelerators": ["nvidia-h100-80gb"]}
AUTO = {"mode": "Auto", "cooldown": "0s", "canary": {"duration": "0s"}}
"""Better plans without evidence; with it: test_canary.py."""


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
    for _ in range(6):
        stage.step()

    assert 2 == len(stage.deployments())
    assert ("True", "Serving") == stage.condition("Ready")
    assert "False" == stage.condition("Reconciling")[0]
    assert ("True", "Surging") == stage.condition("RolloutInProgress")


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
    assert ["EngineDied"] == [one.reason for one in stage.status().rollout.rejected]
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
    assert ["CanaryUnschedulable"] == [one.reason for one in stage.status().rollout.rejected]


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


def test_mode_auto_never_alters_answers_without_the_gate(measured):
    stage = Stage(policy(traffic=BUSY, rollout=AUTO), observed=measured(2.0), mode=RolloutMode.AUTO)
    stage.settle()

    assert "bf16" == stage.status().current.weights
    assert ("True", "NoChangeYet") == stage.condition("QualityMaintained")


def test_a_canary_whose_image_cannot_be_pulled_is_withdrawn_after_two_hours():
    stage = Stage(policy(traffic=BUSY))
    stage.settle()
    old = stage.serving()
    stage.edit(traffic=BUSY, engine={"image": "example.com/no/such:image"})
    stage.step()
    canary = stage.deployments()[-1]["metadata"]["name"]
    stage.failures[canary] = {"waiting_reason": "ImagePullBackOff"}
    stage.step(minutes=118)
    assert 2 == len(stage.deployments())
    stage.step(minutes=2)
    decision = stage.step()

    assert old == stage.serving()
    assert ["CanaryNeverReady"] == [one.reason for one in stage.status().rollout.rejected]
    assert any("ImagePullBackOff" in news.note for news in decision.news)
    stage.step()
    assert 1 == len(stage.deployments())


def test_an_edit_without_metrics_gets_the_replicas_of_its_plan_however_much_more_served_before():
    small = {"requestsPerSecond": 0.2, "promptTokens": 500, "outputTokens": 150}
    stage = Stage(policy(traffic=small, hardware=H100_ONLY))
    stage.settle()
    stage.edit(traffic=small, hardware={"accelerators": ["nvidia-l40s"]})  # a fraction of its capacity
    stage.settle()

    assert ["nvidia-l40s", 1] == [stage.status().current.accelerator, stage.status().current.replicas]
