"""A real LiteLLM proxy on this machine, for as long as a test needs one."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.server import free_port
from process_group import running, wait_until_it_answers
from router.environment import router_env

ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "DO_NOT_TRACK": "1",
    "LITELLM_TELEMETRY": "False",
}
START_TIMEOUT_SECONDS = 180.0
CONFIGURATION = "config.yaml"


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
        StartError: it did not become ready.
    """
    port = port or free_port()
    log = folder.parent / f"router-{port}.log"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {**ENVIRONMENT, "PYTHONPATH": str(folder), **variables}
    command = [str(router_env() / "bin" / "litellm"), "--config", str(folder / CONFIGURATION)]
    with running([*command, "--host", "127.0.0.1", "--port", str(port)], environment, log) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until_it_answers(process, f"{url}/health/readiness", log, START_TIMEOUT_SECONDS)
        yield RunningRouter(url=url, process=process, log=log)
