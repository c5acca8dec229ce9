"""An API server that fails once, at any call of a router's life: the same call is made again, and nothing is left behind.

Covered: no answer, before and after it took effect; refusals that pass. Not covered: back-off (tests/unit/runtime).
"""

from typing import Any

import pytest

from costpolicy.kube.errors import Conflict, Forbidden, GatewayError, Unavailable
from faulty import FailingOnce
from router_world import RouterWorld

CALLS = 24
"""At least so many calls does the story make; asserted below."""


def told(number: int, error: GatewayError, *, done: bool = False) -> RouterWorld:
    """Route, and change the route; the call of that number fails."""
    world = RouterWorld()
    failing = FailingOnce(world.plain, number, error, done=done)
    world.gateway = failing
    world.restart()
    for step in ({}, {"outputLength": {"mode": "Enforce", "maxTokens": 50}}):
        world.route(**step)
        for _ in range(5):
            try:
                world.turn()
            except GatewayError:
                world.turn()
            if world.all("Deployment"):
                world.roll()
    assert failing.left <= 0
    return world


def essence(world: RouterWorld) -> dict[str, Any]:
    """What exists, and what is said without times."""
    status = world.essence()["status"]["chat"]
    conditions = [(one["type"], one["status"], one["reason"]) for one in status["conditions"]]
    return {**world.essence(), "status": {**status, "conditions": conditions}}


@pytest.fixture(scope="module")
def healthy() -> dict[str, Any]:
    return essence(told(CALLS, Unavailable("the last one")))


@pytest.mark.parametrize("done", [False, True], ids=["not-done", "answer-lost"])
@pytest.mark.parametrize("number", range(1, CALLS, 2))
def test_a_request_that_times_out_is_made_again_whether_it_took_effect_or_not(number: int, done: bool, healthy):
    world = told(number, Unavailable("429 or 500 or no answer in time"), done=done)

    assert essence(world) == healthy
    assert len(world.all("ConfigMap")) == 1


@pytest.mark.parametrize("error", [Conflict("409: it changed"), Forbidden("403: not now")])
@pytest.mark.parametrize("number", range(8, CALLS, 3))
def test_a_refusal_that_passes_leaves_no_trace(number: int, error: GatewayError, healthy):
    assert essence(told(number, error)) == healthy
