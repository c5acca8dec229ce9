"""The simulated world, with the real reconciler in it.

Covered: a policy is planned, scheduled, loads and serves; load, prices, outages and interruptions have their
effects; an operator that starts anew changes nothing. Not covered: stories about decisions (tests/scenarios).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from builders import configuration, policy_document, price_book_document
from costpolicy.api.reasons import Reason
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.models import models
from costpolicy.observe.fleet import ObserveSettings, observe_fleet
from costpolicy.simulation.engine import profile
from costpolicy.simulation.traffic import Constant, Steps, Traffic
from costpolicy.simulation.world import World

START = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STEP = 2 * MINUTE  # samples older than three minutes are not acted on
KEY = ("default", "chat")


@pytest.fixture
def world():
    world = World(START)
    world.cluster.add_node("gpu-1", "nvidia-h100-80gb", 8)
    world.apply(price_book_document())
    world.apply(policy_document(traffic={"requestsPerSecond": 2}))
    world.traffic[KEY] = Traffic(curve=Constant(2.0))
    return world


def conditions(world):
    return {each["type"]: (each["status"], each["reason"]) for each in world.status(*KEY)["conditions"]}


def test_a_policy_is_planned_scheduled_loaded_and_serves(world):
    world.run(2 * MINUTE)

    assert 0 == world.timeline[-1].ready

    world.run(30 * MINUTE)

    assert "nvidia-h100-80gb" == world.timeline[-1].configuration.accelerator
    assert 1 == world.timeline[-1].ready
    assert 0.5 > world.timeline[-1].ttft_p95
    assert ("True", "Serving") == conditions(world)["Ready"]


def test_replicas_follow_the_load_both_ways(world):
    capacity = profile(
        models().resolve("meta-llama/Llama-3.1-8B-Instruct"), accelerators()["nvidia-h100-80gb"], configuration()
    ).capacity(world.traffic[KEY])
    changes = ((START, 2.0), (START + 30 * MINUTE, 3 * capacity), (START + 90 * MINUTE, 2.0))
    world.traffic[KEY] = replace(world.traffic[KEY], curve=Steps(changes))

    world.run(3 * HOUR, STEP)

    most = max(moment.replicas for moment in world.timeline)
    assert 1 < most
    assert most > world.timeline[-1].replicas


def test_nothing_is_written_while_nothing_changes(world):
    world.run(HOUR, STEP)
    before = world.store.writes

    world.run(HOUR, STEP)

    assert before == world.store.writes


def test_an_operator_that_starts_anew_changes_nothing(world):
    world.run(HOUR, STEP)
    before, hash_ = world.store.writes, world.timeline[-1].variant

    world.restart_operator()
    world.run(HOUR, STEP)

    assert (before, hash_) == (world.store.writes, world.timeline[-1].variant)


def test_an_outage_of_metrics_is_reported_and_takes_nothing_away(world):
    world.run(HOUR, STEP)
    replicas = world.timeline[-1].replicas

    world.metrics.outage = Reason.PROMETHEUS_UNREACHABLE
    world.run(HOUR, STEP)

    assert replicas == world.timeline[-1].replicas
    assert ("False", "PrometheusUnreachable") == conditions(world)["MetricsAvailable"]


def test_an_interrupted_node_takes_its_pods_and_another_brings_them_back(world):
    world.run(HOUR, STEP)
    world.cluster.remove_node("gpu-1")
    world.run(5 * MINUTE)
    assert 0 == world.timeline[-1].ready

    world.cluster.add_node("gpu-2", "nvidia-h100-80gb", 8)
    world.run(HOUR, STEP)

    assert 1 == world.timeline[-1].ready


def test_a_deleted_policy_takes_everything_with_it(world):
    world.run(HOUR, STEP)
    world.delete_policy(*KEY)
    world.run(5 * MINUTE)

    assert [] == [*world.store.kind("apps/v1", "Deployment"), *world.store.kind("v1", "Pod")]


def test_the_bill_is_price_times_accelerators_times_time(world):
    world.run(2 * HOUR, STEP)

    assert "5.00" == world.bill(STEP).text(2)


def test_latencies_are_read_from_histograms_and_judged(world):
    world.run(20 * MINUTE, STEP)
    observed = observe_fleet(world.metrics, world.clock.now(), ObserveSettings()).of(*KEY)
    last = world.timeline[-1]

    assert last.ttft_p95 == pytest.approx(observed.ttft_p95, rel=0.01)
    assert last.inter_token_p95 == pytest.approx(observed.inter_token_p95, rel=0.01)
    assert ("True", "ObjectivesKept") == conditions(world)["ObjectivesMet"]
