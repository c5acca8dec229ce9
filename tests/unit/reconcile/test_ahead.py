"""Replicas for a rise that days before had.

Covered: earlier than the load asks, never fewer, bounds, budget and stock, how long replicas take as far as pods show it,
autoscalers that are left alone, what status and events say.
Not covered: which rises are expected (tests/unit/observe/test_ahead.py); a week of them (the scenario daily-rise).
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import node, policy
from costpolicy.observe.ahead import HORIZONS
from staging import Stage

QUARTER, HALF, HOUR = HORIZONS
SOME = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}
L40S = {"accelerators": ["nvidia-l40s"]}


def stage(measured, rate: float = 2.0, nodes: int = 16, **spec) -> Stage:
    """A policy that has settled on L40S at a rate."""
    found = Stage(
        policy(traffic=SOME, hardware=L40S, **spec),
        observed=measured(rate),
        nodes=(node("l40s", "nvidia-l40s", nodes), node("h100")),
    )
    found.settle()
    return found


def expecting(stage: Stage, **rises: float) -> Stage:
    """The same when days before had rises, by horizon."""
    horizons = {"quarter": QUARTER, "half": HALF, "hour": HOUR}
    stage.observed = replace(stage.observed, rises={horizons[name]: rise for name, rise in rises.items()})
    return stage


def replicas(stage: Stage) -> int:
    (only,) = stage.deployments()
    return only["spec"]["replicas"]


def after(stage: Stage, minutes: int) -> int:
    for _ in range(minutes):
        stage.step()
        stage.all_ready()
    return replicas(stage)


def test_replicas_for_a_rise_are_there_before_it_comes(measured):
    calm, risen, ready = stage(measured), stage(measured), expecting(stage(measured), quarter=30.0)
    risen.observed = measured(32.0)

    assert 1 == after(calm, 3)
    assert after(risen, 3) == after(ready, 3)
    assert replicas(ready) > 4


def test_a_rise_says_nothing_once_it_is_over(measured):
    coming = expecting(stage(measured), quarter=30.0)
    assert after(coming, 3) > 4

    assert 1 == after(expecting(coming), 30)


def test_nothing_is_taken_away_because_of_days_before(measured):
    busy = stage(measured, 32.0)
    before = replicas(busy)

    assert before == after(expecting(busy, quarter=0.5), 30)


def test_it_grows_no_further_than_the_policys_bounds(measured):
    assert 3 == after(expecting(stage(measured, scaling={"maxReplicas": 3}), quarter=300.0), 5)


def test_it_grows_no_further_than_the_budget(measured):
    assert 2 == after(expecting(stage(measured, budget={"hourly": "4.00"}), quarter=300.0), 5)


def test_without_a_measured_load_nothing_is_added_to_it(measured):
    blind = expecting(stage(measured), quarter=30.0)
    blind.observed = replace(blind.observed, variants=())

    assert 1 == after(blind, 5)


@pytest.mark.parametrize(("took", "rises", "grows"), [(5, "quarter", True), (20, "quarter", False), (20, "half", True)])
def test_it_looks_as_far_ahead_as_the_youngest_replica_took_to_start(measured, monkeypatch, took, rises, grows):
    coming = stage(measured)
    pods = coming.pods

    def started():
        return tuple(
            replace(pod, ready_since=coming.now, started=coming.now - timedelta(minutes=took)) for pod in pods()
        )

    monkeypatch.setattr(coming, "pods", started)

    assert grows == (after(expecting(coming, **{rises: 30.0}), 3) > 1)


def test_status_and_an_event_say_for_what_replicas_were_added(measured):
    coming = expecting(stage(measured), quarter=30.0)
    news = [each.note for each in coming.step().news]

    ahead = coming.status().ahead
    assert ahead is not None
    assert (32.0, 15) == (ahead.requests_per_second, ahead.within_minutes)
    assert replicas(coming) == ahead.replicas
    assert [
        f"1 -> {ahead.replicas} replicas for 32 requests/s, to which it rose within 15 minutes on days before"
    ] == news


def test_a_gentle_rise_is_followed_and_not_waited_for(measured):
    busy = stage(measured, 32.0)
    before = replicas(busy)

    assert before == after(expecting(busy, quarter=3.1), 3)
    assert before < after(expecting(busy, quarter=3.3), 3)


def test_a_rise_that_needs_no_more_replicas_is_not_spoken_of(measured):
    coming = expecting(stage(measured), quarter=0.1)
    coming.step()

    assert coming.status().ahead is None
