"""The operator's own changes: when they begin, what ends them, what is remembered of those that failed.

Covered: decisions.  Not covered: evidence over hours (tests/scenarios/test_canary.py), edits (test_configuration_changes.py).
"""

from dataclasses import replace

from builders import node, offering, policy
from staging import Stage

BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}
AUTO = {"mode": "Auto", "cooldown": "0s", "canary": {"duration": "0s"}}
"""Better plans without evidence; with it: test_canary.py."""


def cheaper_l40s(measured, **fields) -> Stage:
    """A policy in Auto that serves on H100, and L40S for less money."""
    stage = Stage(policy(traffic=BUSY, rollout=AUTO), offerings=(offering(),), observed=measured(2.0), **fields)
    stage.settle()
    stage.offerings = (offering("nvidia-l40s", "1.00"), offering())
    return stage


def test_a_better_plan_has_to_stand_before_it_is_begun(measured):
    stage = cheaper_l40s(measured)
    stage.step(minutes=4)
    assert ("False", "Revalidating") == stage.condition("RolloutBlocked")

    stage.step(minutes=1)
    assert 1 == len(stage.deployments())
    stage.step()
    assert 2 == len(stage.deployments())


def test_a_better_plan_that_was_gone_in_between_has_to_stand_anew(measured):
    stage = cheaper_l40s(measured)
    stage.step(minutes=4)
    dear = (offering("nvidia-l40s", "10.00"), offering())
    stage.offerings, cheap = dear, stage.offerings
    stage.step(minutes=4)
    assert stage.status().rollout.proposed_since is None

    stage.offerings = cheap
    for _ in range(5):
        stage.step()
        assert 1 == len(stage.deployments())
    stage.step()
    assert 2 == len(stage.deployments())


def test_a_change_waits_for_replicas_that_start_but_not_for_ever(measured):
    stage = cheaper_l40s(measured)
    name, since = stage.deployments()[0]["metadata"]["name"], stage.now
    stage.ready[name] = 0
    stage.failures[name] = {"unready_since": since}
    for _ in range(6):
        stage.step(minutes=4)
        assert ("False", "InTransition") == stage.condition("RolloutBlocked")
        assert 1 == len(stage.deployments())

    stage.step(minutes=6)
    stage.step()
    assert 2 == len(stage.deployments())


def test_two_variants_that_fail_are_not_tried_in_turn(measured):
    stage = cheaper_l40s(measured, nodes=(node("l40s", "nvidia-l40s", 8), node("h100")))
    tried = []
    for cheapest in ("1.20", "0.30", "1.20", "0.30"):
        other = {"nvidia-l40s": "1.00", "nvidia-a100-80gb": cheapest}
        stage.offerings = (*(offering(name, price) for name, price in other.items()), offering())
        stage.nodes = (node("l40s", "nvidia-l40s", 8), node("h100"), node("a100", "nvidia-a100-80gb", 8))
        for _ in range(8):
            stage.step()
            for deployment in stage.deployments():
                hash_ = deployment["metadata"]["name"]
                if "h100" not in deployment["metadata"]["labels"]["costpolicy.dev/accelerator"]:
                    tried.append(hash_)
                    stage.failures[hash_] = {"restarts": 3, "termination_message": "no kernel image is available"}

    assert 2 == len(set(tried))
    assert 2 == len([one for one, after in zip(tried, [*tried[1:], ""], strict=True) if one != after])
    assert {"EngineDied"} == {one.reason for one in stage.status().rollout.rejected}
    assert ("True", "RolledBack") == stage.condition("RolloutBlocked")


def test_a_variant_that_found_no_node_is_tried_again_once_more_accelerators_are_free(measured):
    stage = cheaper_l40s(measured, nodes=(node("l40s", "nvidia-l40s", 1), node("h100")))
    for _ in range(6):
        stage.step()
    canary = stage.deployments()[-1]["metadata"]["name"]
    stage.failures[canary] = {"node": "", "unschedulable": "0/2 nodes are available: 1 node had an untolerated taint"}
    stage.step(minutes=15)
    stage.step()
    for _ in range(10):
        stage.step()
        assert 1 == len(stage.deployments())
    assert ("True", "RolledBack") == stage.condition("RolloutBlocked")

    stage.nodes = (node("l40s", "nvidia-l40s", 4), node("h100"))
    for _ in range(7):
        stage.step()
    assert 2 == len(stage.deployments())


