"""Processes that a test starts and that cannot outlive it."""

import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], log: Path, patience: float = 20
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own until the block ends; its output goes to a file.

    At the end it is asked to leave, and after ``patience`` seconds made to.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_dies_with_us(), *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process, patience)


class StartError(Exception):
    """A process ended, or was not ready in time; the message carries the end of its log."""


def wait_until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path, seconds: float) -> None:
    """Wait until an address is answered with 200; until then connections are refused.

    Raises:
        StartError: the process ended, or so many seconds are over.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartError(f"it ended with code {process.returncode} before it was ready:\n{end_of(log)}")
        if _answers(url):
            return
        time.sleep(0.25)  # a real process is waited for here: there is no clock to inject
    raise StartError(f"it was not ready after {seconds:.0f} s:\n{end_of(log)}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - http, here
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def processes_of_group(group: int) -> list[int]:
    """Return the ids of a group's living processes."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getpgid(int(entry.name)) == group and resident_bytes(int(entry.name)):
                    found.append(int(entry.name))
            except (ProcessLookupError, FileNotFoundError):
                continue  # it ended while we looked
    return found


def resident_bytes(process_id: int) -> int:
    """Return a process' resident memory; 0 for one that ended and only waits to be collected."""
    try:
        pages = Path(f"/proc/{process_id}/statm").read_text().split()[1]
    except (ProcessLookupError, FileNotFoundError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def end_of(log: Path) -> str:
    """Return the end of a log, for a message."""
    return log.read_text(errors="replace")[-4000:]


def _dies_with_us() -> list[str]:
    """The kernel ends the process when the test's is killed (util-linux, where there is)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


def _end(process: subprocess.Popen[bytes], patience: float) -> None:
    """Asks, then insists: by the ids of this process' own group, which no other process joins."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for leftover in processes_of_group(process.pid):
        os.kill(leftover, signal.SIGKILL)
