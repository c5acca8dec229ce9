"""Allocation problems for several rings: written and generated ones, and a brute force that knows nothing of the code it judges."""

from fractions import Fraction
from itertools import product
from math import ceil
from random import Random

from hypothesis import strategies as st

from costpolicy.planning.allocation.allocate import Budget, allocate
from costpolicy.planning.allocation.problem import Allocation, Offer, Problem, Unserved, Workload
from costpolicy.units import Money

PRICES = ("0", "0.50", "1.86", "3.43", "3.67", "6.88", "2.499137")


def offer(name: str, hourly: str, limit: int | None = None) -> Offer:
    return Offer(name=name, hourly=Money.parse(hourly), limit=limit)


def workload(name: str, rate: str, throughput: dict[str, str], **given) -> Workload:
    served = {accelerator: Fraction(value) for accelerator, value in throughput.items()}
    return Workload(name=name, requests_per_second=Fraction(rate), throughput=served, **given)


def problem(offers, workloads) -> Problem:
    return Problem(offers=tuple(offers), workloads=tuple(workloads))


def placed(found: Allocation) -> dict[str, set[str]]:
    homes: dict[str, set[str]] = {}
    for share in found.shares:
        homes.setdefault(share.workload, set()).add(share.accelerator)
    return homes


def allocated(problem: Problem, seconds: float = 60) -> Allocation | Unserved:
    """Allocate with plenty of time on a watch that stands still."""
    return allocate(problem, Budget(seconds=seconds, elapsed=lambda: 0.0))


@st.composite
def problems(
    draw: st.DrawFn,
    most_workloads: int = 4,
    most_offers: int = 3,
    splittable: bool | None = None,
) -> Problem:
    """Small problems of every kind: floors, pools, priorities, limits, accelerators that cannot serve a workload."""
    names = [f"gpu-{index}" for index in range(draw(st.integers(1, most_offers)))]
    limits = st.none() | st.integers(0, 5)
    offers = [Offer(name=name, hourly=Money.parse(draw(st.sampled_from(PRICES))), limit=draw(limits)) for name in names]
    throughputs = st.sampled_from([None, Fraction(1, 3), Fraction(1, 2), Fraction(1), Fraction("2.3"), Fraction(7)])
    workloads = []
    for index in range(draw(st.integers(1, most_workloads))):
        served = {name: draw(throughputs) for name in names}
        workloads.append(
            Workload(
                name=f"workload-{index}",
                requests_per_second=draw(
                    st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1), Fraction("1.7"), Fraction(3)])
                ),
                throughput={name: rate for name, rate in served.items() if rate},
                splittable=draw(st.booleans()) if splittable is None else splittable,
                priority=draw(st.integers(0, 2)),
                floor=draw(st.dictionaries(st.sampled_from(names), st.integers(0, 2), max_size=1)),
                pool=draw(st.sampled_from(["default", "other"])),
            )
        )
    return Problem(offers=tuple(offers), workloads=tuple(workloads))


def brute_force(problem: Problem) -> tuple[tuple[int, ...], Money]:
    """Return, over every placement of whole workloads, most served by priority (highest first) and the least cost."""
    choices = [[None, *workload.throughput] for workload in problem.workloads]
    ranks = (_rank(problem, placed) for placed in product(*choices))
    negative, cost = min(rank for rank in ranks if rank is not None)
    return tuple(-count for count in negative), cost


def _rank(problem: Problem, placed: tuple[str | None, ...]) -> tuple[tuple[int, ...], Money] | None:
    loads: dict[tuple[str, str], Fraction] = {}
    floors: dict[tuple[str, str], int] = {}
    for workload, name in zip(problem.workloads, placed, strict=True):
        if name is not None:
            key = workload.pool, name
            loads[key] = loads.get(key, Fraction(0)) + workload.requests_per_second / workload.throughput[name]
            for other, least in workload.floor.items():
                floors[workload.pool, other] = max(floors.get((workload.pool, other), 0), least)
    units = {key: max(ceil(loads.get(key, 0)), floors.get(key, 0)) for key in loads.keys() | floors.keys()}
    totals = {
        offer.name: sum(count for (_, name), count in units.items() if name == offer.name) for offer in problem.offers
    }
    if any(offer.limit is not None and totals[offer.name] > offer.limit for offer in problem.offers):
        return None
    cost = sum((offer.hourly * totals[offer.name] for offer in problem.offers), Money(0))
    levels = sorted({workload.priority for workload in problem.workloads}, reverse=True)
    served = [workload.priority for workload, name in zip(problem.workloads, placed, strict=True) if name is not None]
    return tuple(-served.count(level) for level in levels), cost


def served_and_cost(problem: Problem, found: Allocation | Unserved) -> tuple[tuple[int, ...], Money]:
    """Return of an answer what :func:`brute_force` returns."""
    missing, best = (found.workloads, found.allocation) if isinstance(found, Unserved) else ((), found)
    served = [workload.priority for workload in problem.workloads if workload.name not in missing]
    levels = sorted({workload.priority for workload in problem.workloads}, reverse=True)
    return tuple(served.count(level) for level in levels), best.cost_per_hour


def fleet(seed: int, splittable: bool, workloads: int = 200, accelerators: int = 12) -> Problem:
    """A big problem: prices from 0.5 to 12, throughputs that grow with them, every fifth pair impossible."""
    chance = Random(seed)
    prices = [round(chance.uniform(0.5, 12), 2) for _ in range(accelerators)]
    offers = tuple(
        Offer(name=f"gpu-{index:02}", hourly=Money.parse(f"{price:.2f}")) for index, price in enumerate(prices)
    )
    return Problem(
        offers=offers,
        workloads=tuple(_workload(f"workload-{index:03}", prices, splittable, chance) for index in range(workloads)),
    )


def _workload(name: str, prices: list[float], splittable: bool, chance: Random) -> Workload:
    speed = chance.uniform(0.3, 3)
    rates = [speed * price ** chance.uniform(0.7, 1.1) * chance.uniform(0.7, 1.4) for price in prices]
    able = [index for index in range(len(prices)) if chance.random() > 0.2] or [0]
    return Workload(
        name=name,
        requests_per_second=Fraction(f"{chance.lognormvariate(0, 1):.3f}"),
        throughput={f"gpu-{index:02}": Fraction(f"{rates[index]:.3f}") for index in able},
        splittable=splittable,
    )
