"""Policies that want the same accelerators.

Covered: the last GPU and two policies, a neighbour that leaves, a neighbour that blocks growth.
Not covered: sharing by priority, which belongs to the allocation of later versions.
"""

import pytest

from costpolicy.api.types import RolloutMode
from costpolicy.reconcile.reconciler import Defaults
from costpolicy.simulation.traffic import Constant, Traffic
from stories import H100, L40S, MINUTE, QUARTER, chat, conditions, prices, runs_on, world

KEYS = (("default", "chat"), ("default", "code"))


@pytest.fixture
def crowded():
    """Two policies, one after another, and a single accelerator."""
    made = world(h100=0, l40s=1)
    for _, name in KEYS:
        made.apply(chat(name))
        made.traffic["default", name] = Traffic(curve=Constant(1.0))
        made.run(5 * MINUTE)
    made.run(QUARTER)
    return made


def test_the_first_one_serves_and_the_second_one_says_what_it_waits_for(crowded):
    assert ("True", "Serving") == conditions(crowded, "chat")["Ready"]
    assert "False" == conditions(crowded, "code")["Ready"][0]
    assert conditions(crowded, "code")["Ready"][1] in ("NoNodes", "NoSpareGPU", "Unschedulable", "Infeasible")


def test_nobody_thrashes(crowded):
    before, events = crowded.store.writes, len(crowded.gateway.published)
    crowded.run(30 * MINUTE)

    assert before == crowded.store.writes
    assert events == len(crowded.gateway.published)
    assert [(L40S, 1)] == runs_on(crowded, "chat")


def test_the_second_one_serves_as_soon_as_the_first_one_is_gone(crowded):
    crowded.delete_policy(*KEYS[0])
    crowded.run(QUARTER)

    assert ("True", "Serving") == conditions(crowded, "code")["Ready"]


def test_growth_without_stock_never_costs_the_neighbour_a_replica():
    made = world(h100=0, l40s=3)
    for _, name in KEYS:
        made.apply(chat(name))
        made.traffic["default", name] = Traffic(curve=Constant(1.0))
    made.run(QUARTER)
    for key in KEYS:
        made.traffic[key] = Traffic(curve=Constant(20.0))
    made.run(QUARTER)
    before = [runs_on(made, name) for _, name in KEYS]
    made.run(QUARTER)

    assert before == [runs_on(made, name) for _, name in KEYS]
    assert 1 <= made.timeline[-1].ready
    assert 1 <= made.timeline[-2].ready
    assert ("True", "Serving") == conditions(made, "chat")["Ready"]
    assert ("True", "Serving") == conditions(made, "code")["Ready"]


@pytest.mark.parametrize("most", [1, 2])
def test_of_many_policies_no_more_than_allowed_change_at_the_same_time(most: int):
    names = ("a", "b", "c", "d")
    made = world(defaults=Defaults(mode=RolloutMode.AUTO, most_changing=most))
    for name in names:
        made.apply(chat(name, rollout={"canary": {"duration": "0s"}}))
        made.traffic["default", name] = Traffic(curve=Constant(1.0))
    made.run(QUARTER)
    made.apply(prices(h100="0.40"))
    at_once = []
    for _ in range(90):
        made.run(MINUTE)
        at_once.append(sum("True" == conditions(made, name)["RolloutInProgress"][0] for name in names))

    assert most == max(at_once)
    assert [[(H100, 1)]] * 4 == [runs_on(made, name) for name in names]
    assert 4 == sum(event.reason == "Promoted" for event in made.gateway.published)
