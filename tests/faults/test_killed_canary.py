"""The operator's process ends after the k-th change of the world, for every k, in the middle of better plans and nights.

Covered: a canary that is promoted, one that is rolled back because its engines are slower than predicted, and a night at
zero replicas with the morning after; what runs, who owns it, what status says.
Not covered: the quality gate; events, which are best effort.
"""

from collections.abc import Iterator

import pytest

from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World
from faulty import Life, slower
from stories import BUSY, H100, HOUR, KEY, L40S, MINUTE, QUARTER, chat, children, essence, prices, runs_on, world

A100 = "nvidia-a100-80gb"
"""Its engines are slower than predicted."""
STEP = 2 * MINUTE
CHAPTERS = ((QUARTER, {}), (HOUR, {"h100": "1.20"}), (HOUR, {"h100": "1.20", "a100": "0.30"}), (3 * HOUR, {}))
"""First deployment, a better plan, a worse one, and a night."""
CHANGES = 68
"""How often the operator changes the world in this story; asserted below."""


def book(h100: str = "4.50", a100: str = "9.00"):
    document = prices(h100=h100)
    offered = {"accelerator": A100, "capacityType": "OnDemand", "hourly": a100}
    return {**document, "spec": {**document["spec"], "offerings": [*document["spec"]["offerings"], offered]}}


@pytest.fixture(scope="module", autouse=True)
def slow_a100() -> Iterator[None]:
    with slower(A100, 10):
        yield


def told(kill_after: int | None = None) -> tuple[World, int]:
    """Tell the story; return the world and how often it was changed before the kill."""
    made = world(book=book())
    made.cluster.add_node("a100", A100, 8)
    life = Life(made, kill_after, STEP)
    made.traffic[KEY] = Traffic(curve=Constant(2.0))
    nights = [
        {"schedule": "30 10 * * *", "minReplicas": 0, "maxReplicas": 0},
        {"schedule": "15 12 * * *", "minReplicas": 1},
    ]
    rollout = {"mode": "Auto", "cooldown": "5m", "canary": {"duration": "5m"}}
    made.apply(chat(traffic=BUSY, rollout=rollout, scaling={"schedules": nights}))
    for length, changed in CHAPTERS:
        if changed:
            made.apply(book(**changed))
        life.run(length)
    return made, life.changes


@pytest.fixture(scope="module")
def undisturbed() -> tuple[World, int]:
    return told()


def test_the_story_has_a_promotion_a_rollback_and_a_night(undisturbed: tuple[World, int]):
    made, changes = undisturbed
    seen = {moment.configuration.accelerator for moment in made.timeline}
    nights = [moment for moment in made.timeline if moment.replicas == 0]

    assert {L40S, H100, A100} == seen
    assert nights
    assert [(H100, 1)] == runs_on(made)
    assert ["CanaryMissesObjective"] == [one["reason"] for one in made.status(*KEY)["rollout"]["rejected"]]
    assert CHANGES == changes


@pytest.mark.parametrize("k", range(1, CHANGES + 1))
def test_killed_after_any_change_it_ends_where_it_would_have_ended(k: int, undisturbed: tuple[World, int]):
    expected, made = undisturbed[0], told(k)[0]

    assert essence(expected) == essence(made)
    assert len(children(expected)) == len(children(made))
