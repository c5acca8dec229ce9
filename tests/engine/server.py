"""A real `vllm serve` on this machine's CPU, for as long as a test needs one.

The settings are those that start soonest and share two cores best: one OpenMP thread (with more, they spin
against the API process), the worker inside the engine's process, float32 and no compilation.
"""

import os
import socket
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.environment import engine_env
from process_group import processes_of_group, resident_bytes, running, wait_until_it_answers

SERVED_NAME = "tiny"
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_PLUGINS": "",
}
"""What a container of the engine needs as environment, too."""
CPU_ARGUMENTS = (
    "--distributed-executor-backend=uni",
    "--dtype=float32",
    "--enforce-eager",
    "--kv-cache-memory-bytes=32M",
)
"""What turns any rendered argument list into one that this machine's CPU can run (32 MiB are 32,768 tokens of
the tiny model).
"""
START_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A running engine: where it listens, its process, its log, and how long it took to be ready."""

    url: str
    process_id: int
    log: Path
    seconds_to_ready: float

    def metrics(self) -> str:
        """Its Prometheus exposition, as it is now."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as response:  # noqa: S310 - http, here
            text: str = response.read().decode()
        return text

    def resident_bytes(self) -> int:
        """Resident memory of the engine's processes together (shared pages counted once for each)."""
        return sum(resident_bytes(process) for process in processes_of_group(self.process_id))


@contextmanager
def serve(
    model_dir: Path, args: Sequence[str] = (), port: int | None = None, log: Path | None = None
) -> Iterator[Engine]:
    """Run `vllm serve MODEL_DIR` with `args` on 127.0.0.1 until the block ends.

    A free port is taken unless one is given; the log goes beside the model unless told otherwise.

    Raises:
        StartError: it did not become ready.
    """
    port = port or free_port()
    log = log or model_dir.parent / f"vllm-{port}.log"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | ENVIRONMENT
    started = time.monotonic()
    with running(_command(model_dir, args, port), environment, log) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until_it_answers(process, f"{url}/health", log, START_TIMEOUT_SECONDS)
        yield Engine(url=url, process_id=process.pid, log=log, seconds_to_ready=time.monotonic() - started)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _command(model_dir: Path, args: Sequence[str], port: int) -> list[str]:
    ours = [
        f"--served-model-name={SERVED_NAME}",
        "--host=127.0.0.1",
        f"--port={port}",
        "--disable-uvicorn-access-log",
    ]
    return [str(engine_env() / "bin" / "vllm"), "serve", str(model_dir), *ours, *CPU_ARGUMENTS, *args]
