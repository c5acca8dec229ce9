"""What saturated engines served, in a decision.

Covered: less than predicted, more, too little seen, other kernels, hours that are not calm any more, status.
Not covered: recording and reading (tests/contract/observe), a week of it (the scenario slow-engines).
"""

from dataclasses import replace

import pytest

from builders import offering, policy
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.saturation import Saturation
from costpolicy.observe.window import LoadWindow
from costpolicy.perf.load import Replica, reduced
from costpolicy.perf.shape import EngineShape
from costpolicy.planning.basis import workload_of
from costpolicy.planning.demand import Demand
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.sizing import supply_of
from costpolicy.reconcile.calibration import comparisons
from costpolicy.reconcile.inputs import Inputs
from costpolicy.reconcile.outlook import Outlook, look_ahead
from costpolicy.reconcile.saturation import ENOUGH, reached_saturation
from staging import START, Stage

BUSY = {"requestsPerSecond": 8, "promptTokens": 1000, "outputTokens": 250}
DEMAND = Demand(requests_per_second=4.0, prompt_tokens=1000.0, output_tokens=250.0, source="Observed")


def staged() -> Stage:
    """A policy that serves on L40S, without an objective that would bind before throughput does."""
    spec = {"objectives": {"ttft": {"p95": "20s"}}, "traffic": BUSY, "scaling": {"maxReplicas": 40}}
    stage = Stage(policy(**spec), offerings=(offering("nvidia-l40s", "1.86"),))
    stage.settle()
    return stage


def outlook_of(stage: Stage) -> Outlook:
    snapshot = stage.snapshot()
    assert isinstance(snapshot.inputs, Inputs)
    return look_ahead(snapshot, snapshot.inputs, stage.now)


def engine(stage: Stage) -> tuple[str, EngineShape, float]:
    """Kernels and shape of what runs, and the rate at which it is predicted to be saturated."""
    request = outlook_of(stage).request
    assert request.running is not None
    supply = supply_of(request, request.running)
    assert supply is not None
    shape = Evaluation(request).replica(request.running, supply.offering.accelerator).shape
    replica = reduced(shape, workload_of(DEMAND))
    assert isinstance(replica, Replica)
    return request.running.kernels, shape, replica.saturation.rate


def saturation(rate: float, minutes: float = 30.0) -> Saturation:
    return Saturation(
        minutes=minutes, requests_per_second=rate, prompt_tokens=1000.0, output_tokens=250.0, cached_tokens=0.0
    )


def saw(stage: Stage, observed: PolicyObservation, share: float, minutes: float = 30.0) -> float:
    """Return the capacity of a replica once engines served that share of what is predicted."""
    kernels, _, rate = engine(stage)
    stage.observed = replace(observed, saturations={kernels: saturation(share * rate, minutes)})
    outlook = outlook_of(stage)
    assert outlook.request.running is not None
    return outlook.capacity(outlook.request.running)


def test_no_replica_is_planned_for_more_than_saturated_ones_served(measured):
    stage = staged()
    unknown = saw(stage, measured(4.0), 0.5, minutes=0.0)
    known = saw(stage, measured(4.0), 0.5)

    assert 0.5 == pytest.approx(known / unknown, rel=0.02)
    assert 0.5 == stage_status(stage)


def stage_status(stage: Stage) -> float | None:
    stage.step()
    found = stage.status().calibration
    return found.saturation_factor if found else None


def test_that_more_was_served_than_predicted_promises_nothing(measured):
    stage = staged()

    assert saw(stage, measured(4.0), 1.5) == saw(stage, measured(4.0), 1.5, minutes=0.0)


def test_a_few_minutes_say_nothing():
    kernels, shape, rate = engine(staged())
    seen = {kernels: saturation(0.5 * rate, minutes=ENOUGH - 1)}

    assert reached_saturation(shape, kernels, seen) is None
    assert 0.5 == reached_saturation(shape, kernels, {kernels: saturation(0.5 * rate, minutes=ENOUGH)})
    assert reached_saturation(shape, "others", seen) is None


def test_variants_with_other_settings_are_not_counted_on_for_more(measured):
    stage = staged()
    saw(stage, measured(4.0), 0.5)
    outlook = outlook_of(stage)
    running = outlook.request.running
    assert running is not None
    supply = supply_of(outlook.request, running)
    assert supply is not None
    smaller = replace(running, max_num_batched_tokens=4096)
    replica = outlook.planned.evaluation.replica(smaller, supply.offering.accelerator)

    assert 0.5 == replica.calibration.saturation


def test_hours_near_where_engines_were_saturated_teach_nothing_about_latency():
    _, shape, rate = engine(staged())
    hour = LoadWindow(
        until=START,
        requests=0.6 * rate * 3600,
        requests_per_second=0.6 * rate,
        prompt_tokens=1000.0,
        output_tokens=250.0,
        cached_tokens=0.0,
        ttft=30.0,
        inter_token=0.1,
    )

    assert 1 == len(list(comparisons(shape, [hour])))
    assert [] == list(comparisons(shape, [hour], 0.6))
