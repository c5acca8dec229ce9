"""The composition root: the one place where the real cluster, Prometheus, clock and reconciler meet."""

import logging
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Final

from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import newest_engine
from costpolicy.catalog.models import models
from costpolicy.catalog.sources import CatalogError
from costpolicy.clock import Clock, SystemClock
from costpolicy.kube.connection import connect
from costpolicy.kube.errors import GatewayError
from costpolicy.kube.gateway import Gateway, NamespacedName
from costpolicy.observe.fleet import ObserveSettings
from costpolicy.observe.prometheus import PrometheusSource
from costpolicy.reconcile.exports import fleet_series, running_variants
from costpolicy.reconcile.fleet import Fleet, FleetWatch
from costpolicy.reconcile.reconciler import Defaults, Reconciler
from costpolicy.reconcile.routes.exports import route_series
from costpolicy.reconcile.routes.reconciler import RouterDefaults, RoutesReconciler
from costpolicy.runtime.handlers import WatchError, router_key
from costpolicy.runtime.logs import configure_logging
from costpolicy.runtime.operator import Operator, ReconcilerFactory
from costpolicy.runtime.settings import Settings, SettingsError, read_settings
from costpolicy.runtime.telemetry import FleetView, Telemetry
from costpolicy.runtime.workers import Reconcile

logger = logging.getLogger(__name__)

STOPPED: Final = 0
FAILED: Final = 1
WRONG_SETTINGS: Final = 2
BROKEN_PACKAGE: Final = 2
SPARE_CONNECTIONS: Final = 3
"""Connections beside the workers': lease, resync, and one to spare."""
SHAPE_WINDOW: Final = timedelta(minutes=5)
"""Least window of token counts and hit ratios, which need more requests than a rate does."""

Assembly = Callable[[Settings, Clock], ReconcilerFactory]


def production(settings: Settings, clock: Clock) -> ReconcilerFactory:
    """Return the factory of the real reconciler, with Prometheus if one is configured."""
    metrics = _prometheus(settings)
    look = ObserveSettings(
        matchers=settings.prometheus_matchers,
        rate_window=settings.prometheus_rate_window,
        shape_window=max(settings.prometheus_rate_window, SHAPE_WINDOW),
    )

    def build(gateway: Gateway, telemetry: Telemetry) -> Reconcile:
        def export(fleet: Fleet) -> None:
            series = fleet_series(running_variants(gateway, fleet), fleet)
            series |= route_series(gateway.routes(), fleet.prices.currency)
            telemetry.export(FleetView(series=series))

        defaults = Defaults(
            mode=settings.default_rollout_mode,
            allow_host_access=settings.allow_host_access,
            most_changing=settings.max_concurrent_changes,
            prometheus_url=settings.prometheus_url,
            prometheus_matchers=look.matchers,
            evaluator_image=settings.image,
        )
        fleet = FleetWatch(gateway, metrics, clock, look, export)
        policies = Reconciler(gateway, fleet, clock, defaults, decided=telemetry.decided)
        routes = RoutesReconciler(gateway, fleet, clock, _routers(settings), new_master_key)

        def reconcile(key: NamespacedName) -> timedelta | None:
            if key == router_key(key.namespace):
                return routes.reconcile(key.namespace)
            return policies.reconcile(key.namespace, key.name)

        return reconcile

    return build


def run(environment: Mapping[str, str], assemble: Assembly = production) -> int:
    """Run the operator until SIGTERM or SIGINT; return the exit code of the process."""
    try:
        settings = read_settings(environment)
        _read_catalogue()
    except SettingsError as problem:
        sys.stderr.write(f"{problem}\n")
        return WRONG_SETTINGS
    except CatalogError as problem:
        sys.stderr.write(f"{problem}; a data file of the package is broken: run another image\n")
        return BROKEN_PACKAGE
    configure_logging(settings.log_format, settings.log_level)
    telemetry, clock = Telemetry(), SystemClock()
    try:
        connection = connect(
            kubeconfig=settings.kubeconfig or None,
            pool_size=settings.workers + SPARE_CONNECTIONS,
            observer=telemetry.requested,
        )
    except GatewayError as problem:
        logger.error("no cluster", extra={"problem": str(problem)})  # noqa: TRY400 - the message says it all
        return FAILED
    stop = threading.Event()
    _stop_on_signals(stop)
    try:
        Operator(settings, connection, telemetry, clock, assemble(settings, clock)).run(stop)
    except WatchError:
        return FAILED
    return STOPPED


def _read_catalogue() -> None:
    """Read every data file once, so that a broken one ends the process at its start and not each reconcile.

    Raises:
        CatalogError: one is broken; which, and on which line.
    """
    accelerators()
    models()
    newest_engine()


def _prometheus(settings: Settings) -> PrometheusSource | None:
    if not settings.prometheus_url:
        return None
    return PrometheusSource(
        settings.prometheus_url,
        timeout=settings.prometheus_timeout,
        bearer_token_file=_path(settings.prometheus_token_file),
        ca_file=_path(settings.prometheus_ca_file),
    )


def _routers(settings: Settings) -> RouterDefaults:
    return RouterDefaults(
        image=settings.router_image,
        image_pull_secrets=settings.router_image_pull_secrets,
        operator_image=settings.image,
    )


def new_master_key() -> str:
    """Return a random key in the form that LiteLLM asks for."""
    return f"sk-{secrets.token_urlsafe(32)}"


def _path(name: str) -> Path | None:
    return Path(name) if name else None


def _stop_on_signals(stop: threading.Event) -> None:
    """Let the signals of a terminating pod, and of a terminal, stop the operator gracefully."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
