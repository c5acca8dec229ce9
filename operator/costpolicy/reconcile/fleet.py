"""What all policies share in one cycle: prices, nodes, pods, metrics.  Read once, whatever the number of policies."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.api.reasons import Reason
from costpolicy.catalog.prices import PriceList, merge_books
from costpolicy.clock import Clock
from costpolicy.kube.gateway import Gateway, Pod
from costpolicy.observe.fleet import FleetObservations, ObserveSettings, observe_fleet
from costpolicy.observe.source import MetricsSource, MetricsUnavailable, Missing
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.reconcile.supply import Capacity
from costpolicy.units import format_duration

FRESH_FOR: Final = timedelta(seconds=10)
"""How long one look at the fleet serves every policy: shorter than any loop, longer than a burst of events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One look at everything but the single policy."""

    at: datetime
    policies: tuple[CostPolicy, ...]
    prices: PriceList
    capacity: Capacity
    observations: FleetObservations | MetricsDown

    def pods_of(self, namespace: str, policy: str) -> tuple[Pod, ...]:
        """Return the unfinished pods of one policy."""
        return tuple(
            pod
            for pod in self.capacity.pods
            if pod.namespace == namespace and pod.labels.get("costpolicy.dev/policy") == policy
        )

    def caveat(self, window: timedelta) -> Missing | None:
        """Return what limits the metrics of a policy that measures over this window, if anything."""
        seen = self.observations
        if isinstance(seen, MetricsDown):
            return None
        if not seen.rules_loaded:
            return Missing(
                reason=Reason.RULES_MISSING,
                message="the chart's recording rules are not loaded into this Prometheus: there is no history to plan on",
            )
        if seen.retention is not None and seen.retention < 2 * window:
            return Missing(
                reason=Reason.RETENTION_TOO_SHORT,
                message=f"Prometheus keeps {format_duration(seen.retention)}; two windows of {format_duration(window)} are needed",
            )
        return None


class FleetWatch:
    """Looks at the fleet when the last look is too old; safe to call from several threads."""

    def __init__(
        self, gateway: Gateway, metrics: MetricsSource | None, clock: Clock, settings: ObserveSettings
    ) -> None:
        self._gateway = gateway
        self._metrics = metrics
        self._clock = clock
        self._settings = settings
        self._lock = Lock()
        self._last: Fleet | None = None
        self._seen: Callable[[Fleet], None] | None = None

    def look(self) -> Fleet:
        """Return the fleet as it was at most :data:`FRESH_FOR` ago.

        Raises:
            GatewayError: the API server cannot be read.  Metrics that cannot be read are part of the answer.
        """
        with self._lock:
            now = self._clock.now()
            if self._last is None or now - self._last.at >= FRESH_FOR or now < self._last.at:
                self._last = self._read(now)
            return self._last

    def forget(self) -> None:
        """Look anew next time: prices or nodes have changed."""
        with self._lock:
            self._last = None

    def _read(self, now: datetime) -> Fleet:
        gateway = self._gateway
        books = [book for book in gateway.price_books() if isinstance(book, PriceBook)]
        return Fleet(
            at=now,
            policies=tuple(policy for policy in gateway.policies() if isinstance(policy, CostPolicy)),
            prices=merge_books(books, now),
            capacity=Capacity(nodes=gateway.nodes(), pods=gateway.pods()),
            observations=self._observe(now),
        )

    def _observe(self, now: datetime) -> FleetObservations | MetricsDown:
        if self._metrics is None:
            message = "no Prometheus is configured: set prometheus.url in the chart"
            return MetricsDown(reason=Reason.PROMETHEUS_UNREACHABLE, message=message)
        try:
            return observe_fleet(self._metrics, now, self._settings)
        except MetricsUnavailable as error:
            return MetricsDown(reason=Reason(error.reason), message=error.message)
