"""A real Prometheus for the contract tests: backfilled with hand-made series, or scraping a page that tests
change."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from contract.observe.tapes import Tape
from costpolicy.observe.prometheus import PrometheusSource


@dataclass(frozen=True)
class Server:
    """A running Prometheus."""

    url: str

    def source(self, timeout: timedelta = timedelta(seconds=20)) -> PrometheusSource:
        return PrometheusSource(self.url, timeout=timeout)

    def until(self, promql: str, seconds: float = 30) -> list[object]:
        """Wait until an expression has a result."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            reply = requests.get(f"{self.url}/api/v1/query", params={"query": promql}, timeout=5).json()
            if reply["data"]["result"]:
                return reply["data"]["result"]
            time.sleep(0.1)
        raise AssertionError(f"no result within {seconds} s: {promql}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def programs() -> dict[str, str]:
    found = {name: shutil.which(name) or "" for name in ("prometheus", "promtool")}
    if not all(found.values()):
        pytest.skip("prometheus and promtool are not installed (Debian: apt-get install prometheus)")
    return found


def _run(program: str, folder: Path, config: str) -> tuple[subprocess.Popen[bytes], str]:
    port = free_port()
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 30
    while True:
        try:
            if requests.get(f"{url}/-/ready", timeout=2).ok:
                return process, url
        except requests.ConnectionError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError((folder / "log").read_text(encoding="utf-8"))
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def backfilled(
    programs: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Tape], Server]]:
    """Start a Prometheus that holds a tape's series and scrapes nothing."""
    running: list[subprocess.Popen[bytes]] = []

    def start(tape: Tape) -> Server:
        folder = tmp_path_factory.mktemp("prometheus")
        (folder / "tape.om").write_text(tape.text(), encoding="utf-8")
        subprocess.run(
            [
                programs["promtool"],
                "tsdb",
                "create-blocks-from",
                "openmetrics",
                folder / "tape.om",
                folder / "data",
            ],
            check=True,
            capture_output=True,
        )
        process, url = _run(programs["prometheus"], folder, "global: {}\n")
        running.append(process)
        return Server(url)

    yield start
    for process in running:
        _stop(process)


@dataclass
class Pages:
    """Pages that Prometheus scrapes; a path without a page answers 503."""

    url: str
    texts: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def pages() -> Iterator[Pages]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = served.texts.get(self.path)
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
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def scraping(programs: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], Server]]:
    """Start a Prometheus with a configuration."""
    running: list[subprocess.Popen[bytes]] = []

    def start(config: str) -> Server:
        process, url = _run(programs["prometheus"], tmp_path, config)
        running.append(process)
        return Server(url)

    yield start
    for process in running:
        _stop(process)
