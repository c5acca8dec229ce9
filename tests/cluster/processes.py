"""Processes that outlive the program that started them, and are found again by a mark in their environment.

A file of process ids would lie after a crash: an id written too late is an orphan for ever, an id written too early
may be somebody else's by now. The mark is set by the kernel at the moment the process exists, and children (such as
containerd's shims) inherit it; a pid file descriptor makes sure that what was looked at is what is killed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.progress import ClusterError, tail

MARK = "COSTPOLICY_CLUSTER_PROCESS"

_BECOMING = 5.0
"""Seconds that a process may take from the fork to where its new program can be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """A process that carries an owner's mark."""

    pid: int
    name: str


@dataclass(frozen=True, slots=True)
class Owner:
    """All background processes of one state folder."""

    folder: Path

    def log(self, name: str) -> Path:
        """Return where the process of this name writes."""
        return self.folder / "logs" / f"{name}.log"

    def start(self, name: str, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> None:
        """Start a process in a session of its own; it is not our child, so nothing waits for it."""
        self.log(name).parent.mkdir(parents=True, exist_ok=True)
        environment = os.environ | (env or {}) | {MARK: f"{self.folder}:{name}"}
        with self.log(name).open("ab") as output:
            subprocess.run(
                ["setsid", "--fork", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                check=True,
            )

    def living(self) -> list[Living]:
        """Return every process that carries the mark of this folder, by ascending id."""
        marks = ((pid, _mark(pid)) for pid in process_ids())
        prefix = f"{self.folder}:"
        return [Living(pid=pid, name=mark.removeprefix(prefix)) for pid, mark in marks if mark.startswith(prefix)]

    def runs(self, name: str) -> bool:
        """Tell whether the process of this name is there."""
        return any(process.name == name for process in self.living())

    def require(self, name: str, becoming: float = _BECOMING) -> None:
        """Raise ClusterError with the end of its log if the process of this name has ended.

        While a process becomes another program it has no environment for a moment, longer where the program has yet to
        be read from disk; so what is not seen is looked for again for `becoming` seconds.
        """
        deadline = time.monotonic() + becoming
        while not self.runs(name):
            if time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise ClusterError(f"{name} ended; the end of {self.log(name)}:\n{tail(self.log(name))}")

    def stop(self, name: str, grace: float = 5.0) -> None:
        """Ask the processes of this name to end, and end them after `grace` seconds."""
        pids = [process.pid for process in self.living() if process.name == name]
        expected = f"{self.folder}:{name}"
        end((pid for pid in pids if _mark(pid) == expected), grace)


def tied(command: Sequence[str | Path]) -> list[str | Path]:
    """Return the command that the kernel ends with the thread that starts it, where util-linux is there to ask it."""
    setpriv = shutil.which("setpriv")
    return [*([setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []), *command]


def start_tied(
    command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a process that writes into ``log`` and ends with the thread that calls this."""
    environment = os.environ | (env or {})
    with log.open("wb") as output:
        return subprocess.Popen(
            tied(command), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
        )


def end(pids: Iterable[int], grace: float) -> None:
    """Send SIGTERM, wait up to `grace` seconds (0: not at all), then SIGKILL, to exactly these processes."""
    with contextlib.ExitStack() as stack:
        handles = []
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(pid)
                stack.callback(os.close, handle)
                handles.append(handle)
        deadline = time.monotonic() + grace
        for number in (signal.SIGTERM, signal.SIGKILL) if grace else (signal.SIGKILL,):
            for handle in handles:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)
            limit = deadline if number == signal.SIGTERM else time.monotonic() + 5.0
            while time.monotonic() < limit and any(_runs(handle) for handle in handles):
                time.sleep(0.02)


def process_ids() -> list[int]:
    """Return the ids of all processes of this machine that can be seen, ascending."""
    return sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())


def wait_until(title: str, seconds: float, ready: Iterator[bool]) -> None:
    """Draw from `ready` every 0.1 s until it yields True; ClusterError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not next(ready):
        if time.monotonic() > deadline:
            raise ClusterError(f"{title} was not ready within {seconds:.0f} s")
        time.sleep(0.1)


def _runs(handle: int) -> bool:
    try:
        signal.pidfd_send_signal(handle, 0)
    except ProcessLookupError:
        return False
    # A zombie still takes signals; its parent has yet to look, but it runs no more.
    fields = Path(f"/proc/self/fdinfo/{handle}").read_text()
    pid = int(fields.split("Pid:", 1)[1].split()[0])
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1] != "Z"
    return False


def _mark(pid: int) -> str:
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    prefix = f"{MARK}=".encode()
    return next((entry[len(prefix) :].decode() for entry in entries if entry.startswith(prefix)), "")
