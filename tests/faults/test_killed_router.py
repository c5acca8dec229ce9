"""The operator's process ends after the k-th change of a router's life, for every k, and another one goes on.

Covered: a first router, a second route, a change of its configuration, and what is left over. Not covered: events, which are
best effort; the pods themselves.
"""

import pytest

from faulty import Killed, KilledAfter
from router_world import RouterWorld

AT_LEAST, AT_MOST = 20, 40
"""Bounds of how often the operator changes the world in this story; asserted below."""
STEPS = ({"name": "chat"}, {"name": "code"}, {"name": "code", "outputLength": {"mode": "Enforce", "maxTokens": 50}})


def told(kill_after: int | None = None) -> tuple[RouterWorld, bool]:
    """Route, route more, and change it; return the world and whether the kill came."""
    world = RouterWorld()
    if kill_after is not None:
        world.gateway = KilledAfter(world.plain, world.store, kill_after)
        world.restart()
    killed = False
    for step in STEPS:
        world.route(**step)
        for _ in range(6):
            try:
                world.turn()
            except Killed:
                killed = True
                world.gateway = world.plain
                world.restart()
            if world.all("Deployment"):
                world.roll()
    return world, killed


@pytest.fixture(scope="module")
def undisturbed() -> RouterWorld:
    return told()[0]


def test_the_story_itself_ends_with_one_configuration_and_two_routes_ready(undisturbed: RouterWorld):
    status = undisturbed.essence()["status"]
    assert {name: said["conditions"][0]["status"] for name, said in status.items()} == {"chat": "True", "code": "True"}
    assert len(undisturbed.all("ConfigMap")) == 1


@pytest.mark.parametrize("k", range(1, AT_MOST + 1))
def test_killed_after_any_change_it_ends_where_it_would_have_ended(k: int, undisturbed: RouterWorld):
    world, killed = told(k)

    assert killed or k > AT_LEAST
    assert _timeless(world.essence()) == _timeless(undisturbed.essence())


def test_there_is_no_change_that_the_test_above_does_not_know():
    assert not told(AT_MOST + 1)[1]


def test_a_key_is_never_replaced_however_often_the_operator_ends():
    world, _ = told(1)
    made = world.secret()
    assert made is not None
    assert made["data"] == {"master-key": "c2stMA=="}


def _timeless(essence: dict) -> dict:  # type: ignore[type-arg]
    statuses = {
        name: {
            **said,
            "conditions": [{k: v for k, v in one.items() if k != "lastTransitionTime"} for one in said["conditions"]],
        }
        for name, said in essence["status"].items()
    }
    return {**essence, "status": statuses}
