"""A real Prometheus of a test's own on this machine, and pages for it to scrape that tests change."""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from cluster.api_server import free_ports
from cluster.processes import tied
from costpolicy.observe.prometheus import PrometheusSource


@dataclass(frozen=True)
class Server:
    """A running Prometheus."""

    url: str

    def source(self, timeout: timedelta = timedelta(seconds=20)) -> PrometheusSource:
        """Return the operator's own adapter to it."""
        return PrometheusSource(self.url, timeout=timeout)

    def until(self, promql: str, seconds: float = 30) -> list[Any]:
        """Wait until an expression has a result, and return it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            reply = requests.get(f"{self.url}/api/v1/query", params={"query": promql}, timeout=5).json()
            if reply["data"]["result"]:
                found: list[Any] = reply["data"]["result"]
                return found
            time.sleep(0.1)
        raise AssertionError(f"no result within {seconds} s: {promql}")


@contextmanager
def prometheus(folder: Path, config: str) -> Iterator[Server]:
    """Run a Prometheus with that configuration; what its folder's ``data`` holds already is its own."""
    (port,) = free_ports(1)
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    command = [
        shutil.which("prometheus") or "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(tied(command), stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(process, url, folder / "log")
        yield Server(url)
    finally:
        _stop(process)


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if requests.get(f"{url}/-/ready", timeout=2).ok:
                return
        except requests.ConnectionError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(log.read_text(encoding="utf-8"))
        time.sleep(0.05)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass
class Pages:
    """Pages that Prometheus scrapes; a path without a page answers 503."""

    url: str
    texts: dict[str, str] = field(default_factory=dict)


@contextmanager
def pages() -> Iterator[Pages]:
    """Serve pages on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = served.texts.get(self.path)
            with suppress(BrokenPipeError):  # on a busy machine Prometheus may have given up waiting
                self.send_response(503 if text is None else 200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write((text or "").encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Pages(f"127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def job(name: str, address: str, path: str = "/metrics", *, honor: bool = False, labels: str = "{}") -> str:
    """Return a job of a configuration: ``labels`` in the flow style of YAML."""
    return (
        f"- job_name: {name}\n  metrics_path: {path}\n  honor_labels: {str(honor).lower()}\n"
        f"  static_configs: [{{targets: ['{address}'], labels: {labels}}}]\n"
    )


def config(*jobs: str, rules: Path | None = None) -> str:
    """Return a configuration that scrapes and evaluates twice a second."""
    head = "global: {scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms}\n"
    loaded = f"rule_files: ['{rules}']\n" if rules else ""
    return head + loaded + "scrape_configs:\n" + "".join(jobs)
