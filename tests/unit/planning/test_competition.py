"""Which offering each of several policies plans on when accelerators do not suffice for everybody's favourite.

Covered: real plans of real policies on real offerings; priority, floors, growth, moves, stability, no solver where
nobody competes.  Not covered: the operator does not ask yet (docs/decisions/0007-allocation.md), allocation itself
(``test_allocation.py``).
"""

import subprocess
import sys
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from asking import request
from builders import offering
from costpolicy.api.types import CapacityType
from costpolicy.planning.allocation.allocate import Budget
from costpolicy.planning.competition import Choice, Contender, Place, Stock, choices_of, compete, settle, stock_of
from costpolicy.planning.planner import plan
from costpolicy.planning.supply import Supply
from costpolicy.units import ZERO, Money

BUDGET = Budget(seconds=30, elapsed=lambda: 0.0)
OFFERED = (offering("nvidia-l40s", "1.86"), offering("nvidia-h100-80gb", "4.50"), offering("nvidia-h200", "5.50"))
L40S, H100, H200 = (Place(one.accelerator.name, one.capacity_type) for one in OFFERED)
SOME = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}
MUCH = {"requestsPerSecond": 20, "promptTokens": 1000, "outputTokens": 250}


def stocks(l40s: int | None = None, h100: int | None = None, h200: int | None = None) -> list[Stock]:
    counts = {L40S: l40s, H100: h100, H200: h200}
    return [
        Stock(place=place, hourly=one.hourly, accelerators=counts[place])
        for place, one in zip(counts, OFFERED, strict=True)
    ]


def contender(key: str, priority: int = 0, moves=None, **spec) -> Contender:
    asked = request(OFFERED, traffic=spec.pop("traffic", SOME), **spec)
    return Contender(key=key, priority=priority, choices=choices_of(asked, moves or {}))


def where(rulings) -> dict[str, str | None]:
    return {key: one.choice.place.accelerator if one.choice else None for key, one in rulings.items()}


def test_a_policy_brings_its_cheapest_plan_on_each_offering():
    asked = request(OFFERED, traffic=MUCH)
    choices = choices_of(asked, {})

    assert [L40S, H100, H200] == [choice.place for choice in choices]
    assert plan(asked).target in [choice.target for choice in choices]
    assert all(choice.target.configuration.accelerator == choice.place.accelerator for choice in choices)


def test_an_offering_that_cannot_keep_the_promise_is_no_choice():
    choices = choices_of(request(OFFERED, objectives={"ttft": {"p95": "60ms"}}, traffic=SOME), {})

    assert L40S not in [choice.place for choice in choices]


def test_everybody_gets_the_favourite_where_there_is_enough():
    found = settle([contender("a/one"), contender("a/two")], stocks(l40s=8), BUDGET)

    assert {"a/one": "nvidia-l40s", "a/two": "nvidia-l40s"} == where(found)
    assert all(one.growth and one.optimal for one in found.values())


