"""A problem in integers and in one order, whatever the order of the question: equal questions get equal answers."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeVar

from costpolicy.planning.allocation.problem import Problem, Workload, surcharge_of

LOAD_SCALE: Final = 10**18
"""Loads are integers of 10^-18 units, rounded up: sums of them are exact, and never too small."""
SLACK: Final = Fraction(1, 10**9)
"""How much more than a unit a unit may carry: throughputs are rounded decimals."""
MOST_UNITS: Final = 10**6
"""An accelerator of which one workload would need more than this is none for it."""

_Value = TypeVar("_Value", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """A problem with workloads and accelerators as indices.

    Attributes:
        load: of each workload on each accelerator it can run on, in ``LOAD_SCALE`` parts of a unit.
        level: of each workload, 0 is the highest priority.
        pool: of each workload, by index.
        floor: of each workload by accelerator; only what is not 0.
        price: micro-units an hour, by accelerator.
        surcharge: micro-units an hour, by workload and accelerator, 0 where there is none.
    """

    workloads: tuple[Workload, ...]
    accelerators: tuple[str, ...]
    pools: tuple[str, ...]
    load: tuple[Mapping[int, int], ...]
    level: tuple[int, ...]
    pool: tuple[int, ...]
    floor: tuple[Mapping[int, int], ...]
    price: tuple[int, ...]
    limit: tuple[int | None, ...]
    surcharge: tuple[Mapping[int, int], ...]

    @property
    def levels(self) -> int:
        """How many different priorities there are."""
        return max(self.level, default=-1) + 1


def tables_of(problem: Problem) -> Tables:
    """Return a problem in integers: accelerators by price and name, workloads by pool and name."""
    offers = sorted(problem.offers, key=lambda offer: (offer.hourly, offer.name))
    workloads = tuple(sorted(problem.workloads, key=lambda one: (one.pool, one.name)))
    pools = _numbered(sorted({workload.pool for workload in workloads}))
    priorities = _numbered(sorted({workload.priority for workload in workloads}, reverse=True))
    index = {offer.name: number for number, offer in enumerate(offers)}
    return Tables(
        workloads=workloads,
        accelerators=tuple(offer.name for offer in offers),
        pools=tuple(pools),
        load=tuple(_loads(workload, index) for workload in workloads),
        level=tuple(priorities[workload.priority] for workload in workloads),
        pool=tuple(pools[workload.pool] for workload in workloads),
        floor=tuple({index[name]: units for name, units in one.floor.items() if units} for one in workloads),
        price=tuple(offer.hourly.micros for offer in offers),
        limit=tuple(offer.limit for offer in offers),
        surcharge=tuple(
            {number: surcharge_of(workload, name).micros for name, number in index.items()} for workload in workloads
        ),
    )


def _numbered(values: Sequence[_Value]) -> dict[_Value, int]:
    return {value: number for number, value in enumerate(values)}


def _loads(workload: Workload, index: Mapping[str, int]) -> dict[int, int]:
    found = {}
    for name, throughput in workload.throughput.items():
        units = workload.requests_per_second / throughput
        if units <= MOST_UNITS:
            found[index[name]] = -(-units.numerator * LOAD_SCALE // units.denominator)
    return dict(sorted(found.items()))


def units_for(load: int) -> int:
    """Return the whole units that carry a load, the slack used."""
    kept = 1 - SLACK
    return -(-load * kept.numerator // (kept.denominator * LOAD_SCALE))
