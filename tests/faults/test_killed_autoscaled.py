"""The operator's process ends after the k-th change of the world, for every k, while a HorizontalPodAutoscaler follows the load.

Covered: the first deployment, the hand-over of the count, an edit with its promotion, a night at zero and the morning after.
Not covered: KEDA; the real controller (tests/integration/autoscaling).
"""

from datetime import timedelta

import pytest

from autoscaled import CONTROLLER, SimulatedAutoscaler
from costpolicy.kube.ownership import owners_of
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World
from faulty import Life
from stories import (
    BUSY,
    KEY,
    L40S,
    MINUTE,
    chat,
    conditions,
    deployments,
    essence,
    ready_behind_the_service,
    world,
)

STEP, HALF = 2 * MINUTE, 30 * MINUTE
FOUND = 3
"""Replicas that the autoscaler finds that the load needs; the operator would run one."""
CHANGES = 39
"""How often the operator changes the world in this story; asserted below."""
REPLICAS = ("spec", "replicas")
NIGHT = [
    {"schedule": "0 9 * * *", "minReplicas": 0, "maxReplicas": 0},
    {"schedule": "20 9 * * *", "minReplicas": 1},
]


def asked(**spec):
    scaling = {"provider": "HPA", "schedules": NIGHT}
    return chat(traffic=BUSY, hardware={"accelerators": [L40S]}, scaling=scaling, **spec)


def told(kill_after: int | None = None) -> tuple[World, int, list[int]]:
    """Tell the story; return the world, how often it was changed before the kill, and what was ready until the night."""
    made = world()
    life = Life(made, kill_after, STEP)
    SimulatedAutoscaler(made, FOUND)
    made.traffic[KEY] = Traffic(curve=Constant(2.0))
    made.apply(asked())
    life.run(HALF)
    made.apply(asked(engine={"env": [{"name": "SETTING", "value": "new"}]}))
    ready = _ready_while(life, HALF)
    life.run(HALF + 5 * STEP)
    return made, life.changes, ready


def _ready_while(life: Life, length: timedelta) -> list[int]:
    ready: list[int] = []
    end = life.made.clock.now() + length
    while life.made.clock.now() < end:
        life.run(STEP, lambda made: ready.append(ready_behind_the_service(made)))
    return ready


@pytest.fixture(scope="module")
def undisturbed() -> tuple[World, int, list[int]]:
    return told()


def test_the_story_has_a_promotion_and_a_night_and_the_count_is_the_autoscalers(undisturbed):
    made, changes, _ = undisturbed
    (deployment,) = deployments(made)

    assert 1 == len(made.status(*KEY)["history"])
    assert [moment for moment in made.timeline if moment.replicas == 0]
    assert FOUND == deployment["spec"]["replicas"]
    assert {CONTROLLER} == owners_of(deployment, REPLICAS)
    assert ("True", "Autoscaled") == conditions(made)["ScalingActive"]
    assert CHANGES == changes


@pytest.mark.parametrize("k", range(1, CHANGES + 1))
def test_killed_after_any_change_it_ends_where_it_would_have_ended_and_never_served_with_less(k, undisturbed):
    made, _, ready = told(k)

    assert essence(undisturbed[0]) == essence(made)
    assert min(ready) >= FOUND
