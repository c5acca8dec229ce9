"""Simulated engines, arrivals and scheduling.

Covered: capacity, queues and latency move the right way, curves, which node a pod gets, and who makes room for it.
Not covered: agreement with real engines; the model only has to differ from the planner's.
"""

from datetime import UTC, datetime, timedelta

import pytest

from builders import configuration, node, variant_inputs
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.models import models
from costpolicy.kube.gateway import Pod
from costpolicy.manifests.variant import render_variant
from costpolicy.simulation.engine import profile
from costpolicy.simulation.scheduling import place, victims
from costpolicy.simulation.traffic import Constant, Daily, Steps, Traffic

START, HOUR = datetime(2026, 11, 23, tzinfo=UTC), timedelta(hours=1)
GPU = "nvidia.com/gpu"


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


def test_steps_hold_until_the_next_one():
    curve = Steps(((START + HOUR, 2.0), (START + 3 * HOUR, 5.0)))

    assert [0.0, 2.0, 2.0, 5.0] == [curve.rate(START + hour * HOUR) for hour in range(4)]


def held(name: str, on: str, accelerators: int, priority: int = 0) -> Pod:
    """A ready pod that holds accelerators of a node."""
    return Pod(
        name=name,
        namespace="default",
        labels={},
        node=on,
        phase="Running",
        ready=True,
        terminating=False,
        restarts=0,
        requests={GPU: accelerators},
        priority=priority,
    )


def test_a_pod_gets_the_fullest_node_that_fits_and_that_it_may_use():
    pod = render_variant(variant_inputs()).deployment["spec"]["template"]
    busy = held("other", "half", 4)
    nodes = [node("empty"), node("half"), node("small", count=1), node("l4", accelerator="nvidia-l4")]

    assert "small" == place(pod, {GPU: 1}, nodes, [busy])
    assert "half" == place(pod, {GPU: 2}, nodes, [busy])
    assert "empty" == place(pod, {GPU: 8}, nodes, [busy])
    assert place(pod, {GPU: 9}, nodes, [busy]) is None


def test_the_fewest_pods_of_lower_priority_make_room():
    pod = render_variant(variant_inputs()).deployment["spec"]["template"]
    important = {"spec": pod["spec"] | {"priority": 100}}
    nodes = [node("one"), node("two")]
    pods = [held("a", "one", 4, 10), held("b", "one", 4, 10), held("c", "two", 7, 10), held("d", "two", 1, 200)]

    assert ["a"] == [other.name for other in victims(important, {GPU: 4}, nodes, pods)]
    assert ["c"] == [other.name for other in victims(important, {GPU: 7}, nodes, pods)]
    assert ["a", "b"] == [other.name for other in victims(important, {GPU: 8}, nodes, pods)]
    assert [] == victims(pod, {GPU: 4}, nodes, pods)
