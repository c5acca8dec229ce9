"""A placement: who is served where.  Units, cost and limits all follow from it, exactly."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from costpolicy.planning.allocation.tables import Tables, units_for

Shares = Mapping[int, Fraction]
"""Parts of a workload's traffic by accelerator; they sum to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Who is served where, and what that takes.

    Attributes:
        shares: by workload; who is not in it is not served.
        units: by pool and accelerator; the fewest that carry the shares and keep the floors.
        cost: micro-units an hour: units and surcharges.
        served: served workloads by priority, the highest first.
    """

    shares: Mapping[int, Shares]
    units: Mapping[tuple[int, int], int]
    cost: Fraction
    served: tuple[int, ...]

    @property
    def rank(self) -> tuple[tuple[int, ...], Fraction]:
        """Return a key by which the best placement is the smallest: most served by priority, then cheapest."""
        return tuple(-count for count in self.served), self.cost

    def totals(self) -> dict[int, int]:
        """Return the units of each accelerator over all pools."""
        found: dict[int, int] = defaultdict(int)
        for (_, accelerator), count in self.units.items():
            found[accelerator] += count
        return found


def placement_of(tables: Tables, shares: Mapping[int, Shares]) -> Placement | None:
    """Return what given shares take, or ``None`` where that is more than the limits allow."""
    found = placed(tables, shares)
    total = found.totals()
    limits = ((total[accelerator], tables.limit[accelerator]) for accelerator in total)
    return None if any(limit is not None and count > limit for count, limit in limits) else found


def placed(tables: Tables, shares: Mapping[int, Shares]) -> Placement:
    """Return what given shares take, whatever the limits."""
    units = units_of(tables, shares)
    served = [0] * tables.levels
    for workload in shares:
        served[tables.level[workload]] += 1
    surcharges = sum(
        (
            share * tables.surcharge[workload][accelerator]
            for workload, parts in shares.items()
            for accelerator, share in parts.items()
        ),
        Fraction(0),
    )
    paid = sum(tables.price[accelerator] * count for (_, accelerator), count in units.items())
    return Placement(shares=shares, units=units, cost=surcharges + paid, served=tuple(served))


def units_of(tables: Tables, shares: Mapping[int, Shares]) -> dict[tuple[int, int], int]:
    """Return the fewest units by pool and accelerator that carry the shares and keep the floors of who is served."""
    loads: dict[tuple[int, int], int] = defaultdict(int)
    floors: dict[tuple[int, int], int] = defaultdict(int)
    for workload, parts in shares.items():
        pool = tables.pool[workload]
        for accelerator, share in parts.items():
            loads[pool, accelerator] += load_of(tables, workload, accelerator, share)
        for accelerator, units in tables.floor[workload].items():
            floors[pool, accelerator] = max(floors[pool, accelerator], units)
    found = {key: max(units_for(loads.get(key, 0)), floors.get(key, 0)) for key in (*loads, *floors)}
    return {key: units for key, units in sorted(found.items()) if units}


def load_of(tables: Tables, workload: int, accelerator: int, share: Fraction) -> int:
    """Return the load of a part of a workload, rounded up."""
    return -(-tables.load[workload][accelerator] * share.numerator // share.denominator)
