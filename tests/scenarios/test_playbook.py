"""The playbook of a policy that serves traffic, on the simulated cluster with the real reconciler.

Covered: what status says once there is traffic, that it stays, that it follows what prompts share, that an operator that
starts anew comes to the same.
Not covered: that nothing is written meanwhile (test_simulated_world), the rows one by one (tests/unit/savings/playbook).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from builders import policy_document, price_book_document
from costpolicy.api.status import STATUS_LIMIT, CostPolicyStatus
from costpolicy.catalog.techniques import techniques
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World

START = datetime(2026, 11, 23, tzinfo=UTC)
KEY = ("default", "chat")
STEP, HOUR = timedelta(minutes=2), timedelta(hours=1)


@pytest.fixture
def world():
    world = World(START)
    for number in range(4):
        world.cluster.add_node(f"gpu-{number}", "nvidia-h100-80gb", 8)
    world.apply(price_book_document())
    world.apply(policy_document(traffic={"requestsPerSecond": 2}, scaling={"maxReplicas": 30}))
    traffic = Traffic(curve=Constant(150.0))
    world.traffic[KEY] = replace(traffic, prompt_tokens=2000.0, cached_tokens=1600.0)
    return world


def rows(world):
    return {row["technique"]: row for row in world.status(*KEY)["playbook"]}


def test_with_traffic_every_technique_has_a_row_and_at_most_three_are_unknown(world):
    world.run(2 * HOUR, STEP)
    found = rows(world)

    assert set(techniques()) == set(found)
    assert 3 >= sum(row["state"] == "Unknown" for row in found.values())
    assert "Applied" == found["prefix-caching"]["state"]
    assert float(found["prefix-caching"]["savesPerMonth"]) > 0
    assert CostPolicyStatus.model_validate(world.status(*KEY)).size() <= STATUS_LIMIT


def test_it_stays_while_nothing_changes_and_an_operator_that_starts_anew_says_the_same(world):
    world.run(2 * HOUR, STEP)
    before = rows(world)
    world.restart_operator()
    world.run(HOUR, STEP)

    assert before == rows(world)


def test_prompts_that_share_nothing_any_more_make_caching_worth_nothing(world):
    world.run(2 * HOUR, STEP)
    world.traffic[KEY] = replace(world.traffic[KEY], cached_tokens=0.0)
    world.run(2 * HOUR, STEP)

    assert "0.00" == rows(world)["prefix-caching"]["savesPerMonth"]
