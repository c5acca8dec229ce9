"""The operator's process ends after the k-th change of the world, for every k, while a better plan is taken back.

Covered: what runs, who owns it, what status says and remembers, that somebody who is ready is always reached.
Not covered: events, which are best effort; when something is taken back (tests/scenarios/test_taken_back.py).
"""

import pytest

from costpolicy.simulation.world import World
from faulty import Life
from stories import (
    H100,
    KEY,
    L40S,
    MINUTE,
    QUARTER,
    children,
    essence,
    prices,
    ready_behind_the_service,
    runs_on,
    serving,
)
from taking_back import AUTO, LOST, measured

CHANGES = 21
"""How often the operator changes the world in this story; asserted below."""


def told(kill_after: int | None = None) -> tuple[World, int]:
    """Tell the story; return the world and how often it was changed before the kill."""
    made = serving(rollout=AUTO)
    made.apply(prices(h100="1.20"))
    made.run(2 * QUARTER, step=MINUTE)
    assert [(H100, 1)] == runs_on(made)
    measured(made, LOST)
    life = Life(made, kill_after, MINUTE)
    for _ in range(30):
        life.run(MINUTE)
        assert ready_behind_the_service(made) > 0
    return made, life.changes


@pytest.fixture(scope="module")
def undisturbed() -> tuple[World, int]:
    return told()


def test_the_story_ends_on_what_served_before(undisturbed: tuple[World, int]):
    made, changes = undisturbed

    assert [(L40S, 1)] == runs_on(made)
    assert ["ChangeDidNotSave"] == [one["reason"] for one in made.status(*KEY)["rollout"]["rejected"]]
    assert CHANGES == changes


@pytest.mark.parametrize("k", range(1, CHANGES + 1))
def test_killed_after_any_change_it_ends_where_it_would_have_ended(k: int, undisturbed: tuple[World, int]):
    expected, made = undisturbed[0], told(k)[0]

    assert essence(expected) == essence(made)
    assert len(children(expected)) == len(children(made))
