"""The composition root: the one place where the real cluster, Prometheus, clock and reconciler meet."""

import logging
import signal
import sys
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Final

from costpolicy.clock import SystemClock
from costpolicy.kube.connection import connect
from costpolicy.kube.errors import GatewayError
from costpolicy.runtime.logs import configure_logging
from costpolicy.runtime.operator import Operator, ReconcilerFactory
from costpolicy.runtime.settings import SettingsError, read_settings
from costpolicy.runtime.telemetry import Telemetry

logger = logging.getLogger(__name__)

STOPPED: Final = 0
FAILED: Final = 1
WRONG_SETTINGS: Final = 2
SPARE_CONNECTIONS: Final = 3
"""Connections beside the workers': lease, resync, and one to spare."""


def run(environment: Mapping[str, str], build: ReconcilerFactory) -> int:
    """Run the operator until SIGTERM or SIGINT; return the exit code of the process."""
    try:
        settings = read_settings(environment)
    except SettingsError as problem:
        sys.stderr.write(f"{problem}\n")
        return WRONG_SETTINGS
    configure_logging(settings.log_format, settings.log_level)
    telemetry = Telemetry()
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
    Operator(settings, connection, telemetry, SystemClock(), build).run(stop)
    return STOPPED


def _stop_on_signals(stop: threading.Event) -> None:
    """Stop gracefully before kopf takes over the signals, and while it is done with them."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
