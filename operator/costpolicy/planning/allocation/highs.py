"""The seam to HiGHS: a mixed-integer program as data, solved the same way every time (one thread, a fixed seed).

``highspy`` and NumPy are imported here and only when something is solved: they cost 45 MB that an operator does not
need while nobody competes for accelerators.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import highspy

INFINITY: Final = float("inf")
TOLERANCE: Final = 1e-9
"""Of rows and of integrality; HiGHS' own default of 1e-6 would let a unit carry a millionth too much."""
SEED: Final = 1

Status = Literal["Optimal", "Feasible", "Infeasible", "Unknown"]


@dataclass(slots=True)
class Program:
    """Minimise the cost of columns under rows; grows by :meth:`column` and :meth:`row`."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integral: list[bool] = field(default_factory=list)
    rows: list[tuple[float, float, Mapping[int, float]]] = field(default_factory=list)

    def column(self, cost: float, upper: float, *, integral: bool, lower: float = 0.0) -> int:
        """Add a variable and return its index."""
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.integral.append(integral)
        return len(self.cost) - 1

    def row(self, coefficients: Mapping[int, float], lower: float = -INFINITY, upper: float = INFINITY) -> None:
        """Add ``lower <= sum of coefficient x column <= upper``."""
        self.rows.append((lower, upper, coefficients))

    def value(self, values: Sequence[float]) -> float:
        """Return the cost of values of all columns."""
        return fsum(cost * value for cost, value in zip(self.cost, values, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """What is known of a program.

    Attributes:
        values: of the columns in the best solution; empty without one.
        bound: no solution costs less; minus infinity where nothing is known, infinity where there is no solution.
    """

    status: Status
    values: tuple[float, ...]
    bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How far to go: seconds, and when a solution is good enough (an absolute distance from the bound, or a cost)."""

    seconds: float
    absolute_gap: float = 0.0
    relative_gap: float = 0.0
    target: float = -INFINITY


def solve(program: Program, effort: Effort, start: Sequence[float] | None = None) -> Solved:
    """Return the best solution found; ``start`` is one that is known."""
    if effort.seconds <= 0:
        return Solved(status="Unknown", values=(), bound=-INFINITY)
    import highspy

    solver = _quiet()
    for option, value in _options(effort).items():
        solver.setOptionValue(option, value)
    solver.passModel(_model(program))
    if start is not None:
        known = highspy.HighsSolution()
        known.col_value = list(start)
        solver.setSolution(known)
    solver.run()
    return _read(solver, mixed=any(program.integral))


def _quiet() -> "highspy.Highs":
    import highspy

    class Quiet(highspy.Highs):
        """A solver that does not print its banner, which setting callbacks does before output can be switched off."""

        def enableCallbacks(self) -> None:  # noqa: N802 - its name in highspy
            """Set none."""

    return Quiet()  # type: ignore[no-untyped-call] # highspy's own is not typed


def _options(effort: Effort) -> dict[str, str | float | int | bool]:
    return {
        "output_flag": False,
        # HiGHS 1.16.0 called solutions optimal that were not, once in 1,200 small programs: its presolve loses better ones.
        "presolve": "off",
        "threads": 1,
        "random_seed": SEED,
        "time_limit": effort.seconds,
        "mip_rel_gap": effort.relative_gap,
        "mip_abs_gap": max(effort.absolute_gap, TOLERANCE),
        "objective_target": effort.target,
        "mip_feasibility_tolerance": TOLERANCE,
        "primal_feasibility_tolerance": TOLERANCE,
        "dual_feasibility_tolerance": TOLERANCE,
    }


def _model(program: Program) -> "highspy.HighsLp":
    import highspy
    import numpy as np

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.cost), len(program.rows)
    model.col_cost_, model.col_lower_ = np.array(program.cost), np.array(program.lower)
    model.col_upper_ = np.array(program.upper)
    model.row_lower_ = np.array([lower for lower, _, _ in program.rows])
    model.row_upper_ = np.array([upper for _, upper, _ in program.rows])
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[integral] for integral in program.integral]
    lengths = [len(coefficients) for _, _, coefficients in program.rows]
    matrix = model.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kRowwise
    matrix.start_ = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))).astype(np.int32)
    matrix.index_ = np.array([index for _, _, row in program.rows for index in row], dtype=np.int32)
    matrix.value_ = np.array([value for _, _, row in program.rows for value in row.values()], dtype=np.float64)
    return model


def _read(solver: "highspy.Highs", *, mixed: bool) -> Solved:
    import highspy

    status, info = solver.getModelStatus(), solver.getInfo()
    states = highspy.HighsModelStatus
    if status in (states.kInfeasible, states.kUnboundedOrInfeasible):
        return Solved(status="Infeasible", values=(), bound=INFINITY)
    optimal = status == states.kOptimal
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    values = tuple(float(value) for value in solver.getSolution().col_value) if feasible else ()
    bound = info.mip_dual_bound if mixed else (info.objective_function_value if optimal else -INFINITY)
    known: Status = "Optimal" if optimal and values else "Feasible" if values else "Unknown"
    return Solved(status=known, values=values, bound=float(bound))
