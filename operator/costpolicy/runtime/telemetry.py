"""The operator's own metrics, in a registry of their own, and the fleet's gauges that history is made of.

The fleet's series come from an immutable view that the reconciler replaces as a whole: a scrape never sees
half a cycle, and what is gone from the view is gone from the next scrape.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from costpolicy import __version__
from costpolicy.observe.exported import BUILD_INFO, EXPORTED, ExportedGauge
from costpolicy.reconcile.decision import Decision
from costpolicy.runtime.workers import Outcome

RECONCILE_BUCKETS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Series = Mapping[tuple[str, ...], float]
"""Values by label values, in the order of the gauge's labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetView:
    """What is exported about the fleet at one moment: the series of each gauge of ``observe.exported``."""

    series: Mapping[ExportedGauge, Series] = field(default_factory=dict)


class _FleetCollector(Collector):
    """Turns the current view into metric families."""

    def __init__(self) -> None:
        self.view = FleetView()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield one family a gauge, empty ones included, so that a scrape always documents them."""
        view = self.view
        for gauge in EXPORTED:
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in sorted(view.series.get(gauge, {}).items()):
                family.add_metric(labels, value)
            if gauge is BUILD_INFO:
                family.add_metric((__version__,), 1)
            yield family


class Telemetry:
    """All metrics of one operator process; names follow controller-runtime where it has a like one."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._fleet = _FleetCollector()
        self.registry.register(self._fleet)
        self._reconciles = Counter(
            "costpolicy_reconcile_total", "Reconciles by how they ended.", ("result",), registry=self.registry
        )
        for outcome in Outcome:
            self._reconciles.labels(outcome.value)
        self._durations = Histogram(
            "costpolicy_reconcile_duration_seconds",
            "Time of one reconcile.",
            buckets=RECONCILE_BUCKETS,
            registry=self.registry,
        )
        self._requests = Counter(
            "costpolicy_api_requests_total",
            "Requests to the API server by method and status code (0: no answer).",
            ("method", "code"),
            registry=self.registry,
        )
        self._decisions = Counter(
            "costpolicy_decision_changes_total",
            "Decisions that differ from the one before, by reason.",
            ("reason",),
            registry=self.registry,
        )

    def reconciled(self, outcome: Outcome, seconds: float) -> None:
        """Count one reconcile."""
        self._reconciles.labels(outcome.value).inc()
        self._durations.observe(seconds)

    def requested(self, method: str, code: int) -> None:
        """Count one request to the API server."""
        self._requests.labels(method, str(code)).inc()

    def decided(self, decision: Decision) -> None:
        """Count the changes of mind of one decision."""
        for news in decision.news:
            self._decisions.labels(news.reason).inc()

    def export(self, view: FleetView) -> None:
        """Replace what is exported about the fleet."""
        self._fleet.view = view

    def measure(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Add a gauge whose value is asked for at each scrape."""
        Gauge(name, text, registry=self.registry).set_function(value)

    def serve(self, port: int) -> "MetricsServer":
        """Serve ``/metrics`` in a thread of its own."""
        return MetricsServer(port, self.registry)


class MetricsServer:
    """The HTTP server of ``/metrics``; running as long as it exists unstopped."""

    def __init__(self, port: int, registry: CollectorRegistry) -> None:
        self._server: WSGIServer
        self._server, self._thread = start_http_server(port, registry=registry)

    @property
    def port(self) -> int:
        """The port that is listened on (chosen by the system where 0 was asked for)."""
        return self._server.server_port

    def stop(self, timeout: timedelta = timedelta(seconds=5)) -> None:
        """Stop answering and close the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout.total_seconds())
