"""Leader election, on clocks that the test moves and a lease that it can break.

Covered: taking, renewing, expiry by own observation, the fence, release, conflicts.  Not covered: the API
server (``tests/integration/kube/test_lease.py``).
"""

from datetime import UTC, datetime, timedelta

import pytest

from costpolicy.kube.errors import Conflict, Unavailable
from costpolicy.kube.leases import LeaseRecord, StoredLease
from costpolicy.runtime.lease import LEASE_DURATION, RENEW_DEADLINE, Election


class StepClock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def step(self, by: timedelta) -> None:
        self.seconds += by.total_seconds()


class SharedLease:
    """A record with optimistic locking."""

    def __init__(self) -> None:
        self.stored: StoredLease | None = None
        self.away = False

    def read(self) -> StoredLease | None:
        self._check()
        return self.stored

    def write(self, record: LeaseRecord, based_on: StoredLease | None) -> StoredLease:
        self._check()
        if based_on != self.stored:
            raise Conflict("the lease changed")
        version = int(self.stored.version) + 1 if self.stored else 1
        self.stored = StoredLease(record=record, version=str(version))
        return self.stored

    def _check(self) -> None:
        if self.away:
            raise Unavailable("away")


@pytest.fixture
def clock() -> StepClock:
    return StepClock()


@pytest.fixture
def lease() -> SharedLease:
    return SharedLease()


def candidate(lease: SharedLease, clock: StepClock, name: str) -> Election:
    return Election(lease, name, clock)


def test_the_first_candidate_leads(lease: SharedLease, clock: StepClock) -> None:
    first = candidate(lease, clock, "first")
    assert not first.leads()
    first.step()

    assert first.leads()


def test_a_second_candidate_stands_by_while_the_first_renews(lease: SharedLease, clock: StepClock) -> None:
    first, second = candidate(lease, clock, "first"), candidate(lease, clock, "second")
    for _ in range(20):
        first.step()
        second.step()
        clock.step(timedelta(seconds=10))

    assert not second.leads()


def test_a_dead_leader_is_succeeded_after_the_lease_ran_out(lease: SharedLease, clock: StepClock) -> None:
    first, second = candidate(lease, clock, "first"), candidate(lease, clock, "second")
    first.step()
    second.step()
    clock.step(LEASE_DURATION - timedelta(seconds=1))
    second.step()
    assert not second.leads()
    clock.step(timedelta(seconds=1))
    second.step()

    assert second.leads()
    assert not first.leads()
    assert lease.stored is not None
    assert lease.stored.record.transitions == 1


def test_a_newcomer_waits_the_whole_duration_however_old_the_record_looks(lease: SharedLease, clock: StepClock) -> None:
    candidate(lease, clock, "first").step()
    clock.step(timedelta(days=1))
    newcomer = candidate(lease, clock, "newcomer")
    newcomer.step()

    assert not newcomer.leads()


def test_a_leader_that_cannot_renew_stops_before_anybody_may_follow(lease: SharedLease, clock: StepClock) -> None:
    leader = candidate(lease, clock, "leader")
    leader.step()
    lease.away = True
    clock.step(RENEW_DEADLINE)
    with pytest.raises(Unavailable):
        leader.step()

    assert not leader.leads()
    assert RENEW_DEADLINE < LEASE_DURATION


def test_a_leader_that_missed_a_renewal_goes_on(lease: SharedLease, clock: StepClock) -> None:
    leader = candidate(lease, clock, "leader")
    leader.step()
    lease.away = True
    with pytest.raises(Unavailable):
        leader.step()
    lease.away = False
    clock.step(timedelta(seconds=10))
    leader.step()
    clock.step(timedelta(seconds=15))

    assert leader.leads()


def test_a_leader_whose_record_was_taken_stops_at_once(lease: SharedLease, clock: StepClock) -> None:
    first, second = candidate(lease, clock, "first"), candidate(lease, clock, "second")
    first.step()
    second.step()
    clock.step(LEASE_DURATION)
    second.step()
    first.step()

    assert (first.leads(), second.leads()) == (False, True)


def test_a_released_lease_is_taken_at_once(lease: SharedLease, clock: StepClock) -> None:
    first, second = candidate(lease, clock, "first"), candidate(lease, clock, "second")
    first.step()
    second.step()
    first.release()
    second.step()

    assert (first.leads(), second.leads()) == (False, True)


def test_a_standby_releases_nothing(lease: SharedLease, clock: StepClock) -> None:
    first, second = candidate(lease, clock, "first"), candidate(lease, clock, "second")
    first.step()
    second.step()
    second.release()

    assert lease.stored is not None
    assert lease.stored.record.holder == "first"


def test_a_restarted_container_goes_on_with_its_own_lease(lease: SharedLease, clock: StepClock) -> None:
    candidate(lease, clock, "pod-a").step()
    restarted = candidate(lease, clock, "pod-a")
    restarted.step()

    assert restarted.leads()


def test_releasing_during_an_outage_is_no_failure(lease: SharedLease, clock: StepClock) -> None:
    leader = candidate(lease, clock, "leader")
    leader.step()
    lease.away = True
    leader.release()

    assert not leader.leads()
