"""The best allocation: serve as much as possible by priority, then as cheaply as possible, and prove it or say the gap.

A greedy placement comes first and is only ever replaced by a better one, so whatever the solver does or does not
reach, the answer is valid and never dearer than greedy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, isfinite
from typing import Final

from costpolicy.planning.allocation.answer import PROVEN, answer
from costpolicy.planning.allocation.audit import violations
from costpolicy.planning.allocation.balance import balanced, idle_homes
from costpolicy.planning.allocation.greedy import greedy
from costpolicy.planning.allocation.highs import Effort, Solved, solve
from costpolicy.planning.allocation.placement import Placement, placement_of, units_of
from costpolicy.planning.allocation.problem import Allocation, Problem, Unserved
from costpolicy.planning.allocation.program import Aim, Formulation, formulate, money_grid, money_scale, solo
from costpolicy.planning.allocation.rounding import rounded
from costpolicy.planning.allocation.tables import LOAD_SCALE, SLACK, Tables, tables_of

INFLATIONS: Final = (0.008, 0.002, 0.03)
"""Loads are planned this much too great so that whole workloads fit: little is best for many units, more for few."""
NEAR_ENOUGH: Final = 3e-4
RELAXED_SHARE, ROUNDING_SHARE, SERVED_SHARE = 0.25, 0.4, 0.5
MOST_WEIGHT: Final = 2**20
"""Priorities are settled together while their weights stay exact numbers for the solver."""


class AllocationError(RuntimeError):
    """An answer that breaks a constraint of its question was found, and not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Seconds that may be used, and a stopwatch that says how many have passed."""

    seconds: float
    elapsed: Callable[[], float]

    def left(self, share: float = 1.0) -> float:
        """Return the seconds that are left of a share of the budget."""
        return self.seconds * share - self.elapsed()


def allocate(problem: Problem, budget: Budget) -> Allocation | Unserved:
    """Return the cheapest allocation that serves every workload, or which cannot be served and the best without them.

    Names must be unique; rates and prices not negative; throughputs positive.

    Raises:
        AllocationError: the answer failed its own check; a fault of this program.
    """
    tables = tables_of(problem)
    best = greedy(tables)
    required, proven = tuple(tables.level.count(level) for level in range(tables.levels)), True
    if best.served != required:
        best, required, proven = _most_served(tables, best, budget)
    best, bound = _cheapest(tables, best, required, budget)
    found = answer(problem, tables, _settled(tables, best, budget), bound, proven=proven)
    if wrong := violations(problem, found):
        raise AllocationError(f"the allocation found is wrong and was thrown away, please report this: {wrong[0]}")
    return found


def _most_served(tables: Tables, best: Placement, budget: Budget) -> tuple[Placement, tuple[int, ...], bool]:
    """Return a placement that serves most by priority, how many that is of each, and whether that is proven."""
    required = [0] * tables.levels
    proven, first = True, 0
    while first < tables.levels:
        last, weights = _weights(tables, first)
        made = formulate(tables, Aim(required=required, wanted=weights))
        effort = Effort(seconds=budget.left(SERVED_SHARE), absolute_gap=0.9)
        solved = solve(made.program, effort, made.start(best))
        best = _better(tables, made, solved, best, budget)
        proven = proven and solved.status == "Optimal" and _weight(best, weights) >= round(-solved.bound)
        required[first:last] = best.served[first:last]
        first = last
    return best, tuple(required), proven


def _weights(tables: Tables, first: int) -> tuple[int, dict[int, int]]:
    """Return the level after those settled together with ``first``, and weights that keep their order."""
    sizes = [tables.level.count(level) for level in range(tables.levels)]
    last, most = first, 1
    while last < tables.levels and (last == first or most * (sizes[last] + 1) <= MOST_WEIGHT):
        most *= sizes[last] + 1
        last += 1
    weight, by_level = 1, {}
    for level in reversed(range(first, last)):
        by_level[level] = weight
        weight *= sizes[level] + 1
    return last, {one: by_level[level] for one, level in enumerate(tables.level) if level in by_level}


def _weight(placement: Placement, weights: dict[int, int]) -> int:
    return sum(weights.get(workload, 0) for workload in placement.shares)


def _cheapest(tables: Tables, best: Placement, required: Sequence[int], budget: Budget) -> tuple[Placement, Fraction]:
    """Return the cheapest placement found that serves as many, and what none can be cheaper than (micro-units)."""
    bound = _simple_bound(tables, best)
    if best.cost <= bound:
        return best, bound
    if _rounds(tables, best):
        best, found = _by_rounding(tables, best, required, budget)
        bound = max(bound, found)
    if best.cost > bound:
        made = formulate(tables, Aim(required=required))
        solved = solve(made.program, _effort(tables, budget.left(), float(bound)), made.start(best))
        best = _better(tables, made, solved, best, budget)
        bound = max(bound, _bound(tables, solved))
    return best, min(bound, best.cost)


def _simple_bound(tables: Tables, best: Placement) -> Fraction:
    """Return what parts of units cost where each workload is cheapest, without limits and floors: 0 if not all served."""
    if len(best.shares) < len(tables.workloads):
        return Fraction(0)
    least = sum(
        min(tables.price[one] * load + tables.surcharge[index][one] * LOAD_SCALE for one, load in loads.items())
        for index, loads in enumerate(tables.load)
    )
    # Loads are rounded up by less than 10^-18 of a unit each, which the slack that units have covers many times.
    return _on_grid(tables, Fraction(least, LOAD_SCALE) * (1 - 2 * SLACK))


def _effort(tables: Tables, seconds: float, target: float = 0.0) -> Effort:
    scale, grid = money_scale(tables), money_grid(tables)
    # Costs are multiples of the grid: a bound nearer than one step is a proof.
    return Effort(seconds=seconds, absolute_gap=0.99 * grid / scale, target=(target + 0.01 * grid) / scale)


def _bound(tables: Tables, solved: Solved) -> Fraction:
    """Return a bound in micro-units: the next multiple of the grid that the solver has not ruled out."""
    if not isfinite(solved.bound) or solved.bound <= 0:
        return Fraction(0)
    return _on_grid(tables, Fraction(solved.bound) * money_scale(tables) * (1 - PROVEN / 10))


def _on_grid(tables: Tables, bound: Fraction) -> Fraction:
    grid = money_grid(tables)
    return Fraction(ceil(bound / grid) * grid) if grid else bound


def _rounds(tables: Tables, best: Placement) -> bool:
    """Return whether everything is served and whole workloads share units, so that the relaxed problem says a lot."""
    singles = solo(tables)
    whole = (one for one, found in enumerate(tables.workloads) if not found.splittable)
    return len(best.shares) == len(tables.workloads) and any(tables.pool[one] not in singles for one in whole)


def _by_rounding(
    tables: Tables, best: Placement, required: Sequence[int], budget: Budget
) -> tuple[Placement, Fraction]:
    """Solve as if all could be split, which bounds the cost, and look for whole workloads on nearly such units."""
    best, relaxed = _attempt(tables, best, required, 0.0, budget)
    bound = _bound(tables, relaxed)
    for inflation in INFLATIONS:
        if best.cost > bound:
            best, _ = _attempt(tables, best, required, inflation, budget)
    return best, bound


def _attempt(
    tables: Tables, best: Placement, required: Sequence[int], inflation: float, budget: Budget
) -> tuple[Placement, Solved]:
    """Return the better of the best and a placement on about the units that inflated loads need, and those units."""
    made = formulate(tables, Aim(required=required, relaxed=True, inflation=inflation))
    effort = _effort(tables, budget.left(ROUNDING_SHARE if inflation else RELAXED_SHARE))
    if inflation:
        effort = replace(effort, relative_gap=NEAR_ENOUGH)
    solved = solve(made.program, effort, None if inflation else made.start(best))
    if not solved.values:
        return best, solved
    whole = made.shares(solved)
    singles = solo(tables)
    start = {
        one: max(parts, key=lambda key: parts[key]) for one, parts in whole.items() if tables.pool[one] not in singles
    }
    found = placement_of(tables, {**whole, **rounded(tables, start, made.bought(solved), _room(tables, made, solved))})
    return (found if found is not None and found.rank < best.rank else best), solved


def _room(tables: Tables, made: Formulation, solved: Solved) -> dict[int, int]:
    """Return the units that a solution leaves of each limited accelerator."""
    left = {accelerator: limit for accelerator, limit in enumerate(tables.limit) if limit is not None}
    singles = solo(tables)
    alone = {one: parts for one, parts in made.shares(solved).items() if tables.pool[one] in singles}
    for (_, accelerator), count in (*units_of(tables, alone).items(), *made.bought(solved).items()):
        if accelerator in left:
            left[accelerator] -= count
    return left


def _better(tables: Tables, made: Formulation, solved: Solved, best: Placement, budget: Budget) -> Placement:
    """Return the better of a known placement and a solution, computed anew from its shares alone."""
    if not solved.values:
        return best
    shares = made.shares(solved)
    found = [best, placement_of(tables, shares)]
    if found[1] is None or (made.aim.wanted is None and found[1].cost > made.cost(solved) * (1 + PROVEN)):
        # The solver's parts are off by a tolerance; parts that leave all units the same room may not be.
        found.append(balanced(tables, shares, made.bought(solved), max(budget.left(), 1.0)))
    return min((one for one in found if one is not None), key=lambda one: one.rank)


def _settled(tables: Tables, best: Placement, budget: Budget) -> Placement:
    """Return the placement with weights that keep its units equally busy, at no more cost."""
    even = None if budget.left() <= 0 else balanced(tables, best.shares, best.units, budget.left())
    if even is not None and even.rank <= best.rank:
        best = even
    return idle_homes(tables, best)
