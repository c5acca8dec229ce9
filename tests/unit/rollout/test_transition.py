"""A change of configuration step by step, on a simulated pair of variants.

Covered: each phase as a table; on random walks, that capacity is never given up for capacity that is not ready, and
that the change ends once there is room.
Not covered: how the steps become objects (tests/unit/reconcile, tests/scenarios).
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.rollout.transition import Phase, Situation, Step, next_step, stages
from costpolicy.units import parse_ratio

NOTHING_SPARE = Situation(
    old=2, old_ready=2, new=0, new_ready=0, wanted=2, spare=0, one_less_carries=False, allow_downtime=False, stage=2
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"spare": 2}, Step(phase=Phase.SURGING, old=2, new=2)),
        ({"spare": 1}, Step(phase=Phase.SURGING, old=2, new=1)),
        ({"spare": None}, Step(phase=Phase.SURGING, old=2, new=2)),
        ({"spare": 0, "new": 1}, Step(phase=Phase.SURGING, old=2, new=1)),
        ({"one_less_carries": True}, Step(phase=Phase.REPLACING, old=1, new=0)),
        ({"one_less_carries": True, "old_ready": 1}, Step(phase=Phase.REPLACING, old=2, new=0)),
        ({"new": 1, "new_ready": 1}, Step(phase=Phase.REPLACING, old=1, new=1)),
        ({"old": 1, "old_ready": 1, "new": 1, "new_ready": 1}, Step(phase=Phase.REPLACING, old=0, new=1, shared=True)),
        ({"new": 2, "new_ready": 2}, Step(phase=Phase.PROMOTED, old=0, new=2)),
        ({}, Step(phase=Phase.BLOCKED, old=2, new=0)),
        ({"old": 1, "old_ready": 1, "one_less_carries": True}, Step(phase=Phase.BLOCKED, old=1, new=0)),
        ({"old": 1, "old_ready": 1, "allow_downtime": True}, Step(phase=Phase.REPLACING, old=0, new=0)),
        ({"harmless": False, "stage": 1, "spare": 2}, Step(phase=Phase.SURGING, old=2, new=1)),
        ({"harmless": False, "stage": 1, "new": 1, "new_ready": 1}, Step(phase=Phase.EVALUATING, old=2, new=1)),
        (
            {"harmless": False, "stage": 1, "wanted": 1, "new": 1, "new_ready": 1, "proven": False, "sharing": True},
            Step(phase=Phase.EVALUATING, old=2, new=1),
        ),
        (
            {"harmless": False, "stage": 1, "old": 1, "old_ready": 1, "allow_downtime": True},
            Step(phase=Phase.BLOCKED, old=1, new=0),
        ),
    ],
)
def test_the_next_step_is(changes: dict[str, int], expected: Step):
    assert expected == next_step(replace(NOTHING_SPARE, **changes))


@dataclass
class Pair:
    """Two variants on accelerators of one kind; ``turn`` lets one pod become ready, or one leave."""

    accelerators: int
    old: int
    wanted: int
    carries: int
    new: int = 0
    old_ready: int = 0
    new_ready: int = 0

    def __post_init__(self) -> None:
        self.old_ready = self.old

    def situation(self, *, allow_downtime: bool = False) -> Situation:
        """What the operator sees; a pod that is asked for holds its accelerator."""
        return Situation(
            old=self.old,
            old_ready=self.old_ready,
            new=self.new,
            new_ready=self.new_ready,
            wanted=self.wanted,
            spare=max(self.accelerators - max(self.old, self.old_ready) - self.new, 0),
            one_less_carries=self.old - 1 >= self.carries,
            allow_downtime=allow_downtime,
            stage=self.wanted,
        )

    def take(self, step: Step) -> None:
        """Ask for what the step says."""
        self.old, self.new = step.old, step.new

    def turn(self, ready: int) -> None:
        """Up to ``ready`` new pods become ready; old ones that are not asked for any more leave."""
        self.old_ready = min(self.old_ready, self.old)
        self.new_ready = min(self.new, self.new_ready + ready)


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    old = draw(st.integers(1, 5))
    return Pair(
        accelerators=old + draw(st.integers(0, 3)),
        old=old,
        wanted=draw(st.integers(1, 5)),
        carries=draw(st.integers(1, old)),
    )


@given(pairs(), st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_ready_capacity_is_only_given_up_for_ready_capacity(pair: Pair, turns: list[int]):
    """Without permission for downtime somebody always serves, and never fewer than the load needs are asked for
    until a new replica is ready."""
    for ready in turns:
        step = next_step(pair.situation())
        if step.phase is Phase.PROMOTED:
            assert pair.new_ready >= pair.wanted
            return
        given_up = pair.old - step.old
        assert given_up <= 1
        assert step.new >= pair.new
        if given_up:
            assert pair.new_ready >= 1 or step.old >= pair.carries
        pair.take(step)
        pair.turn(ready)
        assert pair.old_ready + pair.new_ready >= 1


@given(pairs(), st.lists(st.integers(0, 1), max_size=30))
def test_a_change_ends_promoted_once_there_is_room(pair: Pair, turns: list[int]):
    for ready in turns:
        pair.take(next_step(pair.situation()))
        pair.turn(ready)
    pair.accelerators = pair.old + pair.wanted + pair.new
    for _ in range(20):
        step = next_step(pair.situation())
        if step.phase is Phase.PROMOTED:
            return
        pair.take(step)
        pair.turn(1)
    pytest.fail(f"never promoted: {pair}")


@given(pairs())
def test_with_downtime_allowed_a_change_never_blocks(pair: Pair):
    """As long as the hardware can carry the new variant at all."""
    pair.wanted = min(pair.wanted, pair.accelerators)
    for _ in range(30):
        step = next_step(pair.situation(allow_downtime=True))
        assert step.phase is not Phase.BLOCKED
        if step.phase is Phase.PROMOTED:
            return
        pair.take(step)
        pair.turn(1)
    pytest.fail(f"never promoted: {pair}")


@given(pairs(), st.integers(0, 2))
def test_asking_twice_gets_the_same_answer(pair: Pair, ready: int):
    pair.turn(ready)

    assert next_step(pair.situation()) == next_step(pair.situation())


STAGED = replace(NOTHING_SPARE, wanted=4, old=4, old_ready=4, spare=8, stage=1, proven=False)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Step(phase=Phase.SURGING, old=4, new=1)),
        ({"new": 1}, Step(phase=Phase.SURGING, old=4, new=1)),
        ({"new": 1, "new_ready": 1}, Step(phase=Phase.SHARING, old=4, new=1, shared=True)),
        ({"new": 1, "new_ready": 1, "stage": 2, "sharing": True}, Step(phase=Phase.SURGING, old=4, new=2, shared=True)),
        ({"new": 2, "new_ready": 1, "stage": 2, "sharing": True}, Step(phase=Phase.SURGING, old=4, new=2, shared=True)),
        ({"new": 4, "new_ready": 4, "stage": 4, "sharing": True}, Step(phase=Phase.SHARING, old=4, new=4, shared=True)),
        ({"new": 4, "new_ready": 4, "stage": 4, "proven": True}, Step(phase=Phase.PROMOTED, old=0, new=4)),
        # No room for a whole stage: what there is shows what it can, and what serves stays.
        ({"spare": 0, "new": 1, "new_ready": 1, "stage": 2}, Step(phase=Phase.SHARING, old=4, new=1, shared=True)),
        # Proven, and no room: one by one.
        (
            {"spare": 0, "new": 1, "new_ready": 1, "stage": 4, "proven": True, "sharing": True},
            Step(phase=Phase.REPLACING, old=3, new=1, shared=True),
        ),
        # Unproven, and what serves has died: better any answer than none.
        ({"old_ready": 0, "new": 2, "new_ready": 1, "stage": 2}, Step(phase=Phase.SURGING, old=4, new=2, shared=True)),
    ],
)
def test_the_next_step_of_a_plan_that_has_to_prove_itself_is(changes: dict[str, int], expected: Step):
    assert expected == next_step(replace(STAGED, **changes))


@pytest.mark.parametrize(
    ("wanted", "step", "expected"),
    [(1, "20%", (1,)), (2, "20%", (1, 2)), (4, "20%", (1, 2, 3, 4)), (10, "20%", (2, 4, 6, 8, 10)), (3, "1", (3,))],
)
def test_stages_grow_by_the_step_and_by_at_least_one(wanted: int, step: str, expected: tuple[int, ...]):
    assert expected == stages(wanted, parse_ratio(step))


@given(st.integers(1, 50), st.integers(1, 100))
def test_the_last_stage_is_everything_and_none_is_empty(wanted: int, percent: int):
    found = stages(wanted, Fraction(percent, 100))

    assert wanted == found[-1]
    assert list(found) == sorted(set(found))
    assert found[0] >= 1
