"""Allocation, case by case.

Covered: sharing of units, pools, floors, priorities, splitting, what is said when limits do not suffice, the answer
without any time, numbers on the edge of a unit, bigger problems.  Not covered: laws over generated problems
(``tests/properties``), speed (``make bench``), the command (``tests/unit/cli``).
"""

from dataclasses import replace

import pytest

from allocating import allocated, fleet, offer, placed, problem, workload
from costpolicy.planning.allocation.audit import violations
from costpolicy.planning.allocation.greedy import greedy
from costpolicy.planning.allocation.problem import Problem, Shortage, Unserved
from costpolicy.planning.allocation.tables import tables_of
from costpolicy.units import Money


def test_workloads_of_one_pool_share_units():
    asked = problem([offer("h100", "6.88")], [workload(name, "1", {"h100": "4"}) for name in ("a", "b", "c", "d")])
    found = allocated(asked)

    assert ({"default": {"h100": 1}}, Money.parse("6.88"), True) == (found.units, found.cost_per_hour, found.optimal)


def test_workloads_of_two_pools_do_not():
    workloads = [workload("a", "1", {"h100": "4"}, pool="one"), workload("b", "1", {"h100": "4"}, pool="two")]
    found = allocated(problem([offer("h100", "6.88")], workloads))

    assert {"one": {"h100": 1}, "two": {"h100": 1}} == found.units


def test_a_dear_accelerator_wins_where_sharing_it_pays():
    """Each workload alone would be cheapest on an L4; together they fill one H100."""
    workloads = [workload(f"w{index}", "1", {"l4": "1", "h100": "10"}) for index in range(10)]
    found = allocated(problem([offer("l4", "0.80"), offer("h100", "6.88")], workloads))

    assert {"default": {"h100": 1}} == found.units
    assert Money.parse("6.88") == found.cost_per_hour


def test_split_traffic_gets_weights_that_keep_the_units_equally_busy():
    asked = problem(
        [offer("big", "4", 1), offer("small", "1.10")],
        [workload("chat", "11", {"big": "8", "small": "2"}, splittable=True)],
    )
    found = allocated(asked)

    assert {"default": {"big": 1, "small": 2}} == found.units
    shares = {share.accelerator: float(share.share) for share in found.shares}
    assert pytest.approx({"big": 8 / 12, "small": 4 / 12}) == shares
    assert sum(share.share for share in found.shares) == 1


def test_the_same_traffic_is_not_split_unless_that_is_allowed():
    asked = problem([offer("big", "4", 1), offer("small", "1")], [workload("chat", "11", {"big": "8", "small": "2"})])

    assert {"chat": {"small"}} == placed(allocated(asked))


def test_a_floor_is_kept_though_nothing_needs_it():
    idle = workload("idle", "0", {"h100": "4"}, floor={"h100": 2})
    found = allocated(problem([offer("h100", "6.88"), offer("l4", "0.80")], [idle]))

    assert ({"default": {"h100": 2}}, {"idle": {"h100"}}) == (found.units, placed(found))


def test_a_workload_without_traffic_costs_nothing_and_still_has_a_home():
    found = allocated(problem([offer("h100", "6.88")], [workload("idle", "0", {"h100": "4"})]))

    assert ({}, Money(0), {"idle": {"h100"}}) == (found.units, found.cost_per_hour, placed(found))


def test_a_workload_without_traffic_lives_where_units_are_paid_for():
    busy, idle = workload("busy", "1", {"h100": "4"}), workload("idle", "0", {"h100": "4", "l4": "1"})
    found = allocated(problem([offer("h100", "6.88"), offer("l4", "0.80")], [busy, idle]))

    assert {"h100"} == placed(found)["idle"]


def test_priority_comes_before_cost_and_before_numbers():
    """One important workload keeps the accelerator that two others could have shared."""
    low = [workload(f"low{index}", "2", {"h100": "4"}) for index in range(2)]
    high = workload("high", "4", {"h100": "4"}, priority=10)
    found = allocated(problem([offer("h100", "6.88", 1)], [*low, high]))

    assert isinstance(found, Unserved)
    assert (Shortage.NOT_ENOUGH_ACCELERATORS, ("low0", "low1")) == (found.reason, found.workloads)
    assert {"high": {"h100"}} == placed(found.allocation)
    assert "the limits do not serve low0, low1: raise the limit of h100 (1 of 1 used)" in found.message


def test_among_equals_as_many_as_possible_are_served():
    sizes = {"large": "4", "small": "2", "also-small": "2"}
    asked = problem([offer("h100", "6.88", 1)], [workload(name, rate, {"h100": "4"}) for name, rate in sizes.items()])

    assert ("large",) == allocated(asked).workloads


def test_many_different_priorities_are_kept_in_order():
    """More than fit into one program of exact weights; every second one is too large for what is left."""
    workloads = [
        workload(f"w{index:02}", "3" if index % 2 else "1", {"h100": "1"}, priority=-index) for index in range(60)
    ]
    found = allocated(problem([offer("h100", "1", 40)], workloads))
    # 1 + 3 + 1 + 3 ...: twenty of them use 40 units exactly.
    assert tuple(f"w{index:02}" for index in range(20, 60)) == found.workloads


