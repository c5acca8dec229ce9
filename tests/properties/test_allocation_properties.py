"""Laws of allocation on generated problems with floors, pools, priorities, limits and splitting.

Covered: brute force over every whole placement, exact constraints, proofs, greedy as an upper bound, monotony in limits, prices
and offers, independence of order and of the scale of money.  Not covered: time limits (``make bench``), the size of
real fleets.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from allocating import allocated, brute_force, problems, served_and_cost
from costpolicy.planning.allocation.audit import violations
from costpolicy.planning.allocation.greedy import greedy
from costpolicy.planning.allocation.highs import INFINITY, Effort, Program, solve
from costpolicy.planning.allocation.problem import Allocation, Offer, Problem, Unserved
from costpolicy.planning.allocation.tables import tables_of
from costpolicy.units import Money


@given(problems(splittable=False))
def test_whole_workloads_are_placed_as_brute_force_places_them(problem):
    found = allocated(problem)

    assert brute_force(problem) == served_and_cost(problem, found)
    assert (found if isinstance(found, Allocation) else found.allocation).optimal


@given(problems())
def test_no_constraint_is_broken_by_a_hair(problem):
    assert violations(problem, allocated(problem)) == ()


@given(problems())
def test_an_answer_with_plenty_of_time_is_proven(problem):
    found = allocated(problem)

    assert (found if isinstance(found, Allocation) else found.allocation).optimal


@given(problems(splittable=True))
def test_splitting_never_serves_less_or_costs_more(problem):
    whole_served, whole_cost = brute_force(problem)
    split_served, split_cost = served_and_cost(problem, allocated(problem))

    assert split_served > whole_served or (split_served == whole_served and split_cost <= whole_cost)


@given(problems(most_workloads=2, splittable=True))
def test_splitting_finds_what_trying_every_number_of_units_finds(problem):
    """Whether units suffice for traffic that may be split freely is a question of sums when there is one workload."""
    problem = replace(problem, workloads=(replace(problem.workloads[0], priority=0),))
    [workload], found = problem.workloads, allocated(problem)
    best = min((cost for cost in _enough(problem, workload)), default=None)

    assert best == (found.cost_per_hour if isinstance(found, Allocation) else None)


def _enough(problem: Problem, workload):
    most = 10  # units of the slowest for the greatest generated rate
    ranges = [range(min(most, most if offer.limit is None else offer.limit) + 1) for offer in problem.offers]
    for counts in product(*ranges):
        units = dict(zip((offer.name for offer in problem.offers), counts, strict=True))
        kept = all(units[name] >= floor for name, floor in workload.floor.items())
        carried = sum((rate * units[name] for name, rate in workload.throughput.items()), Fraction(0))
        if kept and workload.throughput and carried >= workload.requests_per_second:
            yield sum((offer.hourly * units[offer.name] for offer in problem.offers), Money(0))


@given(problems(most_workloads=3, most_offers=2, splittable=True))
def test_splitting_several_workloads_finds_what_trying_every_number_of_units_finds(problem):
    """A linear program, put together here, says whether units suffice."""
    alike = tuple(replace(one, pool="default", floor={}, priority=0) for one in problem.workloads if one.throughput)
    problem = replace(problem, workloads=alike)
    found = allocated(problem)
    ranges = [range(_useful(problem, offer) + 1) for offer in problem.offers]
    by_price = sorted(product(*ranges), key=lambda counts: _price(problem, counts))
    best = next((_price(problem, counts) for counts in by_price if _suffices(problem, counts)), None)

    assert best == (found.cost_per_hour if isinstance(found, Allocation) else None)


def _useful(problem: Problem, offer: Offer) -> int:
    """Return the units of an offer that carry all that it can serve, as far as there are so many."""
    rates = ((one.requests_per_second, one.throughput.get(offer.name)) for one in problem.workloads)
    most = ceil(sum((asked / rate for asked, rate in rates if rate), Fraction(0)))
    return most if offer.limit is None else min(most, offer.limit)


def _price(problem: Problem, counts: tuple[int, ...]) -> Money:
    return sum((offer.hourly * count for offer, count in zip(problem.offers, counts, strict=True)), Money(0))


def _suffices(problem: Problem, counts: tuple[int, ...]) -> bool:
    """Whether the least overload of the fullest accelerator, by a linear program over shares, is none."""
    program = Program()
    overload = program.column(1.0, INFINITY, integral=False)
    loads = [{overload: -1.0} for _ in problem.offers]
    for workload in problem.workloads:
        columns = {}
        for load, offer in zip(loads, problem.offers, strict=True):
            if rate := workload.throughput.get(offer.name):
                column = program.column(0.0, 1.0, integral=False)
                columns[column] = 1.0
                load[column] = float(workload.requests_per_second / rate)
        program.row(columns, lower=1.0, upper=1.0)
    for load, count in zip(loads, counts, strict=True):
        program.row(load, upper=float(count))
    return solve(program, Effort(seconds=10)).values[overload] < 1e-7


@given(problems(most_workloads=6))
def test_it_is_never_worse_than_greedy(problem):
    simple = greedy(tables_of(problem))
    served, cost = served_and_cost(problem, allocated(problem))

    assert served > simple.served or (served == simple.served and cost.micros <= simple.cost)


@given(problems(), st.data())
def test_a_looser_limit_never_serves_less_or_costs_more(problem, data):
    index = data.draw(st.integers(0, len(problem.offers) - 1))
    old = problem.offers[index]
    offers = list(problem.offers)
    offers[index] = replace(old, limit=None if old.limit is None else old.limit + data.draw(st.integers(0, 3)))

    _no_worse(problem, replace(problem, offers=tuple(offers)))


@given(problems(most_offers=2), st.sampled_from(["0.10", "1.00", "5.00"]), st.none() | st.integers(0, 3))
def test_one_more_accelerator_never_serves_less_or_costs_more(problem, price, limit):
    workloads = tuple(
        replace(workload, throughput={**workload.throughput, "new": Fraction(2)}) for workload in problem.workloads
    )
    offer = Offer(name="new", hourly=Money.parse(price), limit=limit)

    _no_worse(problem, Problem(offers=(*problem.offers, offer), workloads=workloads))


def _no_worse(before: Problem, after: Problem) -> None:
    old_served, old_cost = served_and_cost(before, allocated(before))
    new_served, new_cost = served_and_cost(after, allocated(after))
    assert new_served > old_served or (new_served == old_served and new_cost <= old_cost)


@given(problems(), st.data())
def test_a_higher_price_never_costs_less(problem, data):
    index = data.draw(st.integers(0, len(problem.offers) - 1))
    offers = list(problem.offers)
    offers[index] = replace(offers[index], hourly=offers[index].hourly + Money(data.draw(st.integers(1, 2_000_000))))
    dearer = replace(problem, offers=tuple(offers))
    served, cost = served_and_cost(problem, allocated(problem))
    new_served, new_cost = served_and_cost(dearer, allocated(dearer))

    assert new_served == served
    assert new_cost >= cost


@given(problems(most_workloads=5), st.randoms(use_true_random=False))
def test_the_order_of_the_question_does_not_matter(problem, chance):
    offers, workloads = list(problem.offers), list(problem.workloads)
    chance.shuffle(offers)
    chance.shuffle(workloads)
    found, other = allocated(problem), allocated(Problem(offers=tuple(offers), workloads=tuple(workloads)))

    assert _what(found) == _what(other)


@given(problems(most_workloads=5), st.sampled_from([2, 7, 1000]))
def test_prices_in_another_currency_change_nothing_but_the_sum(problem, factor):
    offers = tuple(replace(offer, hourly=offer.hourly * factor) for offer in problem.offers)
    found, other = allocated(problem), allocated(replace(problem, offers=offers))
    (served, cost), (new_served, new_cost) = served_and_cost(problem, found), served_and_cost(problem, other)

    assert (served, cost * factor) == (new_served, new_cost)
    assert _what(found)[1:] == _what(other)[1:]


def _what(found: Allocation | Unserved):
    missing, best = (found.workloads, found.allocation) if isinstance(found, Unserved) else ((), found)
    shares = frozenset((one.workload, one.accelerator, one.share) for one in best.shares)
    return best.cost_per_hour, frozenset(missing), best.units, shares
