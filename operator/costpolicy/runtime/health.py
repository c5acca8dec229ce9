"""Liveness and readiness over HTTP, each a list of named checks.

Liveness fails only where a restart helps: a reconcile or a loop that hangs.  An API server or Prometheus that
is away is no reason to restart, and being a standby is no reason to be unready.
"""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

Check = Callable[[], str | None]
"""Returns what is wrong, or None."""

_STOPS_WITHIN: Final = 0.1
"""Seconds between two looks at whether it was asked to stop."""

STUCK_AFTER: Final = timedelta(minutes=5)
"""Far beyond any honest reconcile: milliseconds of work and a few requests with timeouts of seconds."""


def not_longer_than(limit: timedelta, measure: Callable[[], timedelta], what: str) -> Check:
    """Return a check that fails while a measured time exceeds a limit."""

    def check() -> str | None:
        elapsed = measure()
        return None if elapsed <= limit else f"{what} for {elapsed.total_seconds():.0f} s"

    return check


class HealthServer:
    """Serves ``/healthz`` and ``/readyz``: 200 when all checks pass, else 503, JSON in either case."""

    def __init__(self, port: int, *, liveness: Mapping[str, Check], readiness: Mapping[str, Check]) -> None:
        probes = {"/healthz": liveness, "/readyz": readiness}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                checks = probes.get(self.path)
                if checks is None:
                    self.send_error(HTTPStatus.NOT_FOUND)
                    return
                failed = {name: problem for name, check in checks.items() if (problem := check()) is not None}
                body = json.dumps({"ok": not failed, "failed": failed}).encode()
                self.send_response(HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
                """Probes every few seconds are not worth a log line."""

        self._server = ThreadingHTTPServer(("", port), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _STOPS_WITHIN}, name="health", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that is listened on (chosen by the system where 0 was asked for)."""
        return self._server.server_port

    def start(self) -> None:
        """Start to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and close the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
