"""What an autoscaler is told one replica shall carry: as much as the plan counts on, so that both ask for the same replicas.

Covered: targets of plans.  Not covered: their notation (tests/unit/manifests/test_autoscaler.py).
"""

import math
from typing import Any

import pytest

from builders import policy
from costpolicy.catalog.accelerators import accelerators
from costpolicy.perf.latency import Latency
from costpolicy.planning.autoscaling import TOLERANCE, LoadSignal, load_targets
from costpolicy.planning.replica import Replica
from costpolicy.reconcile.outlook import look_ahead
from staging import Stage


def planned(**spec: Any) -> tuple[Replica, int, float]:
    """The replica of a plan, how many the plan has, and the rate that it is for."""
    stage = Stage(policy(**spec))
    snapshot = stage.snapshot()
    outlook = look_ahead(snapshot, snapshot.inputs, stage.now)  # type: ignore[arg-type]
    target = outlook.plan.target
    assert target is not None
    accelerator = accelerators()[target.configuration.accelerator]
    replica = outlook.planned.evaluation.replica(target.configuration, accelerator)
    return replica, target.replicas, outlook.plan.demand.requests_per_second


@pytest.mark.parametrize("rate", [3, 12, 30])
def test_at_the_planned_load_an_autoscaler_asks_for_the_plans_replicas(rate: int):
    replica, replicas, demand = planned(traffic={"requestsPerSecond": rate, "promptTokens": 1000, "outputTokens": 250})
    shown = replica.at_rate(demand / replicas)
    assert isinstance(shown, Latency)
    asked = math.ceil(shown.running * replicas / load_targets(replica)[LoadSignal.RUNNING])

    assert replicas <= asked <= replicas + 1


@pytest.mark.parametrize(
    "objectives", [{"ttft": {"p95": "500ms"}}, {"ttft": None, "interTokenLatency": {"p95": "40ms"}}]
)
def test_no_target_is_zero_and_a_full_cache_is_never_one(objectives: dict[str, Any]):
    targets = load_targets(planned(objectives=objectives)[0])

    assert min(targets.values()) > 0
    assert targets[LoadSignal.KV_CACHE] <= 0.95 * TOLERANCE
    assert targets[LoadSignal.WAITING] >= TOLERANCE


def test_a_longer_promise_lets_more_requests_wait():
    hurried = load_targets(planned(objectives={"ttft": {"p95": "500ms"}})[0])
    patient = load_targets(planned(objectives={"ttft": {"p95": "20s"}})[0])

    assert patient[LoadSignal.WAITING] > hurried[LoadSignal.WAITING]