def test_an_unservable_workload_says_what_it_lacks():
    asked = problem([offer("h100", "6.88")], [workload("chat", "1", {}), workload("code", "1", {"h100": "4"})])
    found = allocated(asked)

    assert (Shortage.NO_THROUGHPUT, ("chat",)) == (found.reason, found.workloads)
    assert found.message.startswith("chat cannot run on any of the accelerators: give at least one a throughput")
    assert {"code": {"h100"}} == placed(found.allocation)


def test_a_floor_above_the_limit_leaves_its_workload_unserved():
    asked = problem([offer("h100", "6.88", 1)], [workload("chat", "1", {"h100": "4"}, floor={"h100": 2})])
    found = allocated(asked)

    assert (("chat",), {}) == (found.workloads, found.allocation.units)


def test_a_surcharge_keeps_a_workload_where_it_is_until_a_move_pays():
    def home(surcharge: str) -> set[str]:
        chat = workload("chat", "4", {"old": "4", "new": "4"}, surcharge={"new": Money.parse(surcharge)})
        found = allocated(problem([offer("old", "3"), offer("new", "2")], [chat]))
        assert found.cost_per_hour == Money.parse("3" if placed(found)["chat"] == {"old"} else "2")
        return placed(found)["chat"]

    assert [{"new"}, {"old"}] == [home("0.5"), home("1.5")]


def test_a_rounded_throughput_does_not_cost_another_unit():
    """A third, written with twelve decimals, would need 9.000000000009 units."""
    found = allocated(problem([offer("h100", "1")], [workload("chat", "3", {"h100": "0.333333333333"})]))

    assert 9 == found.total("h100")


def test_a_load_that_is_a_little_more_than_a_unit_does():
    found = allocated(problem([offer("h100", "1")], [workload("chat", "3.00001", {"h100": "1"})]))

    assert 4 == found.total("h100")


@pytest.mark.parametrize("splittable", [True, False])
def test_a_load_far_below_a_unit_still_needs_one(splittable):
    workloads = [
        workload("chat", "1e-9", {"h100": "1000"}, splittable=splittable),
        workload("code", "0", {"h100": "1"}),
    ]
    found = allocated(problem([offer("h100", "1")], workloads))

    assert (1, True) == (found.total("h100"), found.optimal)


def test_a_workload_that_would_need_millions_of_units_is_refused():
    found = allocated(problem([offer("h100", "1")], [workload("chat", "1e12", {"h100": "0.001"})]))

    assert Shortage.NO_THROUGHPUT == found.reason


def test_nothing_to_place_costs_nothing():
    assert (Money(0), True) == (allocated(problem([], [])).cost_per_hour, allocated(problem([], [])).optimal)


@pytest.mark.parametrize("splittable", [True, False])
def test_without_time_the_greedy_answer_is_given_with_its_gap(splittable):
    asked = fleet(1, splittable=splittable, workloads=40)
    found = allocated(asked, seconds=0)

    assert greedy(tables_of(asked)).cost == found.cost_per_hour.micros
    # What it says is possible at best is no more than what is possible where all may be split.
    best = allocated(fleet(1, splittable=True, workloads=40))
    assert not found.optimal
    assert found.cost_per_hour.micros * (1 - found.gap) <= best.cost_per_hour.micros
    assert found.gap < 0.5
    assert () == violations(asked, found)


def test_without_time_a_shortage_is_not_called_proven():
    asked = fleet(1, splittable=False, workloads=20)
    scarce = replace(asked, offers=tuple(replace(one, limit=0 if one.name < "gpu-06" else 1) for one in asked.offers))
    found = allocated(scarce, seconds=0)

    assert (False, ()) == (found.allocation.optimal, violations(scarce, found))
    assert found.message.endswith("whether more could be served was not proven within the time limit")


@pytest.mark.parametrize("splittable", [True, False])
def test_a_hundred_policies_in_pools_of_their_own_are_solved_to_the_optimum(splittable):
    asked = fleet(2, splittable=splittable, workloads=100)
    alone = tuple(replace(one, pool=one.name) for one in asked.workloads)
    scarce = tuple(replace(one, limit=12) for one in asked.offers)
    asked = Problem(offers=scarce, workloads=alone)
    found = allocated(asked)

    assert (True, ()) == (found.optimal, violations(asked, found))
    assert found.cost_per_hour.micros < greedy(tables_of(asked)).cost


def test_whole_workloads_and_such_that_may_be_split_share_units():
    asked = fleet(3, splittable=False, workloads=30)
    mixed = tuple(replace(one, splittable=index % 2 == 0) for index, one in enumerate(asked.workloads))
    whole, found = allocated(asked), allocated(replace(asked, workloads=mixed))

    assert () == violations(replace(asked, workloads=mixed), found)
    assert found.cost_per_hour <= whole.cost_per_hour


def test_the_check_of_an_answer_finds_what_is_wrong_with_it():
    asked = problem([offer("h100", "6.88", 2)], [workload("chat", "5", {"h100": "4"}, floor={"h100": 1})])
    found = allocated(asked)

    assert () == violations(asked, found)
    fewer = replace(found, units={"default": {"h100": 1}}, cost_per_hour=Money.parse("6.88"))
    assert ("1 h100 do not carry the 1.25 units of pool default",) == violations(asked, fewer)
    assert ("3 h100 are more than the 2 there are", "the units cost 20.64, not 13.76") == violations(
        asked, replace(found, units={"default": {"h100": 3}})
    )
    assert ("the shares of chat do not sum to 1",) == violations(asked, replace(found, shares=()))
