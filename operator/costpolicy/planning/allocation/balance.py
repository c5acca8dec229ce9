"""Weights for routers: the traffic of workloads that may be split, spread so that all units are equally busy."""

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction

from costpolicy.planning.allocation.highs import Effort, Program, solve
from costpolicy.planning.allocation.placement import Placement, Shares, placement_of
from costpolicy.planning.allocation.program import Aim, Formulation
from costpolicy.planning.allocation.tables import LOAD_SCALE, Tables


def balanced(
    tables: Tables, shares: Mapping[int, Shares], units: Mapping[tuple[int, int], int], seconds: float
) -> Placement | None:
    """Return the same service on the same units with the busiest units of each pool as little busy as possible.

    ``None`` where nothing can be split, or no such shares were found in time.
    """
    free = [workload for workload in shares if tables.workloads[workload].splittable]
    if not free:
        return None
    made = Formulation(tables=tables, aim=Aim(required=()), program=Program())
    loads: dict[tuple[int, int], dict[int, float]] = defaultdict(dict)
    for workload in free:
        _spread(made, workload, units, loads)
    busiest = {pool: made.program.column(1.0, 2.0, integral=False) for pool in sorted({pool for pool, _ in loads})}
    fixed = _fixed(tables, shares)
    for key, coefficients in loads.items():
        row = {**coefficients, busiest[key[0]]: -float(units.get(key, 0))}
        made.program.row(row, upper=-fixed[key] / LOAD_SCALE)
    solved = solve(made.program, Effort(seconds=seconds))
    if not solved.values:
        return None
    kept = {workload: parts for workload, parts in shares.items() if workload not in free}
    return placement_of(tables, {**kept, **made.shares(solved)})


def _spread(
    made: Formulation,
    workload: int,
    units: Mapping[tuple[int, int], int],
    loads: dict[tuple[int, int], dict[int, float]],
) -> None:
    """Add the parts of a workload on what its pool has."""
    tables, columns = made.tables, {}
    for accelerator, load in tables.load[workload].items():
        key = tables.pool[workload], accelerator
        if units.get(key) or not load:
            column = made.program.column(0.0, 1.0, integral=False)
            made.choice[workload, accelerator] = column
            columns[column] = 1.0
            loads[key][column] = load / LOAD_SCALE
    made.program.row(columns, lower=1.0, upper=1.0)


def _fixed(tables: Tables, shares: Mapping[int, Shares]) -> dict[tuple[int, int], int]:
    """Return the load of what cannot be split."""
    found: dict[tuple[int, int], int] = defaultdict(int)
    for workload, parts in shares.items():
        if not tables.workloads[workload].splittable:
            for accelerator in parts:
                found[tables.pool[workload], accelerator] += tables.load[workload][accelerator]
    return found


def idle_homes(tables: Tables, placement: Placement) -> Placement:
    """Move workloads without traffic to accelerators that their pool pays for anyway, so that a router finds a unit."""
    shares = dict(placement.shares)
    for workload in shares:
        if tables.workloads[workload].requests_per_second == 0:
            pool = tables.pool[workload]
            homes = [one for one in tables.load[workload] if placement.units.get((pool, one))]
            if homes and not any(tables.surcharge[workload].values()):
                shares[workload] = {homes[0]: Fraction(1)}
    return placement_of(tables, shares) or placement
