"""Where floats or the solver would lead an allocation astray.

Covered: programs that HiGHS' presolve gets wrong, parts off by its tolerance, prices of very different size.  Not covered:
laws over generated problems (``tests/properties``), what an allocation is (test_allocation.py).
"""

from allocating import allocated, offer, placed, problem, workload
from costpolicy.planning.allocation.greedy import greedy
from costpolicy.planning.allocation.problem import Allocation
from costpolicy.planning.allocation.tables import tables_of
from costpolicy.units import Money


def test_what_the_solvers_presolve_would_misread_is_solved_to_the_optimum():
    """HiGHS 1.16.0 with presolve misjudges what the greedy placement costs, calls it optimal and stops there."""
    workloads = [
        workload("a", "1", {"l4": "1/3", "h100": "1/2"}, splittable=True),
        workload("b", "1", {"l4": "7", "h100": "1/3"}),
        workload("c", "0.5", {"l4": "1/3", "h100": "1/3"}, splittable=True, floor={"h100": 1}, pool="other"),
    ]
    asked = problem([offer("l4", "0.50", 5), offer("h100", "3.43")], workloads)
    found = allocated(asked)

    assert Money.parse("8.86").micros == greedy(tables_of(asked)).cost
    assert isinstance(found, Allocation)
    assert ({"default": {"l4": 4}, "other": {"l4": 1, "h100": 1}}, True) == (found.units, found.optimal)
    assert Money.parse("5.93") == found.cost_per_hour


def test_what_the_solvers_presolve_would_lose_is_found():
    """HiGHS 1.16.0 with presolve reduces this program to nothing and buys an L4 for `c`, which fits on the others."""
    workloads = [
        workload("a", "3", {"l40s": "1/2", "h100": "1/3"}, splittable=True, pool="other"),
        workload("b", "3", {"l4": "1/2", "l40s": "1/2", "h100": "1"}, pool="other"),
        workload("c", "0.5", {"l4": "1/2", "l40s": "2.3"}, pool="other"),
        workload("d", "1", {"l40s": "2.3", "h100": "7"}),
    ]
    offers = [offer("l4", "1.86", 4), offer("l40s", "2.50", 5), offer("h100", "2.50")]
    found = allocated(problem(offers, workloads))

    assert isinstance(found, Allocation)
    assert (Money.parse("27.50"), True) == (found.cost_per_hour, found.optimal)


def test_parts_off_by_the_solvers_tolerance_are_mended_also_where_they_cost_as_much_as_what_is_known():
    """On the edge of a unit a part too large by 10^-9 takes one more, and then costs what the greedy placement does."""
    workloads = [
        workload("a", "1.7", {"l4": "1", "l40s": "1", "h100": "2"}, splittable=True),
        workload("b", "0.5", {"l4": "1/2", "l40s": "2.3", "h100": "2"}),
    ]
    found = allocated(problem([offer("l4", "0.50", 2), offer("l40s", "1.86"), offer("h100", "5.00")], workloads))

    assert isinstance(found, Allocation)
    assert ({"default": {"l4": 1, "l40s": 1}}, True) == (found.units, found.optimal)


def test_nothing_is_put_where_it_cannot_run_however_little_that_would_cost():
    """Beside one of 1,860 an hour, a billion too many of what is free weigh less than one too many of it."""
    workloads = [
        workload("large", "1.7", {"cheap": "1/3", "dear": "1/3"}),
        *(workload(name, "0", {"free": "1/3"}) for name in ("idle", "silent")),
    ]
    found = allocated(problem([offer("cheap", "500", 2), offer("dear", "1860"), offer("free", "0")], workloads))

    assert isinstance(found, Allocation)
    assert {"default": {"dear": 6}} == found.units
    assert {"large": {"dear"}, "idle": {"free"}, "silent": {"free"}} == placed(found)
