"""``costpolicy allocate``: which workloads run on which accelerators, at the least cost, within limits."""

import argparse
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, NO, Console, InputError

if TYPE_CHECKING:
    from costpolicy.planning.allocation.problem import Allocation, Problem, Unserved

DEFAULT_SECONDS = 20.0
START_SECONDS = 0.5
"""Kept back of the time limit for starting the solver and writing the answer."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser(
        "allocate",
        help="the cheapest accelerators for several workloads within limits",
        description="Place workloads on accelerators by a mixed-integer program: by priority, then at the least cost.",
    )
    command.add_argument(
        "-f", "--file", required=True, metavar="FILE", help="JSON with accelerators and workloads; - for stdin"
    )
    command.add_argument(
        "--time-limit",
        type=float,
        default=DEFAULT_SECONDS,
        metavar="SECONDS",
        help="how long to look for a proof; then the best answer found is given with its gap",
    )
    command.add_argument(
        "-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Allocate and print."""
    from costpolicy.cli.allocation_input import AllocationInputError, parse_problem
    from costpolicy.clock import SystemClock
    from costpolicy.planning.allocation.allocate import AllocationError, Budget, allocate
    from costpolicy.planning.allocation.problem import Allocation, Unserved

    clock = SystemClock()
    began = clock.monotonic()
    if not 0 < arguments.time_limit <= 86400:
        raise InputError(f"--time-limit {arguments.time_limit}: give seconds between 0 and 86400")
    try:
        problem, ignored = parse_problem(console.read(arguments.file))
    except AllocationInputError as error:
        raise InputError(f"{arguments.file}: {error}") from error
    for path in ignored:
        console.note(f"costpolicy: {arguments.file}: {path} is not a known field and was ignored")
    seconds = max(arguments.time_limit - START_SECONDS, arguments.time_limit / 2)
    try:
        found = allocate(problem, Budget(seconds=seconds, elapsed=lambda: clock.monotonic() - began))
    except AllocationError as error:  # exit 1 would say that the answer is no
        raise InputError(f"{arguments.file}: {error}") from error
    if arguments.output == "table":
        _print_table(problem, found, console)
    else:
        console.dump(answer(problem, found), arguments.output)
    match found:
        case Allocation():
            return DONE
        case Unserved():
            return NO


def answer(problem: "Problem", found: "Allocation | Unserved") -> dict[str, Any]:
    """Return the JSON answer (names fixed by the design)."""
    from costpolicy.planning.allocation.problem import Unserved

    if isinstance(found, Unserved):
        return {
            "infeasible": {
                "reason": str(found.reason),
                "message": found.message,
                "unserved": list(found.workloads),
                "served": _allocation(problem, found.allocation),
            }
        }
    return _allocation(problem, found)


def _allocation(problem: "Problem", found: "Allocation") -> dict[str, Any]:
    return {
        "units": {offer.name: found.total(offer.name) for offer in problem.offers},
        "costPerHour": found.cost_per_hour.text(),
        "assignment": [
            {
                "workload": share.workload,
                "accelerator": share.accelerator,
                "share": float(share.share),
                "units": round(float(share.units), 9),
            }
            for share in found.shares
        ],
        "pools": {pool: dict(units) for pool, units in found.units.items()},
        "optimal": found.optimal,
        "gap": found.gap,
    }


def _print_table(problem: "Problem", found: "Allocation | Unserved", console: Console) -> None:
    from rich.console import Console as Terminal
    from rich.table import Table

    from costpolicy.planning.allocation.problem import Allocation, Unserved

    match found:
        case Unserved():
            console.print(f"Infeasible ({found.reason}): {found.message}")
            best = found.allocation
        case Allocation():
            best = found
    units = Table("accelerator", "units", "limit", "an hour")
    for offer in problem.offers:
        if count := best.total(offer.name):
            limit = "-" if offer.limit is None else str(offer.limit)
            units.add_row(offer.name, str(count), limit, (offer.hourly * count).text(2))
    shares = Table("workload", "accelerator", "share", "units")
    for share in best.shares:
        shares.add_row(share.workload, share.accelerator, f"{float(share.share):.2%}", f"{float(share.units):.3f}")
    terminal = Terminal(file=console.out)
    terminal.print(units)
    terminal.print(shares)
    proof = "proven optimal" if best.optimal else f"at most {best.gap:.2%} above the optimum"
    console.print(f"{best.cost_per_hour.text(2)} an hour, {proof}")
