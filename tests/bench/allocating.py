"""How long and how near: 200 workloads on 12 accelerators, split and whole, and 200 policies in pools of their own."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from statistics import median

from allocating import fleet
from bench.figures import Figure
from costpolicy.planning.allocation.allocate import Budget, allocate
from costpolicy.planning.allocation.problem import Allocation, Problem

SEEDS = (1, 2, 3)


def figures() -> Iterator[Figure]:
    """Yield the cost of a proof, and the gap where none is reached in time."""
    yield _figure("splittable", [fleet(seed, splittable=True) for seed in SEEDS], 20, "5 s")
    yield _figure("whole", [fleet(seed, splittable=False) for seed in SEEDS], 20, "1 % in 20 s")
    yield _figure("whole, limits, a pool each", [_scarce(seed) for seed in SEEDS], 20, "")


def _since(began: float) -> float:
    return time.monotonic() - began


def _scarce(seed: int) -> Problem:
    asked = fleet(seed, splittable=False)
    return Problem(
        offers=tuple(replace(offer, limit=40) for offer in asked.offers),
        workloads=tuple(replace(workload, pool=workload.name) for workload in asked.workloads),
    )


def _figure(what: str, problems: list[Problem], seconds: float, aim: str) -> Figure:
    spent, gaps = [], []
    for problem in problems:
        wall, cpu = time.monotonic(), time.process_time()
        found = allocate(problem, Budget(seconds=seconds, elapsed=partial(_since, wall)))
        assert isinstance(found, Allocation)
        spent.append((time.monotonic() - wall, time.process_time() - cpu))
        gaps.append(found.gap)
    return Figure(
        name=f"allocate 200 workloads x 12 accelerators, {what}, wall",
        value=f"{median(wall for wall, _ in spent):.1f} s",
        aim=aim,
        spread=f"gap {', '.join(f'{gap:.2%}' for gap in gaps)}; CPU {', '.join(f'{cpu:.1f} s' for _, cpu in spent)}",
    )
