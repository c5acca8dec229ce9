"""What a person waiting at a terminal sees: steps, and how long they have been taking."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

HEARTBEAT = 15.0
_STARTED = time.monotonic()


class ClusterError(Exception):
    """Something that keeps the cluster from working, with what to do about it."""


def say(message: str) -> None:
    """Print one line, stamped with the seconds since the program started."""
    print(f"[{time.monotonic() - _STARTED:6.1f}s] {message}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step, and how long it took once it is over."""
    began = time.monotonic()
    say(f"{title} ...")
    yield
    say(f"{title}: {time.monotonic() - began:.1f} s")


def run_with_heartbeat(
    title: str, command: Sequence[str | Path], *, log: Path, cwd: Path, env: Mapping[str, str]
) -> None:
    """Run a long command, its output in `log`, a line every 15 s; ClusterError with the log's end if it fails."""
    began = time.monotonic()
    say(f"{title} ...")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, env=env)
        try:
            while (code := _wait(process)) is None:
                say(f"{title}: {time.monotonic() - began:.0f} s so far")
        except BaseException:
            process.kill()
            process.wait()
            raise
    if code != 0:
        raise ClusterError(f"{title} failed (exit code {code}); the whole log is {log}\n{tail(log)}")
    say(f"{title}: {time.monotonic() - began:.0f} s")


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log, or a note that there is none."""
    if not log.exists():
        return f"({log} does not exist)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _wait(process: "subprocess.Popen[bytes]") -> int | None:
    try:
        return process.wait(timeout=HEARTBEAT)
    except subprocess.TimeoutExpired:
        return None
