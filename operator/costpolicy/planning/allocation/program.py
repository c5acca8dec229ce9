"""The allocation as a mixed-integer program.

Columns: the part of a workload's traffic on an accelerator (binary unless it may be split), and the units of a pool on
an accelerator.  A pool of one workload that is not split needs no unit columns: each choice takes a known number of
whole units, which is what makes fleets of single policies easy to solve.  Money is in ``scale`` so that the same
problem in other prices is the same program.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd

from costpolicy.planning.allocation.greedy import SHARE_SCALE
from costpolicy.planning.allocation.highs import INFINITY, Program, Solved
from costpolicy.planning.allocation.placement import Placement, Shares, units_of
from costpolicy.planning.allocation.tables import LOAD_SCALE, SLACK, Tables
from costpolicy.units import split_by_largest_remainder

SMALL_LOAD = 1e-3
"""Loads below this are tied to a unit by a row of their own, because a tolerance could hide them."""
LEAST_SHARE = 1e-7
"""Smaller parts of a solution are noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a program is asked for.

    Attributes:
        required: how many workloads of each priority must be served at least, the highest first.
        wanted: serve as much weight as possible instead of as cheaply as possible: weight by workload.
        relaxed: as if every workload of a shared pool could be split.
        inflation: plan for loads that are so much greater.
    """

    required: Sequence[int]
    wanted: Mapping[int, int] | None = None
    relaxed: bool = False
    inflation: float = 0.0


@dataclass(slots=True)
class Formulation:
    """A program and what its columns mean."""

    tables: Tables
    aim: Aim
    program: Program = field(default_factory=Program)
    choice: dict[tuple[int, int], int] = field(default_factory=dict)
    units: dict[tuple[int, int], int] = field(default_factory=dict)
    served: dict[int, int] = field(default_factory=dict)
    scale: int = field(init=False)

    def __post_init__(self) -> None:
        """Find the scale of money once."""
        self.scale = money_scale(self.tables)

    def start(self, placement: Placement) -> list[float]:
        """Return a placement as values of the columns."""
        values = [0.0] * len(self.program.cost)
        for workload, parts in placement.shares.items():
            for accelerator, share in parts.items():
                values[self.choice[workload, accelerator]] = float(share)
            if workload in self.served:
                values[self.served[workload]] = 1.0
        for key, units in placement.units.items():
            if key in self.units:
                values[self.units[key]] = float(units)
        return values

    def shares(self, solved: Solved) -> dict[int, Shares]:
        """Return who is served where in a solution; parts are rounded so that they sum to exactly 1."""
        found: dict[int, dict[int, float]] = defaultdict(dict)
        for (workload, accelerator), column in self.choice.items():
            if self.is_served(workload, solved):
                found[workload][accelerator] = solved.values[column]
        return {workload: self._parts(workload, values) for workload, values in found.items()}

    def is_served(self, workload: int, solved: Solved) -> bool:
        """Return whether a solution serves a workload."""
        return workload not in self.served or solved.values[self.served[workload]] > 0.5

    def cost(self, solved: Solved) -> Fraction:
        """Return what a solution costs by its columns, in micro-units an hour."""
        return Fraction(self.program.value(solved.values)) * self.scale

    def bought(self, solved: Solved) -> dict[tuple[int, int], int]:
        """Return the units of shared pools in a solution."""
        return {key: round(solved.values[column]) for key, column in self.units.items()}

    def _parts(self, workload: int, values: Mapping[int, float]) -> Shares:
        if not self.tables.workloads[workload].splittable:
            return {max(values, key=lambda accelerator: (values[accelerator], -accelerator)): Fraction(1)}
        kept = {one: round(value * SHARE_SCALE) for one, value in values.items() if value > LEAST_SHARE}
        parts = split_by_largest_remainder(SHARE_SCALE, list(kept.values()))
        return {one: Fraction(part, SHARE_SCALE) for one, part in zip(kept, parts, strict=True) if part}


def money_scale(tables: Tables) -> int:
    """Return the micro-units that one of the program's units of cost is."""
    return max((*tables.price, *(value for row in tables.surcharge for value in row.values())), default=0) or 1


def money_grid(tables: Tables) -> int:
    """Return the micro-units of which every cost is a multiple; 0 where there is no such grid."""
    split = any(
        one.splittable and any(row.values()) for one, row in zip(tables.workloads, tables.surcharge, strict=True)
    )
    return 0 if split else gcd(*tables.price, *(value for row in tables.surcharge for value in row.values()))


def solo(tables: Tables) -> set[int]:
    """Return the pools of a single workload that is not split."""
    sizes = Counter(tables.pool)
    splits = {pool for pool, one in zip(tables.pool, tables.workloads, strict=True) if one.splittable}
    return {pool for pool, size in sizes.items() if size == 1} - splits


