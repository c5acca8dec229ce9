"""Changes of configuration from the first minute to the last: who starts them, what they cost, what stops them.

Covered: first deployment, edits, price drops in Auto and Initial, cooldown, windows, no room, restarts in between,
edits of edits, the end of a policy.
Not covered: single decisions (tests/unit/reconcile/test_decide.py), killed processes (tests/faults).
"""

import pytest

from costpolicy.kube.kinds import COST_POLICY, POD
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.units import Money
from stories import (
    H100,
    HOUR,
    KEY,
    L40S,
    MINUTE,
    QUARTER,
    annotate,
    changes,
    chat,
    children,
    conditions,
    deployments,
    message,
    prices,
    ready_behind_the_service,
    reasons,
    runs_on,
    serving,
    world,
)

ON_L40S, ON_H100 = {"accelerators": [L40S]}, {"accelerators": [H100]}
AUTO = {"mode": "Auto", "canary": {"duration": "0s"}}
"""Better plans without evidence; with it: test_canary.py."""


def minute_by_minute(of, minutes: int, *, restarting: bool = False) -> list[list[tuple[str, int]]]:
    """Run on, and return what ran after each minute; assert that somebody always serves."""
    seen = []
    for _ in range(minutes):
        if restarting:
            of.restart_operator()
        of.run(MINUTE)
        assert 1 <= ready_behind_the_service(of)
        seen.append(runs_on(of))
    return seen


def test_the_first_deployment_is_the_cheapest_and_is_ready_when_its_model_is_loaded():
    made = world()
    made.apply(chat())
    made.run(MINUTE)
    assert [(L40S, 1)] == runs_on(made)
    assert ("False", "WaitingForReplicas") == conditions(made)["Ready"]
    assert "True" == conditions(made)["Reconciling"][0]

    made.run(QUARTER)
    assert ("True", "Serving") == conditions(made)["Ready"]
    assert "False" == conditions(made)["Reconciling"][0]
    assert "1.86" == made.status(*KEY)["current"]["costPerHour"]
    assert ["Planned"] == reasons(made)


@pytest.mark.parametrize("restarting", [False, True])
def test_an_edit_is_rolled_out_without_a_gap_also_when_the_operator_restarts_at_every_step(restarting: bool):
    made = serving(hardware=ON_L40S)
    made.apply(chat(hardware=ON_H100))
    seen = changes(minute_by_minute(made, 12, restarting=restarting))

    assert [[(L40S, 1), (H100, 1)], [(H100, 1)]] == seen
    assert ["Planned", "RolloutStarted", "Promoted"] == reasons(made)
    assert ("False", "Serving") == conditions(made)["Reconciling"]
    assert 1 == len(made.status(*KEY)["history"])


def test_an_edit_in_the_very_second_of_the_first_deployment_is_followed_too():
    made = world()
    made.apply(chat(hardware=ON_L40S))
    made.run(MINUTE / 600, step=MINUTE / 600)
    made.apply(chat(hardware=ON_H100))
    made.run(20 * MINUTE)

    assert [(H100, 1)] == runs_on(made)
    assert ("True", "Serving") == conditions(made)["Ready"]


def test_an_edit_of_an_edit_supersedes_it_and_ends_at_the_last_one():
    made = serving(hardware=ON_L40S)
    made.apply(chat(hardware=ON_H100))
    made.run(2 * MINUTE)
    made.apply(chat(hardware=ON_H100, engine={"env": [{"name": "SETTING", "value": "second"}]}))
    minute_by_minute(made, 15)

    assert [(H100, 1)] == runs_on(made)
    assert "SETTING" in str(deployments(made)[0]["spec"])
    assert "False" == conditions(made)["Reconciling"][0]


def test_an_edit_that_is_taken_back_leaves_what_served():
    made = serving(hardware=ON_L40S)
    name = deployments(made)[0]["metadata"]["name"]
    made.apply(chat(hardware=ON_H100))
    made.run(2 * MINUTE)
    made.apply(chat(hardware=ON_L40S))
    minute_by_minute(made, 6)

    assert [name] == [item["metadata"]["name"] for item in deployments(made)]
    assert ("False", "Serving") == conditions(made)["Reconciling"]


def test_auto_takes_a_cheaper_offering_once_after_a_price_drop_and_stays():
    made = serving(rollout=AUTO)
    made.apply(prices(h100="1.20"))
    seen = changes(minute_by_minute(made, 90))

    assert [[(L40S, 1), (H100, 1)], [(H100, 1)]] == [each for each in seen if each != [(L40S, 1)]]
    assert 1 == reasons(made).count("Promoted")
    assert "it saves 0.66 an hour" == made.status(*KEY)["history"][0]["change"]
    assert "1.20" == made.status(*KEY)["current"]["costPerHour"]


@pytest.mark.parametrize(
    ("rollout", "h100", "why"),
    [
        (AUTO, "1.80", "the best plan saves 3.2%, spec.rollout.minimumSavings is 5%"),
        (AUTO | {"paybackHorizon": "1m"}, "1.20", "the change costs 0.07 and gains 0.01 in 1m"),
    ],
)
def test_auto_leaves_a_saving_that_does_not_pay_and_says_why(rollout: dict[str, str], h100: str, why: str):
    made = serving(rollout=rollout)
    made.apply(prices(h100=h100))
    minute_by_minute(made, 20)

    assert [(L40S, 1)] == runs_on(made)
    assert "False" == conditions(made)["RolloutBlocked"][0]
    assert why == message(made, "RolloutBlocked")


