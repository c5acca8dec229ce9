"""The operator's process ends after the k-th change of the world, for every k, while Spot capacity comes and goes.

Covered: a standby that is made, a notice, nodes that go, Spot that is taken again, a second loss without notice; what runs,
who owns it, what status says, and that the policy's Service always reaches somebody who is ready.
Not covered: events, which are best effort; changes of configuration (test_killed_canary.py).
"""

import pytest

from costpolicy.simulation.world import World
from faulty import Life
from spot_stories import ALL, interrupted, role, spot_nodes_come, spot_world
from stories import KEY, MINUTE, QUARTER, children, essence, ready_behind_the_service

STEP = 2 * MINUTE
CHANGES = 53
"""How often the operator changes the world in this story; asserted below."""


def told(kill_after: int | None = None) -> tuple[World, int]:
    """Tell the story; return the world and how often it was changed before the kill."""
    made = spot_world()
    life = Life(made, kill_after, STEP)
    life.run(QUARTER)
    for name in ALL:
        made.cluster.announce(name)
    life.run(8 * MINUTE)
    assert ready_behind_the_service(made) > 0
    interrupted(made, ALL)
    life.run(QUARTER)
    assert ready_behind_the_service(made) == role(made, "Standby")["replicas"]
    spot_nodes_come(made)
    life.run(40 * MINUTE)
    assert 0 == role(made, "Standby")["replicas"]
    interrupted(made, ALL)
    life.run(12 * MINUTE)
    return made, life.changes


@pytest.fixture(scope="module")
def undisturbed() -> tuple[World, int]:
    return told()


def test_the_story_ends_with_the_standby_serving_for_the_second_time(undisturbed: tuple[World, int]):
    made, changes = undisturbed

    assert 0 < role(made, "Standby")["replicas"] == ready_behind_the_service(made)
    assert 2 == made.status(*KEY)["standby"]["times"]
    assert CHANGES == changes


@pytest.mark.parametrize("k", range(1, CHANGES + 1))
def test_killed_after_any_change_it_ends_where_it_would_have_ended(k: int, undisturbed: tuple[World, int]):
    expected, made = undisturbed[0], told(k)[0]

    assert essence(expected) == essence(made)
    assert len(children(expected)) == len(children(made))