def formulate(tables: Tables, aim: Aim) -> Formulation:
    """Return the program of an aim."""
    made = Formulation(tables=tables, aim=aim)
    singles, used = solo(tables), _Use()
    sizes = [tables.level.count(level) for level in range(tables.levels)]
    for workload in range(len(tables.workloads)):
        must = aim.required[tables.level[workload]] >= sizes[tables.level[workload]]
        if not must:
            weight = (aim.wanted or {}).get(workload, 0)
            made.served[workload] = made.program.column(-float(weight), 1.0, integral=True)
        (_choose_units if tables.pool[workload] in singles else _choose_parts)(made, workload, used)
    _units(made, used, singles)
    for accelerator, coefficients in used.total.items():
        limit = tables.limit[accelerator]
        if limit is not None:
            made.program.row(coefficients, upper=float(limit))
    _required(made, sizes)
    return made


@dataclass(slots=True)
class _Use:
    """Coefficients that are still being collected: of accelerators' limits and of pools' loads."""

    total: dict[int, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    load: dict[tuple[int, int], dict[int, float]] = field(default_factory=lambda: defaultdict(dict))


def _price(made: Formulation, micros: int) -> float:
    return 0.0 if made.aim.wanted is not None else micros / made.scale


def _choose_units(made: Formulation, workload: int, used: _Use) -> None:
    """Add a choice of whole units for a workload that is alone in its pool."""
    tables, columns = made.tables, {}
    for accelerator in tables.load[workload]:
        units = units_of(tables, {workload: {accelerator: Fraction(1)}})
        micros = sum(tables.price[one] * count for (_, one), count in units.items())
        cost = _price(made, micros + tables.surcharge[workload][accelerator])
        column = made.program.column(cost, 1.0, integral=True)
        made.choice[workload, accelerator] = column
        columns[column] = 1.0
        for (_, one), count in units.items():
            used.total[one][column] = float(count)
    _serve(made, workload, columns)


def _choose_parts(made: Formulation, workload: int, used: _Use) -> None:
    """Add the parts of a workload that shares units with others, or with itself on other accelerators."""
    tables, aim, columns = made.tables, made.aim, {}
    whole = not (tables.workloads[workload].splittable or aim.relaxed)
    for accelerator, load in tables.load[workload].items():
        cost = _price(made, tables.surcharge[workload][accelerator])
        column = made.program.column(cost, 1.0, integral=whole)
        made.choice[workload, accelerator] = column
        columns[column] = 1.0
        # Nine tenths of the slack: the rest is for rounding.
        kept = float(1 - SLACK * 9 / 10) * (1 + aim.inflation)
        used.load[tables.pool[workload], accelerator][column] = load / LOAD_SCALE * kept
    _serve(made, workload, columns)


def _serve(made: Formulation, workload: int, columns: Mapping[int, float]) -> None:
    if workload in made.served:
        made.program.row({**columns, made.served[workload]: -1.0}, lower=0.0, upper=0.0)
    else:
        made.program.row(columns, lower=1.0, upper=1.0)


def _units(made: Formulation, used: _Use, singles: Collection[int]) -> None:
    """Add the units of shared pools, with rows that make them carry the load and keep the floors."""
    tables = made.tables
    floors: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for workload, kept in enumerate(tables.floor):
        if tables.pool[workload] not in singles:
            for accelerator, count in kept.items():
                floors[tables.pool[workload], accelerator][workload] = count
    for key in sorted({*used.load, *floors}):
        least = max((count for workload, count in floors[key].items() if workload not in made.served), default=0)
        cost = _price(made, tables.price[key[1]])
        column = made.program.column(cost, _most(made, key), integral=True, lower=float(least))
        made.units[key] = column
        used.total[key[1]][column] = 1.0
        _floors(made, column, floors[key])
        _carries(made, column, used.load[key])


def _floors(made: Formulation, column: int, floors: Mapping[int, int]) -> None:
    for workload, count in floors.items():
        if workload in made.served:
            made.program.row({column: 1.0, made.served[workload]: -float(count)}, lower=0.0)


def _carries(made: Formulation, column: int, loads: Mapping[int, float]) -> None:
    made.program.row({**loads, column: -1.0}, upper=0.0)
    for part, load in loads.items():
        if 0 < load < SMALL_LOAD:
            made.program.row({part: 1.0, column: -1.0}, upper=0.0)


def _most(made: Formulation, key: tuple[int, int]) -> float:
    limit = made.tables.limit[key[1]]
    return INFINITY if limit is None else float(limit)


def _required(made: Formulation, sizes: Sequence[int]) -> None:
    tables = made.tables
    for level, count in enumerate(made.aim.required):
        if 0 < count < sizes[level]:
            columns = {column: 1.0 for workload, column in made.served.items() if tables.level[workload] == level}
            made.program.row(columns, lower=float(count))
