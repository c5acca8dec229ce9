"""Greedy allocations: one workload after another, each where it costs least at that moment.

They need no solver, so they are the answer where it finds none in time, the start that it improves on, and the promise
that an allocation is never dearer than what a simple rule would have chosen.
"""

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction

from costpolicy.planning.allocation.placement import Placement, Shares, load_of, placed
from costpolicy.planning.allocation.tables import LOAD_SCALE, Tables, units_for

SHARE_SCALE = 10**12
"""Shares are whole multiples of 1 / SHARE_SCALE."""
Price = tuple[int, int]


def greedy(tables: Tables) -> Placement:
    """Return the best of four greedy placements: two orders of workloads, two notions of what is cheap."""
    found = [_one(tables, order, rule) for order in (_largest_first, _as_named) for rule in (_whole_units, _parts)]
    return min(found, key=lambda placement: placement.rank)


def _one(tables: Tables, order: "Order", rule: "Rule") -> Placement:
    ledger = _Ledger(tables)
    for workload in sorted(range(len(tables.workloads)), key=lambda index: (tables.level[index], order(tables, index))):
        ledger.place(workload, rule)
    return placed(tables, ledger.shares)


def _cheapest_load(tables: Tables, workload: int) -> int:
    return min((tables.price[one] * load for one, load in tables.load[workload].items()), default=0)


def _largest_first(tables: Tables, workload: int) -> int:
    return -_cheapest_load(tables, workload)


def _as_named(_: Tables, workload: int) -> int:
    return workload


class _Ledger:
    """What has been placed so far, and what that takes."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.shares: dict[int, Shares] = {}
        self.load: dict[tuple[int, int], int] = defaultdict(int)
        self.floor: dict[tuple[int, int], int] = defaultdict(int)
        self.total: dict[int, int] = defaultdict(int)

    def place(self, workload: int, rule: "Rule") -> None:
        """Serve a workload where the rule says it is cheapest, if the limits allow it anywhere."""
        tables = self.tables
        prices = [
            ((*rule(self, workload, accelerator), accelerator), {accelerator: Fraction(1)})
            for accelerator in tables.load[workload]
            if self.allows(workload, {accelerator: Fraction(1)})
        ]
        if prices:
            self.take(workload, min(prices, key=lambda entry: entry[0])[1])
        elif tables.workloads[workload].splittable and (parts := self.split(workload)) is not None:
            self.take(workload, parts)

    def changes(self, workload: int, parts: Shares) -> dict[int, int]:
        """Return by how many units each accelerator would grow."""
        tables, pool = self.tables, self.tables.pool[workload]
        grown = {}
        for accelerator in {*parts, *tables.floor[workload]}:
            key = pool, accelerator
            load, floor = self.load[key], max(self.floor[key], tables.floor[workload].get(accelerator, 0))
            if accelerator in parts:
                load += load_of(tables, workload, accelerator, parts[accelerator])
            grown[accelerator] = max(units_for(load), floor) - self.units(key)
        return grown

    def units(self, key: tuple[int, int]) -> int:
        """Return the units of a pool's accelerator."""
        return max(units_for(self.load[key]), self.floor[key])

    def allows(self, workload: int, parts: Shares) -> bool:
        """Return whether the limits allow it."""
        return all(
            (limit := self.tables.limit[accelerator]) is None or self.total[accelerator] + more <= limit
            for accelerator, more in self.changes(workload, parts).items()
        )

    def take(self, workload: int, parts: Shares) -> None:
        """Serve a workload so."""
        tables, pool = self.tables, self.tables.pool[workload]
        for accelerator, more in self.changes(workload, parts).items():
            self.total[accelerator] += more
        for accelerator, share in parts.items():
            self.load[pool, accelerator] += load_of(tables, workload, accelerator, share)
        for accelerator, units in tables.floor[workload].items():
            self.floor[pool, accelerator] = max(self.floor[pool, accelerator], units)
        self.shares[workload] = parts

    def split(self, workload: int) -> Shares | None:
        """Return a workload's traffic over what is left of several accelerators, cheapest first; ``None``: too little."""
        tables, pool, left = self.tables, self.tables.pool[workload], Fraction(1)
        parts: dict[int, Fraction] = {}
        for accelerator in sorted(tables.load[workload], key=lambda one: _parts(self, workload, one)):
            limit, load = tables.limit[accelerator], tables.load[workload][accelerator]
            if limit is None or not load:
                continue  # it would have fitted as a whole, so something else stands against it: a floor
            others = self.total[accelerator] - self.units((pool, accelerator))
            room = (limit - others) * LOAD_SCALE - self.load[pool, accelerator]
            share = min(left, Fraction(max(room, 0) * SHARE_SCALE // load, SHARE_SCALE))
            if share > 0:
                parts[accelerator] = share
                left -= share
        return parts if not left and self.allows(workload, parts) else None


def _whole_units(ledger: _Ledger, workload: int, accelerator: int) -> Price:
    """Price the units that would have to be added now, then as :func:`_parts`."""
    tables = ledger.tables
    grown = ledger.changes(workload, {accelerator: Fraction(1)})
    added = sum(tables.price[one] * more for one, more in grown.items()) + tables.surcharge[workload][accelerator]
    return added, _parts(ledger, workload, accelerator)[0]


def _parts(ledger: _Ledger, workload: int, accelerator: int) -> Price:
    """Price the part of a unit that would be kept busy."""
    tables = ledger.tables
    busy = tables.price[accelerator] * tables.load[workload][accelerator]
    return busy + tables.surcharge[workload][accelerator] * LOAD_SCALE, 0


Order = Callable[[Tables, int], int]
Rule = Callable[[_Ledger, int, int], Price]