def test_initial_recommends_the_cheaper_offering_and_changes_nothing():
    made = serving()
    made.apply(prices(h100="1.20"))
    minute_by_minute(made, 20)

    assert [(L40S, 1)] == runs_on(made)
    assert H100 == made.status(*KEY)["target"]["accelerator"]
    assert "1.20" == made.status(*KEY)["target"]["costPerHour"]


def test_prices_that_swing_move_a_policy_at_most_once_in_a_cooldown():
    made = serving(rollout=AUTO | {"cooldown": "2h"})
    for turn in range(6):
        made.apply(prices(h100="1.20" if turn % 2 == 0 else "4.50"))
        minute_by_minute(made, 9)

    assert 1 == reasons(made).count("Promoted")
    assert ("True", "CoolingDown") == conditions(made)["RolloutBlocked"]


def test_a_better_plan_waits_for_its_window_and_the_load_does_not():
    window = {"schedule": "0 10 * * *", "duration": "1h", "timeZone": "UTC"}
    made = serving(rollout=AUTO | {"maintenanceWindows": [window]})
    made.apply(prices(h100="1.20"))
    made.traffic[KEY] = Traffic(curve=Constant(4.5))
    made.run(HOUR, step=2 * MINUTE)
    assert ("True", "OutsideWindow") == conditions(made)["RolloutBlocked"]
    assert {L40S} == {accelerator for accelerator, _ in runs_on(made)}
    assert 2 <= sum(count for _, count in runs_on(made))

    made.run(70 * MINUTE, step=2 * MINUTE)
    assert {H100} == {accelerator for accelerator, _ in runs_on(made)}


def test_a_change_without_room_is_blocked_says_so_and_goes_on_when_room_appears():
    made = world(h100=0, l40s=1)
    made.apply(chat())
    made.traffic[KEY] = Traffic(curve=Constant(2.0))
    made.run(QUARTER)
    made.apply(chat(engine={"env": [{"name": "SETTING", "value": "new"}]}))
    minute_by_minute(made, 30)
    assert ("True", "NoSpareGPU") == conditions(made)["RolloutBlocked"]
    assert "spec.rollout.allowDowntime" in message(made, "RolloutBlocked")
    assert ("True", "Serving") == conditions(made)["Ready"]
    assert "SETTING" not in str(deployments(made)[0]["spec"])

    made.cluster.add_node("another", L40S, 1)
    minute_by_minute(made, 10)
    assert "SETTING" in str(deployments(made)[0]["spec"])
    assert ("False", "Steady") == conditions(made)["RolloutBlocked"]


def test_two_replicas_without_room_are_replaced_one_by_one():
    made = world(h100=0, l40s=2)
    made.apply(chat(scaling={"minReplicas": 2}, traffic={"requestsPerSecond": 0.5}))
    made.traffic[KEY] = Traffic(curve=Constant(0.5))
    made.run(QUARTER)
    edited = chat(
        scaling={"minReplicas": 2},
        traffic={"requestsPerSecond": 0.5},
        engine={"env": [{"name": "SETTING", "value": "new"}]},
    )
    made.apply(edited)
    minute_by_minute(made, 25)

    assert [(L40S, 2)] == runs_on(made)
    assert "SETTING" in str(deployments(made)[0]["spec"])


def test_hold_and_rollback_by_annotation_are_honoured_before_all_else():
    made = serving(hardware=ON_L40S)
    annotate(made, hold_until="2026-11-23T08:45:00Z")
    made.apply(chat(hardware=ON_H100))
    minute_by_minute(made, 5)
    assert [(L40S, 1)] == runs_on(made)
    assert ("True", "HoldUntil") == conditions(made)["RolloutBlocked"]

    made.run(28 * MINUTE, step=2 * MINUTE)
    assert [(L40S, 1), (H100, 1)] == runs_on(made)
    annotate(made, hold_until=None, rollback="now")
    minute_by_minute(made, 3)
    assert [(L40S, 1)] == runs_on(made)


@pytest.mark.parametrize(("policy", "survive"), [("Delete", False), ("Orphan", True)])
def test_a_deleted_policy_takes_its_children_along_or_leaves_them_serving(policy: str, survive: bool):
    made = serving(deletionPolicy=policy)
    before = [item["metadata"]["name"] for item in children(made)]
    made.delete_policy(*KEY)
    left = [item["metadata"]["name"] for item in children(made)]

    assert left == (before if survive else [])
    assert survive == bool(list(made.store.kind(POD.api_version, POD.kind)))
    assert [] == list(made.store.kind(COST_POLICY.api_version, COST_POLICY.kind))


def test_a_policy_that_becomes_an_orphanage_lets_go_of_its_children_at_once():
    made = serving()
    assert all("ownerReferences" in item["metadata"] for item in children(made))
    made.apply(chat(deletionPolicy="Orphan"))
    made.run(2 * MINUTE)

    assert not any("ownerReferences" in item["metadata"] for item in children(made))
    assert 1 == len(deployments(made))
    assert Money.parse("1.86") == made.timeline[-1].cost_per_hour
