"""What a process costs: the start of the command line, the memory of an operator."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, milliseconds

REPEATS = 9
COMMAND = str(Path(sys.executable).parent / "costpolicy")


def figures() -> Iterator[Figure]:
    """Yield wall time of ``--help`` and the resident memory of an operator process."""
    _wall_seconds()
    yield milliseconds("costpolicy --help, wall", [_wall_seconds() for _ in range(REPEATS)], "500 ms")
    done = subprocess.run([sys.executable, "-m", "bench.memory"], check=True, capture_output=True, text=True)
    imports, whole = (int(word) for word in done.stdout.split())
    yield Figure(
        name="resident memory, operator's code on 100 policies of a simulated cluster",
        value=f"{whole / 1024:.0f} MiB",
        aim="150 MiB",
        spread=f"{imports / 1024:.0f} MiB after imports; the simulated cluster is in it",
    )


def _wall_seconds() -> float:
    before = time.monotonic()
    subprocess.run([COMMAND, "--help"], check=True, capture_output=True)
    return time.monotonic() - before
