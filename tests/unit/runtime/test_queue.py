"""The work queue, on a clock that the test moves.

Covered: de-duplication, delays, exclusivity, back-off, what is measured, closing.  Not covered: fairness
between threads.
"""

import threading
from datetime import timedelta

import pytest

from costpolicy.runtime.queue import WorkQueue

NOW, SECOND, MINUTE = timedelta(0), timedelta(seconds=1), timedelta(minutes=1)


class StepClock:
    """A monotonic clock that moves only when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def step(self, by: timedelta) -> None:
        self.seconds += by.total_seconds()


@pytest.fixture
def clock() -> StepClock:
    return StepClock()


@pytest.fixture
def queue(clock: StepClock) -> WorkQueue[str]:
    return WorkQueue(clock)


def test_a_key_that_is_added_twice_is_given_out_once(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.add("a")

    assert [queue.get(NOW), queue.get(NOW)] == ["a", None]


def test_a_key_at_work_is_not_given_to_a_second_worker(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.get(NOW)
    queue.add("a")

    assert queue.get(NOW) is None
    queue.done("a")
    assert queue.get(NOW) == "a"


def test_a_delayed_key_is_given_out_when_it_is_due(queue: WorkQueue[str], clock: StepClock) -> None:
    queue.add("a", MINUTE)
    assert queue.get(NOW) is None
    clock.step(MINUTE)

    assert queue.get(NOW) == "a"


def test_of_several_due_times_the_earliest_counts(queue: WorkQueue[str]) -> None:
    queue.add("a", MINUTE)
    queue.add("a")
    queue.add("a", MINUTE)

    assert queue.get(NOW) == "a"


def test_the_key_that_is_due_longest_goes_first(queue: WorkQueue[str], clock: StepClock) -> None:
    queue.add("late", 2 * SECOND)
    queue.add("early", SECOND)
    clock.step(MINUTE)

    assert [queue.get(NOW), queue.get(NOW)] == ["early", "late"]


def test_failures_back_off_exponentially_up_to_a_cap(clock: StepClock) -> None:
    queue = WorkQueue[str](clock, first_backoff=SECOND, longest_backoff=timedelta(seconds=5))

    assert [queue.retry("a").total_seconds() for _ in range(5)] == [1, 2, 4, 5, 5]


def test_a_long_outage_does_not_overflow_the_back_off(queue: WorkQueue[str]) -> None:
    delays = [queue.retry("a") for _ in range(2000)]

    assert delays[-1] == timedelta(minutes=5)


def test_success_ends_the_back_off(queue: WorkQueue[str]) -> None:
    first = queue.retry("a")
    queue.retry("a")
    queue.forget("a")

    assert queue.retry("a") == first


def test_a_server_that_asks_for_patience_gets_it(queue: WorkQueue[str]) -> None:
    assert queue.retry("a", at_least=MINUTE) == MINUTE


def test_one_keys_back_off_does_not_delay_another(queue: WorkQueue[str]) -> None:
    queue.retry("a", at_least=MINUTE)
    queue.add("b")

    assert queue.get(NOW) == "b"


def test_depth_and_age_count_only_what_is_due(queue: WorkQueue[str], clock: StepClock) -> None:
    queue.add("a")
    queue.add("b", MINUTE)
    clock.step(10 * SECOND)

    assert (queue.depth(), queue.oldest_wait()) == (1, 10 * SECOND)


def test_an_empty_queue_is_not_old(queue: WorkQueue[str]) -> None:
    assert (queue.depth(), queue.oldest_wait(), queue.longest_work()) == (0, NOW, NOW)


def test_knows_how_long_the_slowest_key_has_been_at_work(queue: WorkQueue[str], clock: StepClock) -> None:
    queue.add("a")
    queue.get(NOW)
    clock.step(MINUTE)

    assert queue.longest_work() == MINUTE
    queue.done("a")
    assert queue.longest_work() == NOW


def test_closing_wakes_a_waiting_worker(queue: WorkQueue[str]) -> None:
    taken: list[str | None] = []
    worker = threading.Thread(target=lambda: taken.append(queue.get()))
    worker.start()
    queue.close()
    worker.join(10)

    assert taken == [None]


def test_a_closed_queue_takes_nothing(queue: WorkQueue[str]) -> None:
    queue.close()
    queue.add("a")

    assert (queue.get(NOW), queue.depth()) == (None, 0)


def test_clearing_keeps_what_is_at_work(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.add("b", MINUTE)
    queue.get(NOW)
    queue.clear()
    idle = threading.Thread(target=queue.wait_until_idle)
    idle.start()
    assert idle.is_alive()
    queue.done("a")
    idle.join(10)

    assert not idle.is_alive()
    assert queue.depth() == 0


def test_many_threads_never_share_a_key() -> None:
    from costpolicy.clock import SystemClock

    queue = WorkQueue[int](SystemClock())
    at_work: set[int] = set()
    shared: list[int] = []
    taken = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal taken
        while (key := queue.get(timedelta(milliseconds=200))) is not None:
            with lock:
                taken += 1
                shared.extend({key} & at_work)
                at_work.add(key)
            queue.add(key, SECOND * 60)
            with lock:
                at_work.discard(key)
            queue.done(key)

    for key in list(range(20)) * 5:
        queue.add(key)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert shared == []
    assert taken == 20
