"""Measuring: repeat, take the median, and say how far the repeats lie apart."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the answer; ``aim`` is the figure that the project wants to stay under, as text."""

    name: str
    value: str
    aim: str = ""
    spread: str = ""


def cpu_seconds(
    action: Callable[[], object], repeats: int, prepare: Callable[[], object] = lambda: None
) -> list[float]:
    """Return the CPU seconds of each repeat; ``prepare`` runs before each and is not counted."""
    found = []
    for _ in range(repeats):
        prepare()
        before = time.process_time()
        action()
        found.append(time.process_time() - before)
    return found


def milliseconds(name: str, seconds: list[float], aim: str = "") -> Figure:
    """Return the figure of measured times: the median, and the fastest and slowest."""
    return Figure(
        name=name,
        value=f"{median(seconds) * 1000:.1f} ms",
        aim=aim,
        spread=f"{min(seconds) * 1000:.1f} to {max(seconds) * 1000:.1f} ms, {len(seconds)} times",
    )
