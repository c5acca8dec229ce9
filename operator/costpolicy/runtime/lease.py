"""Leader election with a Lease: at most one replica writes at any time.

The rules are client-go's: a candidate takes over only after it has itself watched the record stay unchanged
for the lease's duration, so clocks of two machines are never compared; a leader stops writing when it could
not renew for a shorter time. The gap between the two outlasts any request that was already on its way
(``kube.connection``'s timeouts).
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

from costpolicy.clock import Clock
from costpolicy.kube.errors import Conflict, GatewayError
from costpolicy.kube.leases import LeaseRecord, StoredLease

logger = logging.getLogger(__name__)

LEASE_DURATION: Final = timedelta(seconds=35)
RENEW_DEADLINE: Final = timedelta(seconds=20)
RETRY_PERIOD: Final = timedelta(seconds=4)


class Lease(Protocol):
    """Where the record is kept: :class:`~costpolicy.kube.leases.ClusterLease`."""

    def read(self) -> StoredLease | None:
        """Return the record, or None while there is none."""

    def write(self, record: LeaseRecord, based_on: StoredLease | None) -> StoredLease:
        """Create or replace the record; ``Conflict`` when somebody else wrote since."""


class Election:
    """One candidate's view of the lease.  ``step`` and ``release`` belong to one thread, ``leads`` to all."""

    def __init__(
        self,
        lease: Lease,
        identity: str,
        clock: Clock,
        *,
        duration: timedelta = LEASE_DURATION,
        renew_deadline: timedelta = RENEW_DEADLINE,
    ) -> None:
        self._lease = lease
        self._identity = identity
        self._clock = clock
        self._duration = duration
        self._renew_deadline = renew_deadline
        self._seen: StoredLease | None = None
        self._seen_since = 0.0
        self._leads_until = float("-inf")

    def leads(self) -> bool:
        """Return whether this process may write now; the fence in front of every write."""
        return self._clock.monotonic() < self._leads_until

    def step(self) -> None:
        """Renew or try to acquire the lease once.

        Raises:
            GatewayError: the API server gave no usable answer; leadership then runs out by itself.
        """
        asked_at = self._clock.monotonic()
        if not self._holds():
            self._look(asked_at)
        if not self._may_take(asked_at):
            self._leads_until = float("-inf")
            return
        try:
            self._see(self._lease.write(self._record(), self._seen), asked_at)
        except Conflict:
            self._look(asked_at)
            self._leads_until = float("-inf")
        else:
            self._leads_until = asked_at + self._renew_deadline.total_seconds()

    def release(self) -> None:
        """Give the lease back so that another replica need not wait; call it when nothing writes any more."""
        if not self._holds():
            return
        self._leads_until = float("-inf")
        now = self._clock.now()
        assert self._seen is not None  # noqa: S101 - _holds() says so; for the type checker
        record = LeaseRecord(
            holder="",
            duration=timedelta(seconds=1),
            acquired=now,
            renewed=now,
            transitions=self._seen.record.transitions,
        )
        try:
            self._lease.write(record, self._seen)
        except GatewayError as problem:
            logger.warning("lease not released, it will expire", extra={"problem": str(problem)})
        self._seen = None

    def _holds(self) -> bool:
        return self._seen is not None and self._seen.record.holder == self._identity

    def _look(self, now: float) -> None:
        stored = self._lease.read()
        if stored is None:
            self._seen = None
        elif self._seen is None or stored.version != self._seen.version:
            self._see(stored, now)

    def _see(self, stored: StoredLease, now: float) -> None:
        self._seen = stored
        self._seen_since = now

    def _may_take(self, now: float) -> bool:
        if self._seen is None or self._seen.record.holder in ("", self._identity):
            return True
        return now - self._seen_since >= self._seen.record.duration.total_seconds()

    def _record(self) -> LeaseRecord:
        now = self._clock.now()
        if self._holds() and self._seen is not None:
            return LeaseRecord(
                holder=self._identity,
                duration=self._duration,
                acquired=self._seen.record.acquired,
                renewed=now,
                transitions=self._seen.record.transitions,
            )
        return LeaseRecord(
            holder=self._identity,
            duration=self._duration,
            acquired=now,
            renewed=now,
            transitions=0 if self._seen is None else self._seen.record.transitions + 1,
        )


class Campaign:
    """Runs an election in its own thread and tells when leadership begins and ends."""

    def __init__(
        self,
        election: Election,
        *,
        on_elected: Callable[[], None],
        on_deposed: Callable[[], None],
        retry_period: timedelta = RETRY_PERIOD,
    ) -> None:
        self._election = election
        self._on_elected = on_elected
        self._on_deposed = on_deposed
        self._retry_period = retry_period
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: timedelta) -> None:
        """End the campaign and release the lease; call it when no reconcile runs any more."""
        self._stop.set()
        self._thread.join(timeout.total_seconds())
        if not self._thread.is_alive():
            self._election.release()

    def _run(self) -> None:
        leading = False
        while not self._stop.is_set():
            if leading and not self._election.leads():
                # Nothing of the old term may go on when a new one begins: deposed() returns when all work has
                # ended.
                leading = False
                logger.warning("lease lost: standing by")
                self._on_deposed()
            self._try()
            if not leading and self._election.leads():
                leading = True
                logger.info("lease acquired: leading")
                self._on_elected()
            self._stop.wait(self._retry_period.total_seconds())

    def _try(self) -> None:
        try:
            self._election.step()
        except GatewayError as problem:
            logger.warning("lease not renewed", extra={"problem": str(problem)})
