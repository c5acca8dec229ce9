"""What counts as lost Spot capacity, and what of a policy stands by.

Covered: notices of nodes, roles, pinned inputs, edits, promotions to and from on demand.
Not covered: how many stand in and for how long (tests/unit/rollout/test_standby.py), days (tests/scenarios/test_spot.py).
"""

import pytest

from builders import offering
from costpolicy.api.types import CapacityType
from costpolicy.kube.gateway import Taint
from costpolicy.reconcile.notices import NOTICES, is_leaving
from costpolicy.reconcile.supply import Capacity
from on_spot import BOTH, BUSY, on_spot, spot_node
from staging import Stage


def roles(stage: Stage) -> dict[str, int]:
    return {one.role: one.replicas for one in stage.status().variants}


@pytest.mark.parametrize("key", sorted(NOTICES))
def test_a_node_with_a_notice_is_leaving_and_its_accelerators_are_not_free(key: str):
    told = spot_node(taints=(Taint(key=key, value="", effect="NoSchedule"),))
    offered = offering("nvidia-l40s", "0.75", capacity_type=CapacityType.SPOT)

    assert is_leaving(told)
    assert is_leaving(spot_node(unschedulable=True))
    assert not is_leaving(spot_node())
    assert [0, 8] == [Capacity(nodes=(one,), pods=()).spare_replicas(offered, 1) for one in (told, spot_node())]


def test_the_standby_is_the_same_plan_on_demand():
    stage = on_spot()
    stage.settle(3)
    spot, standby = (one.configuration for one in stage.snapshot().live.variants)

    assert (CapacityType.SPOT, CapacityType.ON_DEMAND) == (spot.capacity_type, standby.capacity_type)
    assert spot.engine_key == standby.engine_key
    assert 0 == roles(stage)["Standby"]
    assert ("Service", stage.deployments()[1]["metadata"]["name"]) in stage.children
    assert stage.serving() == stage.snapshot().live.variants[0].hash


@pytest.mark.parametrize("notice", [{"unschedulable": True}, {"ready": False}], ids=["cordoned", "not ready"])
def test_all_of_a_node_that_goes_is_carried_and_both_are_behind_the_service(notice: dict[str, bool]):
    stage = on_spot()
    stage.settle(3)
    wanted = roles(stage)["Stable"]
    stage.nodes = (spot_node(**notice), stage.nodes[1])
    decision = stage.step()
    assert ["SpotLost"] == [one.reason for one in decision.news]
    stage.step()

    assert {"Stable": wanted, "Standby": wanted - 1} == roles(stage)
    assert stage.serving() is None
    assert stage.status().standby.lost == wanted


def test_the_standby_goes_with_what_it_stands_by_for_and_follows_an_edit():
    stage = on_spot()
    stage.settle(3)
    before = {item["metadata"]["name"] for item in stage.deployments()}
    stage.edit(
        traffic=BUSY, hardware={"accelerators": ["nvidia-l40s"], **BOTH}, engine={"env": [{"name": "A", "value": "b"}]}
    )
    stage.settle(10)

    assert not before & {item["metadata"]["name"] for item in stage.deployments()}
    assert 2 == len(stage.deployments())
    assert {"Stable", "Standby"} == set(roles(stage))

    stage.edit(traffic=BUSY, hardware={"accelerators": ["nvidia-l40s"]})
    stage.settle(10)
    assert 1 == len(stage.deployments())
    assert {"Stable"} == set(roles(stage))


def test_the_standby_itself_takes_over_when_on_demand_is_the_better_plan_and_comes_back_as_one():
    rollout = {"mode": "Auto", "canary": {"duration": "0s"}, "cooldown": "0s", "minimumSavings": "0"}
    stage = on_spot(rollout=rollout)
    stage.settle(3)
    standby = stage.deployments()[1]["metadata"]["name"]
    stage.edit(traffic=BUSY, hardware={"accelerators": ["nvidia-l40s"], "capacityTypes": ["OnDemand"]}, rollout=rollout)
    stage.settle(10)
    assert [standby] == [item["metadata"]["name"] for item in stage.deployments()]
    assert not stage.status().rollout.rejected

    stage.edit(traffic=BUSY, hardware={"accelerators": ["nvidia-l40s"], **BOTH}, rollout=rollout)
    stage.settle(14)
    assert standby == stage.deployments()[1]["metadata"]["name"]
    assert {"Stable", "Standby"} == set(roles(stage))
