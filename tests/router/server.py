"""A real LiteLLM proxy on this machine, for as long as a test needs one."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.server import free_port
from process_group import end_of, running
from router.environment import router_env

ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "DO_NOT_TRACK": "1",
    "LITELLM_TELEMETRY": "False",
}
START_TIMEOUT_SECONDS = 180.0
CONFIGURATION = "config.yaml"


class RouterStartError(Exception):
    """The router ended, or was not ready in time; the message carries the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningRouter:
    """Where it listens, its process, its log."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def text(self) -> str:
        """Return everything that it has logged."""
        return self.log.read_text(errors="replace")


@contextmanager
def serve_router(folder: Path, variables: Mapping[str, str], port: int | None = None) -> Iterator[RunningRouter]:
    """Run LiteLLM with a folder's ``config.yaml`` on 127.0.0.1 until the block ends.

    ``variables`` are those of its pod: keys, and whatever the configuration names.

    Raises:
        RouterStartError: it did not become ready.
    """
    with started_router(folder, variables, port) as router:
        wait_until_ready(router)
        yield router


@contextmanager
def started_router(folder: Path, variables: Mapping[str, str], port: int | None = None) -> Iterator[RunningRouter]:
    """The same, not yet ready."""
    port = port or free_port()
    log = folder.parent / f"router-{port}.log"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {**ENVIRONMENT, "PYTHONPATH": str(folder), **variables}
    command = [str(router_env() / "bin" / "litellm"), "--config", str(folder / CONFIGURATION)]
    with running([*command, "--host", "127.0.0.1", "--port", str(port)], environment, log) as process:
        yield RunningRouter(url=f"http://127.0.0.1:{port}", process=process, log=log)


def wait_until_ready(router: RunningRouter) -> None:
    """Wait for the answer that a pod's readiness probe waits for.

    Raises:
        RouterStartError: it ended, or took too long.
    """
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if router.process.poll() is not None:
            raise RouterStartError(f"LiteLLM ended with code {router.process.returncode}:\n{end_of(router.log)}")
        if is_ready(router.url):
            return
        time.sleep(0.25)  # a real process is waited for here: there is no clock to inject
    raise RouterStartError(f"LiteLLM was not ready after {START_TIMEOUT_SECONDS:.0f} s:\n{end_of(router.log)}")


def is_ready(url: str) -> bool:
    """Return whether a router says that it is ready."""
    try:
        with urllib.request.urlopen(f"{url}/health/readiness", timeout=5) as response:  # noqa: S310 - http, here
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
