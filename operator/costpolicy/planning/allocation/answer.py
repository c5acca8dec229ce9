"""A placement in the words of the question: units, shares, and what stands against those that are not served."""

from collections import defaultdict
from fractions import Fraction
from typing import Final

from costpolicy.planning.allocation.placement import Placement
from costpolicy.planning.allocation.problem import Allocation, Problem, Share, Shortage, Unserved
from costpolicy.planning.allocation.tables import LOAD_SCALE, MOST_UNITS, Tables
from costpolicy.units import ZERO, Money

PROVEN: Final = Fraction(1, 10**7)
"""A relative gap below this is the solver's own rounding."""
NAMED: Final = 5
"""How many names a message lists."""


def answer(
    problem: Problem, tables: Tables, placement: Placement, bound: Fraction, *, proven: bool
) -> Allocation | Unserved:
    """Return a placement as the answer to a problem.

    ``bound`` is what none that serves as much can be cheaper than, in micro-units; ``proven``: none serves more.
    """
    served = {tables.workloads[workload].name for workload in placement.shares}
    unserved = tuple(workload.name for workload in problem.workloads if workload.name not in served)
    gap = max(placement.cost - bound, Fraction(0)) / placement.cost if placement.cost else Fraction(0)
    found = Allocation(
        units=_units(tables, placement),
        cost_per_hour=_cost(problem, tables, placement),
        shares=_shares(problem, tables, placement),
        optimal=proven and gap <= PROVEN,
        gap=0.0 if gap <= PROVEN else float(gap),
    )
    if not unserved:
        return found
    reason, message = _shortage(problem, tables, found, unserved)
    if not proven:
        message = f"{message}; whether more could be served was not proven within the time limit"
    return Unserved(reason=reason, message=message, workloads=unserved, allocation=found)


def _units(tables: Tables, placement: Placement) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for (pool, accelerator), count in placement.units.items():
        found[tables.pools[pool]][tables.accelerators[accelerator]] = count
    return dict(found)


def _cost(problem: Problem, tables: Tables, placement: Placement) -> Money:
    hourly = {offer.name: offer.hourly for offer in problem.offers}
    total = ZERO
    for (_, accelerator), count in placement.units.items():
        total = total + hourly[tables.accelerators[accelerator]] * count
    return total


def _shares(problem: Problem, tables: Tables, placement: Placement) -> tuple[Share, ...]:
    index = {workload.name: number for number, workload in enumerate(tables.workloads)}
    return tuple(
        Share(
            workload=workload.name,
            accelerator=tables.accelerators[accelerator],
            share=share,
            units=share * tables.load[index[workload.name]][accelerator] / LOAD_SCALE,
        )
        for workload in problem.workloads
        for accelerator, share in placement.shares.get(index[workload.name], {}).items()
    )


def _shortage(problem: Problem, tables: Tables, found: Allocation, unserved: tuple[str, ...]) -> tuple[Shortage, str]:
    usable = {one.name: set(loads) for one, loads in zip(tables.workloads, tables.load, strict=True)}
    impossible = [name for name in unserved if not usable[name]]
    if impossible:
        return Shortage.NO_THROUGHPUT, (
            f"{_listed(impossible)} cannot run on any of the accelerators: give at least one a throughput "
            f"(requests per second of one unit) that needs no more than {MOST_UNITS:,} units"
        )
    wanted = {tables.accelerators[one] for name in unserved for one in usable[name]}
    wanted |= {name for workload in problem.workloads if workload.name in unserved for name in workload.floor}
    scarce = [offer for offer in problem.offers if offer.limit is not None and offer.name in wanted]
    full = [offer for offer in scarce if found.total(offer.name) == offer.limit] or scarce
    named = [f"{offer.name} ({found.total(offer.name)} of {offer.limit} used)" for offer in full]
    return Shortage.NOT_ENOUGH_ACCELERATORS, (
        f"the limits do not serve {_listed(list(unserved))}: raise the limit of {_listed(named)}, "
        "or lower a rate, a floor or the priority of something else"
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
