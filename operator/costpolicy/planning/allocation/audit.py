"""Is an allocation right?  Checked against the question alone, in exact fractions, by none of the code that made it."""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from costpolicy.planning.allocation.problem import Allocation, Problem, Unserved, Workload
from costpolicy.units import ZERO

SLACK: Final = Fraction(1, 10**9)
"""How much less than the load units may be, relative to it."""


def violations(problem: Problem, answer: Allocation | Unserved) -> tuple[str, ...]:
    """Return every constraint that an answer breaks, in words."""
    match answer:
        case Allocation():
            return tuple(_violations(problem, answer, frozenset()))
        case Unserved():
            return tuple(_violations(problem, answer.allocation, frozenset(answer.workloads)))


def _violations(problem: Problem, found: Allocation, unserved: frozenset[str]) -> Iterator[str]:
    workloads = {workload.name: workload for workload in problem.workloads if workload.name not in unserved}
    yield from _shares(found, workloads)
    yield from _loads(found, workloads)
    for workload in workloads.values():
        for name, units in workload.floor.items():
            if found.units.get(workload.pool, {}).get(name, 0) < units:
                yield f"{workload.name} is to keep {units} {name}"
    total = ZERO
    for offer in problem.offers:
        count = found.total(offer.name)
        total = total + offer.hourly * count
        if offer.limit is not None and count > offer.limit:
            yield f"{count} {offer.name} are more than the {offer.limit} there are"
    if total != found.cost_per_hour:
        yield f"the units cost {total}, not {found.cost_per_hour}"


def _shares(found: Allocation, workloads: dict[str, Workload]) -> Iterator[str]:
    parts: dict[str, list[Fraction]] = defaultdict(list)
    for share in found.shares:
        parts[share.workload].append(share.share)
    for name in workloads.keys() | parts.keys():
        if name not in workloads or sum(parts[name]) != 1 or min(parts[name]) <= 0:
            yield f"the shares of {name} do not sum to 1"
        elif len(parts[name]) > 1 and not workloads[name].splittable:
            yield f"{name} is split"


def _loads(found: Allocation, workloads: dict[str, Workload]) -> Iterator[str]:
    loads: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for share in found.shares:
        workload = workloads.get(share.workload)
        throughput = workload.throughput.get(share.accelerator) if workload else None
        if workload is None or throughput is None:
            yield f"{share.workload} cannot run on {share.accelerator}"
            continue
        loads[workload.pool, share.accelerator] += share.share * workload.requests_per_second / throughput
    for (pool, name), load in loads.items():
        units = found.units.get(pool, {}).get(name, 0)
        if units < load * (1 - SLACK):
            yield f"{units} {name} do not carry the {float(load):.6g} units of pool {pool}"
