"""From units that would do if every workload could be split to a placement in which none is: tabu search.

Given the units of each pool and accelerator, workloads are moved and exchanged until no accelerator is overloaded.
The move that reduces the overload most is taken, or the one that raises it least; what was moved does not come back
for a while.  Where that leads nowhere, the cheapest unit that may still be had is added, and the search goes on.
Deterministic: the number of steps is fixed, not the time.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from costpolicy.planning.allocation.placement import Shares
from costpolicy.planning.allocation.tables import LOAD_SCALE, Tables

if TYPE_CHECKING:
    import numpy as np

Vector: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.float64]]"
STEPS = 6
"""Steps for each workload: with more, other units are more promising."""
PATIENCE = 40
"""Steps without progress before a unit is added."""
TENURE, SPREAD = 8, 9
"""Steps that a workload may not return for: TENURE, and up to SPREAD more so that cycles break."""
EXACT = 1e-9
FORBIDDEN = float("inf")
"""What a change is said to add where a workload cannot run, or may not go now."""


def rounded(
    tables: Tables, start: Mapping[int, int], units: Mapping[tuple[int, int], int], room: Mapping[int, int]
) -> dict[int, Shares]:
    """Return a placement of the workloads in ``start`` (workload to accelerator) that overloads the units least.

    ``room``: units that may be added, by accelerator.
    """
    search = _Search(tables, start, units)
    search.room = dict(room)
    search.run()
    return {
        workload: {search.keys[int(column)][1]: Fraction(1)}
        for workload, column in zip(search.workloads, search.best, strict=True)
    }


class _Search:
    """State of one search.  Columns are pools' accelerators; ``load`` is workloads x columns, and ``able`` where one can run."""

    def __init__(self, tables: Tables, start: Mapping[int, int], units: Mapping[tuple[int, int], int]) -> None:
        import numpy as np

        self.np = np
        self.workloads = sorted(start)
        self.keys = sorted({(tables.pool[one], other) for one in self.workloads for other in tables.load[one]})
        column = {key: number for number, key in enumerate(self.keys)}
        self.load = np.zeros((len(self.workloads), len(self.keys)))
        self.able = np.zeros(self.load.shape, dtype=bool)
        for row, one in enumerate(self.workloads):
            for accelerator, load in tables.load[one].items():
                place = row, column[tables.pool[one], accelerator]
                self.load[place], self.able[place] = load / LOAD_SCALE, True
        self.at = np.array([column[tables.pool[one], start[one]] for one in self.workloads])
        self.cost = np.array([max(tables.price[accelerator], 1) for _, accelerator in self.keys], dtype=float)
        self.cost /= self.cost.max()
        self.units = np.array([units.get(key, 0) for key in self.keys], dtype=float)
        self.rows = np.arange(len(self.workloads))
        self.tabu = np.zeros(self.load.shape, dtype=int)
        self.busy = np.bincount(self.at, weights=self.load[self.rows, self.at], minlength=len(self.keys))
        self.best, self.least = self.at.copy(), float("inf")
        self.room: dict[int, int] = {}

    def run(self) -> None:
        """Search until nothing is overloaded, or for a fixed number of steps."""
        stalled = 0
        for step in range(STEPS * len(self.workloads)):
            overload = float(self.over() @ self.cost)
            stalled += 1
            if overload < self.least - EXACT:
                self.best, self.least, stalled = self.at.copy(), overload, 0
            if overload <= EXACT:
                return
            if stalled > PATIENCE:
                stalled = 0
                self.buy()
            elif not self.move(step, overload):
                self.buy()

    def buy(self) -> None:
        """Add the cheapest unit that may be had, of the pool that is overloaded most."""
        penalty = self.cost * self.over()
        pool = self.keys[int(penalty.argmax())][0]
        for column in self.np.argsort(self.cost, kind="stable"):
            key = self.keys[int(column)]
            if key[0] == pool and self.room.get(key[1], 1) > 0:
                if key[1] in self.room:
                    self.room[key[1]] -= 1
                self.units[column] += 1
                self.least = float("inf")
                return

    def over(self) -> Vector:
        """Return by how much loads exceed units."""
        found: Vector = self.np.maximum(0.0, self.busy - self.units)
        return found

    def move(self, step: int, overload: float) -> bool:
        """Make the best change that involves a workload of an overloaded accelerator; return whether there is one."""
        np, at, load, units = self.np, self.at, self.load, self.units
        penalty = self.cost * self.over()
        hot = np.flatnonzero(penalty[at] > 0)
        home = at[hot]
        without = self.busy[at] - load[self.rows, at]
        leaving = self.cost[at] * np.maximum(0.0, without - units[at]) - penalty[at]
        entering = self.cost * np.maximum(0.0, self.busy + load[hot] - units) - penalty
        moves = np.where(self.able[hot], leaving[hot, None] + entering, FORBIDDEN)
        banned = self.tabu[hot] > step
        aspiring = self.least - EXACT
        moves[banned & (overload + moves >= aspiring)] = FORBIDDEN
        moves[np.arange(len(hot)), home] = FORBIDDEN
        # Exchanges: hot workload i takes the place of workload j and the other way round.
        there = self.cost[at] * np.maximum(0.0, without + load[hot][:, at] - units[at]) - penalty[at]
        here = load[:, home].T + without[hot, None] - units[home, None]
        swaps = there + self.cost[home, None] * np.maximum(0.0, here) - penalty[home, None]
        swaps[~(self.able[hot][:, at] & self.able[:, home].T)] = FORBIDDEN
        banned_swaps = banned[:, at] | (step < self.tabu[:, home].T)
        swaps[banned_swaps & (overload + swaps >= aspiring)] = FORBIDDEN
        swaps[home[:, None] == at[None, :]] = FORBIDDEN
        one, other = int(moves.argmin()), int(swaps.argmin())
        until = step + TENURE + step % SPREAD
        if min(moves.flat[one], swaps.flat[other]) == FORBIDDEN:
            return False
        if moves.flat[one] <= swaps.flat[other]:
            row, column = divmod(one, len(self.keys))
            self.put(int(hot[row]), column, until)
        else:
            row, peer = divmod(other, len(at))
            first = int(hot[row])
            mine, theirs = int(at[first]), int(at[peer])
            self.put(first, theirs, until)
            self.put(peer, mine, until)
        return True

    def put(self, row: int, column: int, until: int) -> None:
        """Move a workload, which may not return before a step."""
        old = int(self.at[row])
        self.tabu[row, old] = until
        self.busy[old] -= self.load[row, old]
        self.busy[column] += self.load[row, column]
        self.at[row] = column