def test_what_lost_its_nodes_is_replaced_at_once_by_as_many_as_carry_the_same(measured):
    stage = cheaper_l40s(measured)
    stage.offerings = (offering(), offering("nvidia-l40s", "9.00"))
    stage.settle(3)
    before = stage.deployments()[0]["spec"]["replicas"]
    stage.nodes = (node("l40s", "nvidia-l40s", 8),)
    stage.observed = replace(measured(0.0), variants=(replace(measured(0.0).variants[0], requests_per_second=0.0),))
    stage.step()

    lost, other = stage.deployments()
    assert "OutOfStock" == stage.status().rollout.trigger
    assert "nvidia-l40s" == other["metadata"]["labels"]["costpolicy.dev/accelerator"]
    assert other["spec"]["replicas"] > before  # an L40S carries less
    assert before == lost["spec"]["replicas"]
    assert "no node carries nvidia-h100-80gb" in stage.status().rollout.message


def test_what_needs_more_accelerators_than_there_are_moves_to_dearer_ones(measured):
    nodes = (node("l40s", "nvidia-l40s", 1), node("h100"))
    stage = Stage(policy(traffic=BUSY, rollout=AUTO), observed=measured(2.0), nodes=nodes)
    stage.settle()
    assert "nvidia-l40s" == stage.status().current.accelerator

    stage.observed = measured(40.0)
    stage.step()
    name = stage.deployments()[0]["metadata"]["name"]
    stage.failures[name] = {"unschedulable": "0/2 nodes are available: insufficient nvidia.com/gpu"}
    stage.step()

    assert "OutOfStock" == stage.status().rollout.trigger
    assert "on nvidia-l40s are needed, and 1 find accelerators" in stage.status().rollout.message
    assert ("True", "Surging") == stage.condition("RolloutInProgress")


def test_a_stage_of_which_not_all_replicas_get_ready_ends_after_a_day(measured):
    canary = {"step": "100%"}
    stage = Stage(
        policy(traffic={**BUSY, "requestsPerSecond": 30}, rollout={"mode": "Auto", "canary": canary}),
        offerings=(offering("nvidia-l40s", "1.86"), offering("nvidia-h100-80gb", "50.00")),
        nodes=(node("l40s", "nvidia-l40s", 32), node("h100")),
        observed=measured(30.0),
    )
    stage.settle()
    stage.offerings = (offering("nvidia-l40s", "1.86"), offering("nvidia-h100-80gb", "0.10"))
    for _ in range(6):
        stage.step()
    new = stage.deployments()[-1]
    assert new["spec"]["replicas"] >= 2
    name = new["metadata"]["name"]
    stage.ready[name] = 1
    stage.step(minutes=24 * 60)
    assert 2 == len(stage.deployments())
    stage.step()

    assert ["CanaryNeverReady"] == [one.reason for one in stage.status().rollout.rejected]


def test_a_canary_that_loses_its_only_replica_after_hours_gets_its_two_hours_anew(measured):
    stage = cheaper_l40s(measured)
    stage.policy = policy(traffic=BUSY, rollout={**AUTO, "canary": {"duration": "12h"}}).model_copy(
        update={"status": stage.policy.status}
    )
    for _ in range(6):
        stage.step()
    stage.all_ready()
    stage.step()
    stage.step(minutes=180)
    name = stage.deployments()[-1]["metadata"]["name"]
    stage.ready[name] = 0
    stage.failures[name] = {"unready_since": stage.now}
    stage.step(minutes=119)
    stage.step()
    assert 2 == len(stage.deployments())

    stage.step()
    stage.step()

    assert ["CanaryNeverReady"] == [one.reason for one in stage.status().rollout.rejected]
