"""The replica loop: both directions wait their time, and the safest of what was wanted meanwhile wins.

Covered: tables and generated sequences of demand, clocks that were set back.
Not covered: where the numbers come from (tests/unit/reconcile).
"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from costpolicy.rollout.replicas import Pending, ReplicaStep, bounded, next_replicas
from costpolicy.rollout.windows import Bounds

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AT_ONCE_AND_FIVE = (timedelta(0), 5 * MINUTE)


def test_what_is_wanted_and_there_is_left_alone():
    assert ReplicaStep(replicas=2) == next_replicas(2, 2, None, AT_ONCE_AND_FIVE, NOW)


def test_more_is_followed_at_once_without_a_stabilization():
    assert ReplicaStep(replicas=7) == next_replicas(2, 7, None, AT_ONCE_AND_FIVE, NOW)


def test_fewer_waits_and_says_until_when():
    step = next_replicas(7, 2, None, AT_ONCE_AND_FIVE, NOW)

    assert ReplicaStep(replicas=7, pending=Pending(replicas=2, since=NOW), look_again=5 * MINUTE) == step


def test_the_most_that_was_wanted_while_waiting_is_kept():
    waiting = Pending(replicas=2, since=NOW)
    higher = next_replicas(7, 4, waiting, AT_ONCE_AND_FIVE, NOW + 2 * MINUTE)
    lower = next_replicas(7, 1, higher.pending, AT_ONCE_AND_FIVE, NOW + 5 * MINUTE)

    assert Pending(replicas=4, since=NOW) == higher.pending
    assert 4 == lower.replicas


def test_the_least_that_was_wanted_while_growing_waits_is_followed():
    growing = (2 * MINUTE, 5 * MINUTE)
    first = next_replicas(2, 9, None, growing, NOW)
    second = next_replicas(2, 4, first.pending, growing, NOW + MINUTE)

    assert 4 == next_replicas(2, 8, second.pending, growing, NOW + 2 * MINUTE).replicas


def test_a_change_of_direction_starts_the_wait_anew():
    shrinking = next_replicas(4, 2, None, (3 * MINUTE, 3 * MINUTE), NOW)
    growing = next_replicas(4, 6, shrinking.pending, (3 * MINUTE, 3 * MINUTE), NOW + 2 * MINUTE)

    assert Pending(replicas=6, since=NOW + 2 * MINUTE) == growing.pending


def test_demand_that_comes_back_forgets_the_wait():
    waiting = next_replicas(4, 2, None, AT_ONCE_AND_FIVE, NOW).pending

    assert next_replicas(4, 4, waiting, AT_ONCE_AND_FIVE, NOW + MINUTE).pending is None


def test_a_scheduled_night_is_left_at_once():
    assert ReplicaStep(replicas=3) == next_replicas(0, 3, None, (60 * MINUTE, 60 * MINUTE), NOW)


def test_a_clock_that_was_set_back_delays_growth_by_no_more_than_the_stabilization():
    from_the_future = Pending(replicas=6, since=NOW + timedelta(hours=1))
    step = next_replicas(2, 6, from_the_future, (2 * MINUTE, 5 * MINUTE), NOW)

    assert Pending(replicas=6, since=NOW) == step.pending
    assert 2 * MINUTE == step.look_again


@given(
    st.integers(1, 20),
    st.lists(st.integers(1, 20), min_size=1, max_size=40),
    st.integers(0, 5),
    st.integers(0, 10),
)
def test_it_never_leaves_what_was_wanted_and_ends_at_steady_demand(start: int, wants: list[int], up: int, down: int):
    """Whatever is wanted minute by minute: never above or below all of it, and steady demand is reached in two waits."""
    current, pending, now = start, None, NOW
    waits = (up * MINUTE, down * MINUTE)
    for wanted in [*wants, *[wants[-1]] * 2 * (up + down + 2)]:
        step = next_replicas(current, wanted, pending, waits, now)
        assert min([start, *wants]) <= step.replicas <= max([start, *wants])
        current, pending, now = step.replicas, step.pending, now + MINUTE

    assert wants[-1] == current
    assert pending is None


@given(st.integers(0, 50), st.integers(0, 10), st.integers(0, 10))
def test_bounds_hold_and_otherwise_nothing_is_changed(wanted: int, minimum: int, more: int):
    found = bounded(wanted, Bounds(minimum=minimum, maximum=minimum + more))

    assert minimum <= found <= minimum + more
    assert found == wanted or found in (minimum, minimum + more)