def test_nobody_pays_for_a_solver_where_nobody_competes():
    script = (
        "import sys; sys.path[:0] = ['tests', 'operator']; sys.path.append('tests/unit/planning')\n"
        "import test_competition as this\n"
        "this.settle([this.contender('a/one'), this.contender('a/two')], this.stocks(l40s=8), this.BUDGET)\n"
        "print({'numpy', 'highspy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "set()" == done.stdout.strip()


def test_the_favourite_goes_where_doing_without_it_costs_most():
    """Both want the only L40S; one of them would need more accelerators than the other elsewhere."""
    contenders = [contender("a/small"), contender("a/large", traffic=MUCH)]
    needs = {one.key: one.choices[0].target.accelerators for one in contenders}
    found = settle(contenders, stocks(l40s=max(needs.values())), BUDGET)
    costs = [
        small.target.cost_per_hour + large.target.cost_per_hour
        for small in contenders[0].choices
        for large in contenders[1].choices
        if not small.place == large.place == L40S
    ]

    assert min(costs) == sum((one.choice.target.cost_per_hour for one in found.values()), ZERO)


def test_priority_decides_who_is_served_at_all():
    low, high = contender("a/low", priority=0), contender("a/high", priority=1000)
    for order in ([low, high], [high, low]):
        found = settle(order, stocks(l40s=1, h100=0, h200=0), BUDGET)
        assert {"a/high": "nvidia-l40s", "a/low": None} == where(found)


def test_priority_moves_the_other_one_to_a_dearer_offering_rather_than_away():
    found = settle([contender("a/low"), contender("a/high", priority=1000)], stocks(l40s=1, h100=1, h200=0), BUDGET)

    assert {"nvidia-l40s", "nvidia-h100-80gb"} == set(where(found).values())


def test_floors_come_before_the_growth_of_somebody_more_important():
    high = contender("a/high", priority=1000, traffic={**MUCH, "requestsPerSecond": 40})
    low = contender("a/low")
    wanted = next(one for one in high.choices if one.place == L40S).target.accelerators
    assert wanted > 1
    found = settle([low, high], stocks(l40s=wanted, h100=0, h200=0), BUDGET)

    assert {"a/high": "nvidia-l40s", "a/low": "nvidia-l40s"} == where(found)
    assert (False, False) == (found["a/high"].growth, found["a/low"].growth)


def test_growth_gives_way_from_the_lowest_priority_up():
    many = {**MUCH, "requestsPerSecond": 40}
    low, high = contender("a/low", traffic=many), contender("a/high", priority=1000, traffic=many)
    choice = next(one for one in low.choices if one.place == L40S)
    wanted = choice.target.accelerators
    assert wanted > choice.floor
    found = settle([low, high], stocks(l40s=wanted + choice.floor, h100=0, h200=0), BUDGET)

    assert (True, False) == (found["a/high"].growth, found["a/low"].growth)


def test_what_runs_stays_until_a_move_pays_for_itself():
    """The L40S would be cheaper by a known amount; the move costs a little more, then a little less, than that."""
    saving = Money.parse("4.50") - Money.parse("1.86")
    rival = contender("a/rival", priority=1000)

    def home(move: Money) -> str | None:
        mover = contender("a/mover", moves={L40S: move})
        return where(settle([mover, rival], stocks(l40s=2, h100=8), BUDGET))["a/mover"]

    assert ["nvidia-h100-80gb", "nvidia-l40s"] == [home(saving + Money(1)), home(saving - Money(1))]


def test_a_small_change_of_prices_reshuffles_nobody_whose_move_costs_something():
    contenders = [contender(f"a/{index}") for index in range(4)]
    first = settle(contenders, stocks(l40s=2, h100=1, h200=1), BUDGET)
    settled = [
        replace(
            one,
            choices=tuple(
                replace(choice, move=ZERO if choice.place == first[one.key].choice.place else Money.parse("0.05"))
                for choice in one.choices
            ),
        )
        for one in contenders
    ]
    nudged = [replace(stock, hourly=stock.hourly + Money(10_000)) for stock in stocks(l40s=2, h100=1, h200=1)]

    assert where(first) == where(settle(settled, nudged, BUDGET))


def test_a_policy_without_any_plan_stands_in_nobodys_way():
    hopeless = Contender(key="a/hopeless", priority=5000, choices=())
    found = settle([hopeless, contender("a/one"), contender("a/two")], stocks(l40s=1, h100=1, h200=0), BUDGET)

    assert found["a/hopeless"].choice is None
    assert {"nvidia-l40s", "nvidia-h100-80gb"} == {where(found)["a/one"], where(found)["a/two"]}
    assert found["a/one"].growth


def test_reserved_accelerators_are_paid_for_and_bounded():
    reserved = offering("nvidia-h100-80gb", "3.00", capacity_type=CapacityType.RESERVED, count=4)
    found = stock_of(Supply(offering=reserved, free_by_node=(8,), reserved_free=3))

    assert (ZERO, 3) == (found.hourly, found.accelerators)
    assert None is stock_of(Supply(offering=OFFERED[0])).accelerators


@st.composite
def crowds(draw):
    """A few policies with made-up sizes on two places that hold little."""
    [real] = choices_of(request(OFFERED[:1], traffic=SOME), {})
    contenders = []
    for index in range(draw(st.integers(1, 5))):
        sizes = draw(st.dictionaries(st.sampled_from([L40S, H100]), st.integers(1, 4), max_size=2))
        choices = tuple(
            Choice(place=place, target=replace(real.target, replicas=size), floor=draw(st.integers(1, size)))
            for place, size in sizes.items()
        )
        contenders.append(Contender(key=f"a/{index}", priority=draw(st.integers(0, 2)), choices=choices))
    return contenders, stocks(l40s=draw(st.integers(0, 6)), h100=draw(st.integers(0, 6)), h200=0)


@given(crowds())
def test_nobody_is_given_what_is_not_there_and_nobody_loses_it_to_a_lower_priority(crowd):
    contenders, there = crowd
    found = settle(contenders, there, BUDGET)
    taken = dict.fromkeys((stock.place for stock in there), 0)
    for ruling in found.values():
        if ruling.choice is not None:
            taken[ruling.choice.place] += ruling.choice.target.accelerators if ruling.growth else ruling.choice.floor

    assert all(taken[stock.place] <= stock.accelerators for stock in there)
    left = {stock.place: stock.accelerators - taken[stock.place] for stock in there}
    for one in contenders:  # whoever has nothing has no choice whose floor is still there
        if found[one.key].choice is None:
            assert all(left[choice.place] < choice.floor for choice in one.choices)


@given(crowds())
def test_whether_they_compete_is_whether_the_favourites_fit(crowd):
    contenders, there = crowd
    plenty = [replace(stock, accelerators=None) for stock in there]

    assert not compete(contenders, plenty)
    if not compete(contenders, there):
        assert settle(contenders, there, BUDGET) == settle(contenders, plenty, BUDGET)
