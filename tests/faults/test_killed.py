"""The operator's process ends after the k-th change of the world, for every k, and another one goes on.

Covered: a first deployment and one change of configuration by surge; what exists, who owns which fields, status.
Not covered: events, which are best effort; two operators at once (the lease: tests/unit/runtime, tests/integration).
"""

import pytest

from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World
from faulty import Killed, KilledAfter
from stories import KEY, QUARTER, chat, essence, runs_on, world

FIRST, SECOND = {"accelerators": ["nvidia-l40s"]}, {"accelerators": ["nvidia-h100-80gb"]}
AT_LEAST, AT_MOST = 15, 28
"""Bounds of how often the operator changes the world in this story; asserted below."""


def told(kill_after: int | None = None) -> tuple[World, bool]:
    """Deploy, and change the hardware after a quarter of an hour; return the world and whether the kill came."""
    made = world()
    plain = made.gateway
    if kill_after is not None:
        made.gateway = KilledAfter(plain, made.store, kill_after)  # type: ignore[assignment]
    made.restart_operator()
    made.traffic[KEY] = Traffic(curve=Constant(2.0))
    killed = False
    for until, hardware in ((QUARTER, FIRST), (QUARTER, SECOND)):
        made.apply(chat(hardware=hardware))
        end = made.clock.now() + until
        while made.clock.now() < end:
            try:
                made.run(end - made.clock.now())
            except Killed:
                killed = True
                made.gateway = plain
                made.restart_operator()
    return made, killed


@pytest.fixture(scope="module")
def undisturbed() -> World:
    return told()[0]


def test_the_story_itself_ends_on_the_new_hardware(undisturbed: World):
    assert [("nvidia-h100-80gb", 1)] == runs_on(undisturbed)
    assert 1 == len(undisturbed.status(*KEY)["history"])


@pytest.mark.parametrize("k", range(1, AT_MOST + 1))
def test_killed_after_any_change_it_ends_where_it_would_have_ended(k: int, undisturbed: World):
    made, killed = told(k)

    assert killed or k > AT_LEAST
    assert essence(undisturbed) == essence(made)


def test_there_is_no_change_that_the_test_above_does_not_know():
    assert not told(AT_MOST + 1)[1]
