"""The ledger's hours of each policy, read from Prometheus a few policies at a time, and only when one is due.

Two windows of hours are too much to read of a thousand policies in every cycle, or to keep.  Every sixth hour each policy is
due once, and once more when a change has ended; a cycle asks one question about the few that have waited longest, and what was
read is kept until it was decided on.  Status says what it was read for last, so that a restart reads nothing again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final, NamedTuple

from costpolicy.api.policy import CostPolicy
from costpolicy.kube.gateway import NamespacedName
from costpolicy.observe.ledger import LedgerHour, ledger_hours
from costpolicy.observe.ledger_queries import ledger_of
from costpolicy.observe.scope import Scope
from costpolicy.observe.source import MetricsSource, MetricsUnavailable, Sample
from costpolicy.units import parse_duration

DUE_EVERY: Final = timedelta(hours=6)
"""Measured figures are written that often, at the most: a little after 0, 6, 12 and 18 o'clock UTC."""
_SETTLED: Final = timedelta(minutes=10)
"""An hour is recorded some minutes after it has ended."""
AT_ONCE: Final = 10
"""Policies that one question is about: 350 hours of eight figures each."""
_AFTER_A_FAILURE: Final = timedelta(minutes=5)
_CHANGE_LASTS: Final = timedelta(hours=24)
"""Added to two windows for the change that lies between them."""


class Occasion(NamedTuple):
    """What hours are read for: the time at which policies are due, and the policy's last change."""

    due: datetime
    changed: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The known hours of one policy, oldest first, as they were read for an occasion."""

    occasion: Occasion
    hours: tuple[LedgerHour, ...]


class Ledgers:
    """What was read and not decided on yet, and when each policy was decided on.  Safe to call from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[NamespacedName, Ledger] = {}
        self._done: dict[NamespacedName, Occasion] = {}
        self._failed_at: datetime | None = None

    def of(self, namespace: str, name: str) -> Ledger | None:
        """Return a policy's hours, if they were read since its last decision on them."""
        with self._lock:
            return self._waiting.get(NamespacedName(namespace, name))

    def awaits(self, policy: CostPolicy, now: datetime) -> bool:
        """Return whether hours of a policy wait to be decided on, or are due to be read."""
        key = NamespacedName(policy.metadata.namespace, policy.metadata.name)
        with self._lock:
            return key in self._waiting or self._is_due(key, policy, due_at(now))

    def decided(self, namespace: str, name: str, ledger: Ledger) -> None:
        """Note that a decision on these hours is written: they are not read again before the next time they are due."""
        key = NamespacedName(namespace, name)
        with self._lock:
            self._done[key] = ledger.occasion
            if self._waiting.get(key) is ledger:
                del self._waiting[key]

    def read(self, source: MetricsSource, scope: Scope, policies: Iterable[CostPolicy], now: datetime) -> None:
        """Ask about those policies that have waited longest, if any is due.

        Where the question cannot be asked what waits goes on waiting: measured savings are late then, and nothing else is.
        """
        if self._failed_at is not None and self._failed_at <= now < self._failed_at + _AFTER_A_FAILURE:
            return
        wanted = {NamespacedName(each.metadata.namespace, each.metadata.name): each for each in policies}
        asked = self._due(wanted, now)
        if not asked:
            return
        longest = max(parse_duration(wanted[key].spec.measurement.window) for key in asked)
        text = ledger_of(scope, (key.name for key in asked), 2 * longest + _CHANGE_LASTS)
        try:
            samples = source.query(text, now)
        except MetricsUnavailable:
            self._failed_at = now
            return
        self._failed_at = None
        known = [sample for sample in samples if "policy" not in sample.labels]
        found = _by_policy(samples)
        with self._lock:
            for key in asked:
                hours = ledger_hours(found.get(key, ()), known)
                self._waiting[key] = Ledger(occasion=_occasion(wanted[key], due_at(now)), hours=hours)

    def _due(self, wanted: Mapping[NamespacedName, CostPolicy], now: datetime) -> list[NamespacedName]:
        with self._lock:
            for gone in [key for key in (*self._waiting, *self._done) if key not in wanted]:
                self._waiting.pop(gone, None)
                self._done.pop(gone, None)
            room = AT_ONCE - len(self._waiting)
            due = due_at(now)
            late = [
                key for key, policy in wanted.items() if key not in self._waiting and self._is_due(key, policy, due)
            ]
            return sorted(late, key=lambda key: (self._read_at(key, wanted[key]), key))[:room] if room > 0 else []

    def _is_due(self, key: NamespacedName, policy: CostPolicy, due: datetime) -> bool:
        occasion = _occasion(policy, due)
        if self._done.get(key) == occasion:
            return False
        measured = policy.status.measurement if policy.status else None
        if measured is None or measured.changed_at != occasion.changed:
            return True
        complete = measured.complete and occasion.changed is not None
        return not complete and measured.read_at != occasion.due

    def _read_at(self, key: NamespacedName, policy: CostPolicy) -> datetime:
        if key in self._done:
            return self._done[key].due
        measured = policy.status.measurement if policy.status else None
        return (measured.read_at if measured else None) or datetime.min.replace(tzinfo=UTC)


def _occasion(policy: CostPolicy, due: datetime) -> Occasion:
    history = policy.status.history if policy.status else ()
    return Occasion(due=due, changed=history[0].at if history else None)


def due_at(now: datetime) -> datetime:
    """Return when policies were due last: the end of the last hour that they are told of."""
    seconds = int((now - _SETTLED).timestamp())
    return datetime.fromtimestamp(seconds - seconds % int(DUE_EVERY.total_seconds()), tz=UTC)


def _by_policy(samples: Iterable[Sample]) -> dict[NamespacedName, list[Sample]]:
    found: dict[NamespacedName, list[Sample]] = {}
    for sample in samples:
        key = NamespacedName(sample.labels.get("namespace", ""), sample.labels.get("policy", ""))
        found.setdefault(key, []).append(sample)
    return found
