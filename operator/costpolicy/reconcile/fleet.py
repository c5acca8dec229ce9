"""What all policies share in one cycle: prices, nodes, pods, metrics.  Read once, whatever the number of policies."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from costpolicy.advice.existing import Surroundings
from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.catalog.prices import PriceList
from costpolicy.clock import Clock
from costpolicy.kube.autoscaler import Autoscaler, parse_autoscaler
from costpolicy.kube.gateway import Gateway, NamespacedName, Object
from costpolicy.observe.fleet import FleetObservations, ObserveSettings, observe_fleet
from costpolicy.observe.past import Past
from costpolicy.observe.source import MetricsSource, MetricsUnavailable, Missing
from costpolicy.reconcile.ledgers import Ledgers
from costpolicy.reconcile.prices import PricesInForce
from costpolicy.reconcile.routed import RoutesOf, routes_of
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.reconcile.supply import Capacity
from costpolicy.reconcile.targets import Found, Targets, target_of, with_targets
from costpolicy.units import format_duration

CLUSTER_FRESH_FOR: Final = timedelta(seconds=1)
"""How long one look at policies, prices, nodes and pods serves every policy: a burst of events; it costs no request."""
METRICS_FRESH_FOR: Final = timedelta(seconds=10)
"""How long one cycle of queries serves every policy: shorter than any loop, and Prometheus is spared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One look at everything but the single policy."""

    at: datetime
    policies: tuple[CostPolicy, ...]
    prices: PriceList
    capacity: Capacity
    observations: FleetObservations | MetricsDown
    autoscalers: Mapping[NamespacedName, tuple[Autoscaler, ...]] = field(default_factory=dict)
    """By the policy that they were made for, and by the Deployment that they scale, whosever they are."""
    targets: Mapping[NamespacedName, Found] = field(default_factory=dict)
    """Deployments of others that policies advise on, by name; their pods carry the policy's labels in ``capacity``."""
    routes: RoutesOf = field(default_factory=dict)
    rate_window: timedelta = timedelta(minutes=5)
    ledgers: Ledgers = field(default_factory=Ledgers, compare=False, repr=False)
    """Hours that savings are measured on, of those policies that they were read for."""

    @property
    def around(self) -> Surroundings:
        """What Deployments of others are read in."""
        return Surroundings(pods=self.capacity.pods, nodes=self.capacity.nodes, offerings=self.prices.offerings)

    def autoscalers_of(self, namespace: str, names: Iterable[str]) -> tuple[Autoscaler, ...]:
        """Return the autoscalers of a policy and of its Deployments, by their names."""
        keys = (NamespacedName(namespace, name) for name in names)
        return tuple({found.ref: found for key in keys for found in self.autoscalers.get(key, ())}.values())

    def caveat(self, window: timedelta) -> Missing | None:
        """Return what limits the metrics of a policy that measures over this window, if anything."""
        seen = self.observations
        if isinstance(seen, MetricsDown):
            return None
        if not seen.rules_loaded:
            return Missing(
                reason=Reason.RULES_MISSING,
                message="the chart's recording rules are not loaded into this Prometheus: there is no history to plan on; "
                "have it load them (rules in the chart's values)",
            )
        if seen.retention is not None and seen.retention < 2 * window:
            return Missing(
                reason=Reason.RETENTION_TOO_SHORT,
                message=f"Prometheus keeps {format_duration(seen.retention)}; two windows of {format_duration(window)} are "
                f"needed: keep {format_duration(2 * window)}, or shorten spec.measurement.window",
            )
        return None


class FleetWatch:
    """Looks at the fleet when the last look is too old; safe to call from several threads.

    ``seen`` is called with every new look, by the thread that took it.
    """

    def __init__(
        self,
        gateway: Gateway,
        metrics: MetricsSource | None,
        clock: Clock,
        settings: ObserveSettings,
        seen: Callable[[Fleet], None] = lambda _: None,
    ) -> None:
        self._gateway = gateway
        self._metrics = metrics
        self._clock = clock
        self._settings = settings
        self._seen = seen
        self._lock = Lock()
        self._last: Fleet | None = None
        self._observations: FleetObservations | MetricsDown | None = None
        self._observed_at: datetime | None = None
        self._past: Past | None = None
        self._prices = PricesInForce()
        self._ledgers = Ledgers()
        self._targets = Targets(gateway)

    @property
    def ledgers(self) -> Ledgers:
        """Hours that savings are measured on, of every look."""
        return self._ledgers

    def look(self) -> Fleet:
        """Return the fleet as it was at most a moment ago.

        Raises:
            GatewayError: the API server cannot be read.  Metrics that cannot be read are part of the answer.
        """
        with self._lock:
            now = self._clock.now()
            if self._last is None or _is_old(self._last.at, now, CLUSTER_FRESH_FOR):
                self._last = self._read(now)
                self._seen(self._last)
            return self._last

    def look_for(self, policy: CostPolicy) -> Fleet:
        """Return the same with the Deployment that a policy advises on, which a look before its last edit has not.

        Raises:
            GatewayError: as ``look``.
        """
        fleet, ref = self.look(), target_of(policy)
        if ref is None or NamespacedName(ref.namespace, ref.name) in fleet.targets:
            return fleet
        with self._lock:
            self._last = None
        return self.look()

    def _read(self, now: datetime) -> Fleet:
        gateway = self._gateway
        policies = tuple(policy for policy in gateway.policies() if isinstance(policy, CostPolicy))
        targets = self._targets.of(policies, now)
        return Fleet(
            at=now,
            policies=policies,
            prices=self._prices.of(tuple(gateway.price_books()), now),
            capacity=with_targets(Capacity(nodes=gateway.nodes(), pods=gateway.pods()), policies, targets),
            targets=targets,
            observations=self._observe(policies, now),
            autoscalers=_indexed(gateway.autoscalers()),
            routes=routes_of(gateway.routes()),
            rate_window=self._settings.rate_window,
            ledgers=self._ledgers,
        )

    def _observe(self, policies: Sequence[CostPolicy], now: datetime) -> FleetObservations | MetricsDown:
        if (
            self._observations is None
            or self._observed_at is None
            or _is_old(self._observed_at, now, METRICS_FRESH_FOR)
        ):
            self._observations, self._observed_at = self._ask(policies, now), now
        return self._observations

    def _ask(self, policies: Sequence[CostPolicy], now: datetime) -> FleetObservations | MetricsDown:
        if self._metrics is None:
            message = "no Prometheus is configured: set prometheus.url in the chart"
            return MetricsDown(reason=Reason.PROMETHEUS_UNREACHABLE, message=message)
        try:
            seen = observe_fleet(self._metrics, now, self._settings, self._past)
            self._past = seen.past
            self._ledgers.read(self._metrics, self._settings.scope(), policies, now)
        except MetricsUnavailable as error:
            return MetricsDown(reason=Reason(error.reason), message=error.message)
        return seen


def _indexed(items: Iterable[Object]) -> Mapping[NamespacedName, tuple[Autoscaler, ...]]:
    found: dict[NamespacedName, tuple[Autoscaler, ...]] = {}
    for autoscaler in map(parse_autoscaler, items):
        for name in {autoscaler.policy, autoscaler.target} - {""}:
            key = NamespacedName(autoscaler.ref.namespace, name)
            found[key] = (*found.get(key, ()), autoscaler)
    return found


def _is_old(taken: datetime, now: datetime, age: timedelta) -> bool:
    """Return whether a look is too old; one from the future (a clock that was set back) is."""
    return not taken <= now < taken + age
