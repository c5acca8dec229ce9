"""The simulated world, with the real reconciler in it.

Covered: a policy is planned, scheduled, loads and serves; load, prices, outages and interruptions have their effects;
an operator that starts anew changes nothing.
Not covered: stories about decisions (tests/scenarios).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import configuration, policy_document, price_book_document

from costpolicy.api.reasons import Reason
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.models import models
from costpolicy.simulation.engine import profile
from costpolicy.simulation.traffic import Constant, Daily, Steps, Traffic
from costpolicy.simulation.world import World

START = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
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
    changes = ((START, 2.0), (START + HOUR, 3 * capacity), (START + 4 * HOUR, 2.0))
    world.traffic[KEY] = replace(world.traffic[KEY], curve=Steps(changes))

    world.run(8 * HOUR)

    most = max(moment.replicas for moment in world.timeline)
    assert 1 < most
    assert most > world.timeline[-1].replicas


def test_nothing_is_written_while_nothing_changes(world):
    world.run(HOUR)
    before = world.store.writes

    world.run(HOUR)

    assert before == world.store.writes


def test_an_operator_that_starts_anew_changes_nothing(world):
    world.run(HOUR)
    before, hash_ = world.store.writes, world.timeline[-1].variant

    world.restart_operator()
    world.run(HOUR)

    assert (before, hash_) == (world.store.writes, world.timeline[-1].variant)


def test_an_outage_of_metrics_is_reported_and_takes_nothing_away(world):
    world.run(HOUR)
    replicas = world.timeline[-1].replicas

    world.metrics.outage = Reason.PROMETHEUS_UNREACHABLE
    world.run(HOUR)

    assert replicas == world.timeline[-1].replicas
    assert ("False", "PrometheusUnreachable") == conditions(world)["MetricsAvailable"]


def test_an_interrupted_node_takes_its_pods_and_another_brings_them_back(world):
    world.run(HOUR)
    world.cluster.remove_node("gpu-1")
    world.run(5 * MINUTE)
    assert 0 == world.timeline[-1].ready

    world.cluster.add_node("gpu-2", "nvidia-h100-80gb", 8)
    world.run(HOUR)

    assert 1 == world.timeline[-1].ready


def test_a_deleted_policy_takes_everything_with_it(world):
    world.run(HOUR)
    world.delete_policy(*KEY)
    world.run(5 * MINUTE)

    assert [] == [*world.store.kind("apps/v1", "Deployment"), *world.store.kind("v1", "Pod")]


def test_the_bill_is_price_times_accelerators_times_time(world):
    world.run(2 * HOUR)

    assert "5.00" == world.bill().text(2)


def test_an_engine_beyond_its_capacity_grows_a_queue():
    traffic = Traffic(curve=Constant(0.0))
    engine = profile(
        models().resolve("meta-llama/Llama-3.1-8B-Instruct"), accelerators()["nvidia-h100-80gb"], configuration()
    )
    capacity = engine.capacity(traffic)

    calm, busy = (engine.reading(traffic, share * capacity, 0.0) for share in (0.1, 0.9))
    late = engine.reading(traffic, 2 * capacity, backlog=10 * capacity)

    assert calm.inter_token_p95 < busy.inter_token_p95
    assert busy.ttft_p95 < late.ttft_p95
    assert capacity == late.served


def test_a_daily_curve_peaks_at_its_hour():
    curve = Daily(trough=1.0, peak=9.0, peak_hour=14.0)

    assert [1.0, 5.0, 9.0] == pytest.approx([curve.rate(START + hour * HOUR) for hour in (2, 8, 14)])
