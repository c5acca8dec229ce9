"""What each ending of a reconcile means for the next turn of its key.

Covered: every outcome, delays, one defect beside healthy keys.  Not covered: the reconciler itself.
"""

from datetime import UTC, datetime, timedelta

import pytest

from costpolicy.clock import SystemClock
from costpolicy.kube.errors import Conflict, Forbidden, NotLeader, Unavailable
from costpolicy.kube.gateway import NamespacedName
from costpolicy.runtime.queue import NOW, WorkQueue
from costpolicy.runtime.workers import Outcome, Workers

KEY = NamespacedName("team-a", "chat")
MINUTE = timedelta(minutes=1)


class StepClock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds


class Desk:
    """One worker's view: a queue with one key, and the next reconcile's ending."""

    def __init__(self) -> None:
        self.clock = StepClock()
        self.queue = WorkQueue[NamespacedName](self.clock)
        self.seen: list[Outcome] = []

    def process(self, ending: Exception | timedelta | None) -> Outcome:
        def reconcile(_key: NamespacedName) -> timedelta | None:
            if isinstance(ending, Exception):
                raise ending
            return ending

        workers = Workers(
            self.queue,
            reconcile,
            clock=self.clock,
            count=0,
            observer=lambda outcome, _seconds: self.seen.append(outcome),
        )
        self.queue.add(KEY)
        taken = self.queue.get(NOW)
        assert taken == KEY
        return workers.process(taken)

    def next_turn_in(self) -> timedelta | None:
        """Return after how long the key is given out again, to the half second."""
        for half_seconds in range(1200):
            self.clock.seconds = half_seconds / 2
            if self.queue.get(NOW) is not None:
                return timedelta(seconds=half_seconds / 2)
        return None


@pytest.mark.parametrize(
    ("ending", "outcome", "next_turn"),
    [
        (None, Outcome.SUCCESS, None),
        (MINUTE, Outcome.SUCCESS, MINUTE),
        (Unavailable("away", retry_after=timedelta(seconds=7)), Outcome.UNAVAILABLE, timedelta(seconds=7)),
        (Conflict("changed"), Outcome.REFUSED, timedelta(seconds=0.5)),
        (Forbidden("no"), Outcome.REFUSED, timedelta(seconds=0.5)),
        (NotLeader("no lease"), Outcome.NOT_LEADER, None),
        (ValueError("a defect"), Outcome.ERROR, timedelta(seconds=0.5)),
    ],
    ids=["done", "again later", "API server away", "conflict", "forbidden", "deposed", "defect"],
)
def test_each_ending_decides_about_the_next_turn(
    ending: Exception | timedelta | None, outcome: Outcome, next_turn: timedelta | None
) -> None:
    desk = Desk()

    assert desk.process(ending) is outcome
    assert desk.seen == [outcome]
    assert desk.queue.longest_work() == NOW
    assert desk.next_turn_in() == next_turn


def test_success_ends_the_back_off() -> None:
    desk = Desk()
    for _ in range(6):
        desk.process(Conflict("changed"))
        desk.clock.seconds += 1000
    desk.process(None)
    desk.process(Conflict("changed"))
    started = desk.clock.seconds

    assert started == 6000
    desk.clock.seconds = started + 0.5
    assert desk.queue.get(NOW) == KEY


def test_a_defect_in_one_policy_does_not_stop_the_others() -> None:
    clock = SystemClock()
    queue = WorkQueue[NamespacedName](clock)
    done: list[str] = []

    def reconcile(key: NamespacedName) -> timedelta | None:
        if key.name == "broken":
            raise ValueError("a defect")
        done.append(key.name)
        if len(done) == 5:
            queue.close()
        return None

    workers = Workers(queue, reconcile, clock=clock, count=2, observer=lambda *_: None)
    for name in ("broken", "a", "b", "c", "d", "e"):
        queue.add(NamespacedName("n", name))
    workers.start()

    assert workers.join(timedelta(seconds=20))
    assert sorted(done) == ["a", "b", "c", "d", "e"]
