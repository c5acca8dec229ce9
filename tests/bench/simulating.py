"""What a simulated week costs: the whole command, with both deployments that it compares with."""

import resource
import subprocess
from collections.abc import Iterator
from statistics import median

from bench.figures import Figure
from bench.processes import COMMAND

REPEATS = 3
SLOWEST = (
    "last-accelerators",
    "bad-canary",
    "daily-wave",
    "half-the-metrics",
    "metrics-outage",
    "half-the-engines",
    "spot-loss",
    "slow-model-load",
)


def figures() -> Iterator[Figure]:
    """Yield the CPU time of those shipped scenarios that take longest."""
    for name in SLOWEST:
        spent = [_cpu_seconds(name) for _ in range(REPEATS)]
        yield Figure(
            name=f"costpolicy simulate {name}, CPU",
            value=f"{median(spent):.1f} s",
            aim="5 s",
            spread=f"{min(spent):.1f} to {max(spent):.1f} s, {REPEATS} times",
        )


def _cpu_seconds(name: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([COMMAND, "simulate", name, "-o", "json"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
