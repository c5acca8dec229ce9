"""Days on Spot: interruptions with and without notice, a pool that is away, one that is not reliable.

Covered: shares of requests inside the objective against the best that any plan could do, the Service, roles, money, writes,
and that what stands in comes and goes without a change of configuration.
Not covered: killed processes (tests/faults/test_killed_spot.py), the arithmetic (tests/unit/rollout/test_standby.py).
"""

from collections.abc import Iterable
from typing import Any

import pytest

from costpolicy.rollout.verdict import CHANGES_A_DAY
from costpolicy.simulation.bounds import bounds
from costpolicy.simulation.play import Compared, play
from costpolicy.simulation.scenario import Event, Scenario, shipped_scenario
from costpolicy.simulation.traffic import Constant, Traffic
from spot_stories import ALL, interrupted, role, spot_nodes_come, spot_world
from stories import HOUR, KEY, L40S, MINUTE, QUARTER, conditions, ready_behind_the_service, reasons, runs_on

NODES = ["spot-1", "spot-2", "spot-3"]
"""Nodes of the shipped scenario; what serves fits on two of them."""


def scenario(events: Iterable[dict[str, Any]]) -> Scenario:
    """The shipped scenario with other events, for a day and in larger steps."""
    shipped = shipped_scenario("spot-loss")
    return shipped.model_copy(
        update={"events": tuple(Event.model_validate(each) for each in events), "length": "24h", "resolution": "2m"}
    )


def at(minutes: int) -> str:
    return f"{minutes}m"


def with_notice(nodes: list[str], hour: int, back: int) -> list[dict[str, Any]]:
    """Nodes that are told two minutes before they go, and come back after so many minutes."""
    begin = 60 * hour
    return [
        {"at": at(begin), "announceNodes": nodes},
        {"at": at(begin + 2), "removeNodes": nodes},
        {"at": at(begin + 2 + back), "addNodes": nodes},
    ]


def without_notice(nodes: list[str], hour: int, back: int) -> list[dict[str, Any]]:
    begin = 60 * hour
    return [{"at": at(begin), "removeNodes": nodes}, {"at": at(begin + back), "addNodes": nodes}]


STORIES = {
    "a notice of two minutes": with_notice(NODES, 6, 90),
    "no notice": without_notice(NODES[:2], 6, 90),
    "all away for eight hours": without_notice(NODES, 6, 480),
    "again and again": [
        event
        for hour in range(4, 22, 2)
        for event in with_notice([NODES[hour // 2 % 3], NODES[hour // 2 % 3 - 1]], hour, 25)
    ],
}

CHANGES = dict.fromkeys(STORIES, 0) | {"again and again": CHANGES_A_DAY}
"""Changes of configuration: none, but where a loss meets so much load that the replicas on demand do not carry it."""


def played(name: str) -> Compared:
    result = play(scenario(STORIES[name]))
    assert [] == [bound for bound in bounds(result) if not bound.kept]
    [compared] = result.policies
    return compared


@pytest.mark.parametrize("name", STORIES)
def test_interruptions_are_survived(name: str):
    compared = played(name)
    told = [each.reason for each in compared.happenings]

    assert compared.result.share >= 0.99
    assert compared.result.share >= compared.best - 0.01
    assert told.count("SpotLost") >= 1
    assert told.count("Promoted") <= CHANGES[name]


def test_on_spot_a_standby_on_demand_exists_at_nothing_and_costs_nothing():
    made = spot_world()
    made.run(QUARTER)
    standby = role(made, "Standby")

    assert (0, 0) == (standby["replicas"], standby["readyReplicas"])
    assert made.status(*KEY)["spending"]["costPerHour"] == made.status(*KEY)["current"]["costPerHour"]
    assert 1 == len([each for each in runs_on(made) if each == (L40S, 0)])
    assert ("True", "Serving") == conditions(made)["Ready"]


@pytest.mark.parametrize(
    "hardware",
    [{"capacityTypes": ["OnDemand"]}, {"capacityTypes": ["Spot"]}],
    ids=["not on Spot", "on demand not allowed"],
)
def test_no_standby_where_none_is_allowed_or_needed(hardware: dict[str, Any]):
    made = spot_world(hardware=hardware)
    made.run(QUARTER)

    assert 1 == len(runs_on(made))


def test_with_notice_what_stands_in_starts_before_anything_is_lost():
    made = spot_world()
    made.run(QUARTER)
    for name in ALL:
        made.cluster.announce(name)
    made.run(2 * MINUTE)
    spot, standby = role(made, "Stable"), role(made, "Standby")
    assert spot["replicas"] == spot["readyReplicas"]
    assert spot["replicas"] - 1 == standby["replicas"]  # on demand none has to be spare

    interrupted(made, ALL)
    made.run(QUARTER)
    assert standby["replicas"] == role(made, "Standby")["readyReplicas"] == ready_behind_the_service(made)
    assert ("False", "SpotLost") == conditions(made)["RolloutBlocked"]
    assert ("True", "Serving") == conditions(made)["Ready"]


def test_spot_is_taken_again_and_what_stood_in_goes_after_the_calm_period():
    made = spot_world()
    made.run(QUARTER)
    interrupted(made, ALL)
    made.run(HOUR)
    spot_nodes_come(made)
    made.run(QUARTER)  # long enough to load, not long enough to be trusted
    before = role(made, "Standby")["replicas"]
    assert role(made, "Stable")["replicas"] == role(made, "Stable")["readyReplicas"]
    assert before > 0

    made.run(QUARTER + 5 * MINUTE)
    assert 0 == role(made, "Standby")["replicas"]
    assert 0 == made.status(*KEY)["standby"]["lost"]
    assert ready_behind_the_service(made) == role(made, "Stable")["replicas"]
    assert ["Planned", "SpotLost", "SpotBack"] == [each for each in reasons(made) if each != "Scaled"]


def test_nothing_is_written_while_spot_stays_away():
    made = spot_world()
    made.run(QUARTER)
    interrupted(made, ALL)
    made.run(HOUR)
    before = made.store.writes
    made.run(2 * HOUR)

    assert before == made.store.writes


def test_a_loss_of_days_lets_another_configuration_be_looked_for():
    made = spot_world()
    made.run(QUARTER)
    interrupted(made, ALL)
    made.run(25 * HOUR, 3 * MINUTE)

    assert "SpotLost" != conditions(made)["RolloutBlocked"][1]
    assert ready_behind_the_service(made) >= 1


def test_where_on_demand_has_too_few_accelerators_another_configuration_takes_over_as_before():
    made = spot_world(l40s=1, h100=8)
    made.run(QUARTER)
    interrupted(made, ALL)
    made.run(HOUR)

    assert "RolloutStarted" in reasons(made)
    assert ready_behind_the_service(made) >= 1


def test_replicas_that_wait_for_a_node_that_is_being_started_are_not_lost():
    made = spot_world(max_nodes=8)
    made.traffic[KEY] = Traffic(curve=Constant(60.0))
    made.run(12 * MINUTE)
    for name in ALL[1:]:
        made.cluster.add_node(name + "-more", L40S, 4, **{"karpenter.sh/capacity-type": "spot"})
    made.run(QUARTER)

    assert "SpotLost" not in reasons(made)
