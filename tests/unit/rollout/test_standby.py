"""How many on-demand replicas stand in for lost Spot capacity.

Covered: up at once, down after the calm period and only as far as Spot carries, load that falls, clocks set back, and for
any story that nothing that serves is given up too early and that everything ends.
Not covered: what counts as lost (tests/unit/reconcile/test_standby.py), days with interruptions (tests/scenarios/test_spot.py).
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.rollout.standby import CALM, FORGOTTEN, Losses, SpotSituation, StandbyStep, next_standby

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG_AGO = NOW - timedelta(hours=8)


def spot(wanted: int = 5, safe: int = 5, lost: int = 0, most: int = 4, standing: int = 0) -> SpotSituation:
    return SpotSituation(wanted=wanted, safe=safe, lost=lost, most=most, standing=standing)


def losses(lost: int, changed: datetime = LONG_AGO) -> Losses:
    return Losses(lost=lost, changed=changed, begun=LONG_AGO)


def test_while_nothing_is_lost_nothing_stands_in_and_nothing_is_remembered():
    assert StandbyStep(replicas=0, losses=None) == next_standby(spot(), None, NOW)


@pytest.mark.parametrize(("lost", "replicas"), [(1, 1), (4, 4), (5, 4)])
def test_what_is_lost_is_carried_at_once_but_for_the_spare_one(lost: int, replicas: int):
    step = next_standby(spot(safe=5 - lost, lost=lost), None, NOW)

    assert (replicas, Losses(lost=lost, changed=NOW, begun=NOW)) == (step.replicas, step.losses)


def test_what_is_remembered_stays_the_same_while_as_much_is_lost():
    before = losses(2)

    assert before == next_standby(spot(safe=3, lost=2, standing=2), before, NOW).losses


def test_what_comes_back_has_to_stay_for_the_calm_period():
    back = next_standby(spot(standing=2), losses(2), NOW)
    assert (2, Losses(lost=0, changed=NOW, begun=LONG_AGO)) == (back.replicas, back.losses)

    assert 2 == next_standby(spot(standing=2), back.losses, NOW + CALM - timedelta(seconds=1)).replicas
    assert StandbyStep(replicas=0, losses=back.losses) == next_standby(spot(standing=2), back.losses, NOW + CALM)
    assert StandbyStep(replicas=0, losses=None) == next_standby(spot(), back.losses, NOW + FORGOTTEN)


@pytest.mark.parametrize(("times", "calm"), [(1, "0:30:00"), (2, "1:00:00"), (4, "4:00:00"), (9, "8:00:00")])
def test_each_loss_within_a_day_doubles_the_calm_period(times: int, calm: str):
    before = Losses(lost=0, changed=NOW - HOUR, begun=NOW - HOUR, times=times)
    again = next_standby(spot(safe=4, lost=1), before, NOW).losses

    assert calm == str(before.calm)
    assert Losses(lost=1, changed=NOW, begun=NOW, times=times + 1) == again


def test_replicas_that_have_a_node_again_and_load_still_are_not_given_up():
    assert 4 == next_standby(spot(safe=1, standing=4), losses(0), NOW).replicas
    assert 2 == next_standby(spot(safe=3, standing=4), losses(0), NOW).replicas


def test_during_a_long_loss_they_follow_the_load_down():
    assert 3 == next_standby(spot(wanted=3, safe=0, lost=3, most=2, standing=8), losses(5), NOW).replicas
    assert 2 == next_standby(spot(wanted=2, safe=0, lost=2, most=1, standing=8), losses(2), NOW).replicas


def test_at_night_with_nothing_wanted_nothing_stands_in():
    assert StandbyStep(replicas=0, losses=None) == next_standby(spot(wanted=0, safe=0, standing=0), None, NOW)
    assert 0 == next_standby(spot(wanted=0, safe=0, standing=3), losses(3), NOW).replicas


def test_a_time_from_the_future_was_written_by_a_clock_that_was_set_back():
    ahead = Losses(lost=2, changed=NOW + timedelta(hours=1), begun=NOW + timedelta(hours=1))

    assert Losses(lost=2, changed=NOW, begun=NOW) == next_standby(spot(safe=3, lost=2, standing=2), ahead, NOW).losses


@given(
    story=st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8), st.integers(0, 90)), min_size=1, max_size=30
    )
)
def test_it_never_gives_up_what_spot_does_not_carry_never_exceeds_what_may_stand_in_and_ends(
    story: list[tuple[int, int, int, int]],
):
    standing, remembered, now, highest = 0, None, NOW, 0
    for wanted, safe, lost, minutes in story:
        carried = min(safe, wanted)
        gone, most = min(lost, wanted - carried), max(wanted - 1, 1)
        step = next_standby(spot(wanted, carried, gone, most, standing), remembered, now)
        highest = max(highest, most)
        assert max(min(standing, wanted - carried), min(gone, most)) <= step.replicas <= highest
        assert step.losses is not None or step.replicas == 0
        standing, remembered, now = step.replicas, step.losses, now + timedelta(minutes=minutes)
    for _ in range(3):
        step = next_standby(spot(5, 5, 0, 4, standing), remembered, now)
        standing, remembered, now = step.replicas, step.losses, now + FORGOTTEN

    assert (0, None) == (standing, remembered)
