"""The page of what is counted, on a port of its own, for Prometheus."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def serve(port: int, page: Callable[[], str]) -> ThreadingHTTPServer:
    """Serve a page at ``/metrics`` on every address of the pod, in a thread that ends with the process.

    Raises:
        OSError: the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        """Answers ``GET /metrics`` and nothing else."""

        def do_GET(self) -> None:
            """Answer."""
            found = self.path.split("?", 1)[0] == "/metrics"
            body = page().encode() if found else b"not here\n"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base class has it
            """Say nothing: scrapes are no news."""

    server = ThreadingHTTPServer(("0.0.0.0", port), Handler)  # noqa: S104 - a pod
    server.daemon_threads = True
    Thread(target=server.serve_forever, name="costpolicy-metrics", daemon=True).start()
    return server
