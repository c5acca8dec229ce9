"""The HTTP side of the stand-in."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standin.engine import Speed
from standin.fleet import Fleet, Load

_SPEED = {
    "overheadSeconds": "overhead_seconds",
    "decodeSeconds": "decode_seconds",
    "sequenceSeconds": "sequence_seconds",
    "prefillTokensPerSecond": "prefill_tokens_per_second",
    "stepTokens": "step_tokens",
    "maxRunning": "max_running",
    "kvTokens": "kv_tokens",
}


class StandIn(ThreadingHTTPServer):
    """Serves one fleet, whose clock is the machine's monotonic one."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, _Handler)
        self.fleet = Fleet(time.monotonic())
        self.lock = threading.Lock()

    def advance(self) -> None:
        """Bring the fleet up to now; the caller holds the lock."""
        self.fleet.advance(time.monotonic())

    def change(self, path: str, body: dict[str, Any]) -> None:
        """Apply a POST.

        Raises:
            KeyError, TypeError, ValueError: the body is not what the path expects.
        """
        with self.lock:
            self.advance()
            match path:
                case "/load":
                    load = Load(
                        float(body["requestsPerSecond"]),
                        int(body.get("promptTokens", Load.prompt_tokens)),
                        int(body.get("outputTokens", Load.output_tokens)),
                        int(body.get("sharedPrefixTokens", 0)),
                    )
                    self.fleet.set_load(body["namespace"], body["policy"], load)
                case "/pods":
                    speed = Speed(**{_SPEED[name]: value for name, value in body.get("engine", {}).items()})
                    keys = (body["namespace"], body["policy"], body["variant"])
                    self.fleet.set_pods(*keys, body["pods"], body.get("model", "m"), speed)
                case _:
                    raise KeyError(path)


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.advance()
            match self.path:
                case "/metrics":
                    answer, kind = self.server.fleet.page(), "text/plain; version=0.0.4; charset=utf-8"
                case "/state":
                    answer, kind = json.dumps(self.server.fleet.state()), "application/json"
                case _:
                    answer, kind = "", ""
        self._answer(200 if kind else 404, answer, kind or "text/plain")

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self.server.change(self.path, json.loads(text))
        except (KeyError, TypeError, ValueError) as error:
            self._answer(400, f"{error!r}\n", "text/plain")
        else:
            self._answer(200, "{}", "application/json")

    def _answer(self, status: int, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a scrape every few seconds is not news."""
