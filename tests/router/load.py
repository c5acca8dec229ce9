"""Applications that ask a router without pause, and tiers that answer, each a process of its own."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from process_group import running
from router.environment import router_env
from waiting import wait_until

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Applications:
    """Running callers (``tests/callers``), on the router's environment, which has the OpenAI SDK."""

    log: Path

    def seen(self) -> dict[str, dict[str, Any]]:
        """Return what each way of asking has seen so far."""
        lines = self.log.read_text().splitlines()
        found: dict[str, dict[str, Any]] = json.loads(lines[-1]) if lines and lines[-1].endswith("}") else {}
        return found

    def answered(self, more: int) -> dict[str, dict[str, Any]]:
        """Wait until every way of asking has had so many more whole answers, and return what was seen then."""
        before = self.seen()

        def enough() -> bool:
            now = self.seen()
            gained = [seen["whole"] - before.get(way, {"whole": 0})["whole"] for way, seen in now.items()]
            return len(now) == len(before or now) and bool(gained) and min(gained) >= more

        wait_until(enough, seconds=60)
        return self.seen()


@contextmanager
def applications(url: str, key: str, log: Path, long_tokens: int) -> Iterator[Applications]:
    """Ask a route called ``chat`` until the block ends."""
    command = [str(router_env() / "bin" / "python"), "-m", "callers", f"{url}/v1", "chat", "--key", key]
    with running([*command, "--long-tokens", str(long_tokens)], _environment(), log):
        yield Applications(log)


@contextmanager
def tier(port: int, log: Path, pause: float = 0.0) -> Iterator[subprocess.Popen[bytes]]:
    """Run a tier that answers with a pause between tokens until the block ends, or it is killed."""
    command = [sys.executable, "-m", "router.upstream", str(port), "--pause", str(pause)]
    with running(command, _environment(), log) as process:
        wait_until(lambda: listens(port))
        yield process


def listens(port: int) -> bool:
    """Return whether anybody listens on a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _environment() -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": str(TESTS)}
