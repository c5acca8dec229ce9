"""Replicas follow the load, the bill follows the replicas, and nothing is taken away on doubt.

Covered: a five-fold rise and fall, a day of traffic, bounds, a scheduled night, Prometheus gone, an engine's own trouble.
Not covered: changes of configuration (test_changes.py); how latency is measured (tests/contract/observe).
"""

from datetime import datetime, timedelta

import pytest

from costpolicy.api.reasons import Reason
from costpolicy.simulation.traffic import Constant, Daily, Steps, Traffic
from costpolicy.units import Money
from stories import HOUR, KEY, L40S, MINUTE, QUARTER, START, changes, conditions, reasons, runs_on, serving, totals

ONLY_L40S = {"accelerators": [L40S]}
PRICE = Money.parse("1.86")


def cost_of(world, at: datetime) -> Money:
    return next(moment.cost_per_hour for moment in reversed(world.timeline) if moment.at <= at)


def test_load_rises_five_fold_and_falls_and_replicas_and_cost_follow():
    rise, fall = START + 30 * MINUTE, START + 70 * MINUTE
    world = serving(Steps(((START, 2.0), (rise, 10.0), (fall, 2.0))), hardware=ONLY_L40S)
    world.run(START + 110 * MINUTE - world.clock.now())

    before, peak, after = (totals(world)[at] for at in (rise - MINUTE, fall - MINUTE, START + 109 * MINUTE))
    assert before == after < peak
    assert [PRICE * before, PRICE * peak, PRICE * after] == [
        cost_of(world, at) for at in (rise - MINUTE, fall - MINUTE, START + 109 * MINUTE)
    ]
    assert reasons(world).count("Scaled") >= 2
    assert "RolloutStarted" not in reasons(world)


def test_more_is_asked_for_within_minutes_and_less_only_after_the_stabilization():
    rise, fall = START + 30 * MINUTE, START + 60 * MINUTE
    world = serving(Steps(((START, 2.0), (rise, 10.0), (fall, 2.0))), hardware=ONLY_L40S)
    world.run(START + 80 * MINUTE - world.clock.now())
    replicas = totals(world)

    assert replicas[rise + 6 * MINUTE] >= replicas[fall - MINUTE]  # more while a queue is worked off
    assert replicas[fall + 4 * MINUTE] >= replicas[fall - MINUTE]  # chance may ask for one more
    assert replicas[fall + 15 * MINUTE] == replicas[rise - MINUTE]


def test_the_queue_of_the_first_minutes_is_worked_off_and_over_the_day_none_grows_again():
    """Ten times the expected load arrives while the first model still loads; then the load goes up and down."""
    world = serving(Daily(trough=2.0, peak=20.0, peak_hour=14.0), hardware=ONLY_L40S)
    world.run(8 * HOUR, step=10 * MINUTE)

    late = [moment.at for moment in world.timeline if moment.ttft_p95 is not None and moment.ttft_p95 > 1.0]
    assert late
    assert START + QUARTER > max(late)


def test_replicas_stay_inside_the_bounds_of_the_policy():
    world = serving(Constant(16.0), hardware=ONLY_L40S, scaling={"minReplicas": 2, "maxReplicas": 3})
    world.run(QUARTER)
    most = max(totals(world).values())
    world.traffic[KEY] = Traffic(curve=Constant(0.1))
    world.run(25 * MINUTE)

    assert 3 == most
    assert [(L40S, 2)] == runs_on(world)


def test_the_night_goes_to_zero_and_the_morning_comes_back_before_anybody_asks():
    nights = [
        {"schedule": "0 8 * * *", "minReplicas": 2, "timeZone": "UTC"},
        {"schedule": "0 20 * * *", "minReplicas": 0, "maxReplicas": 0, "timeZone": "UTC"},
    ]
    world = serving(scaling={"schedules": nights})
    world.run(timedelta(hours=26), step=10 * MINUTE)

    by_hour = {at.replace(minute=0): count for at, count in totals(world).items()}
    night = [by_hour[START + hour * HOUR] for hour in range(13, 24)]
    assert [0] * 11 == night
    assert 2 == by_hour[START + 25 * HOUR]
    assert ("True", "Serving") == conditions(world)["Ready"]
    assert [2, 0, 2] == changes(totals(world).values())[-3:]
    assert world.bill(10 * MINUTE) < PRICE * (2 * 27)


def test_a_night_at_zero_is_ready_and_settled():
    nights = [
        {"schedule": "0 7 * * *", "minReplicas": 1},
        {"schedule": "0 9 * * *", "minReplicas": 0, "maxReplicas": 0},
    ]
    world = serving(scaling={"schedules": nights})
    world.run(90 * MINUTE, step=2 * MINUTE)
    before = world.store.writes
    world.run(30 * MINUTE, step=2 * MINUTE)

    assert ("True", "ScheduledToZero") == conditions(world)["Ready"]
    assert "False" == conditions(world)["Reconciling"][0]
    assert before == world.store.writes


@pytest.mark.parametrize(
    "reason",
    [
        Reason.PROMETHEUS_UNREACHABLE,
        Reason.PROMETHEUS_REFUSED,
        Reason.PROMETHEUS_TIMEOUT,
        Reason.BAD_RESPONSE,
    ],
)
def test_prometheus_gone_for_an_hour_shrinks_nothing_and_is_told_once(reason: Reason):
    world = serving(Constant(12.0), hardware=ONLY_L40S)
    world.run(QUARTER)
    before = runs_on(world)
    world.metrics.outage = reason
    world.traffic[KEY] = Traffic(curve=Constant(0.5))
    world.run(HOUR, step=2 * MINUTE)

    assert before == runs_on(world)
    assert ("False", reason.value) == conditions(world)["MetricsAvailable"]
    assert ("True", "Serving") == conditions(world)["Ready"]
    assert 1 == reasons(world).count(reason.value)

    world.metrics.outage = None
    world.run(20 * MINUTE)
    assert ("True", "MetricsFound") == conditions(world)["MetricsAvailable"]
    assert before > runs_on(world)


def test_an_interrupted_node_is_reported_and_its_replicas_come_back():
    world = serving(Constant(3.0), hardware=ONLY_L40S)
    world.cluster.remove_node("l40s")
    world.run(5 * MINUTE)
    assert ("False", "Unschedulable") == conditions(world)["Ready"]
    assert "False" == conditions(world)["Reconciling"][0]

    world.cluster.add_node("l40s-again", L40S, 8)
    world.run(10 * MINUTE)
    assert ("True", "Serving") == conditions(world)["Ready"]
