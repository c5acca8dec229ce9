"""Recorded hours in a decision: corrections, margins, replicas, status.

Covered: comparison at the same load, what is left out, the KV cache, status to two decimals, growth that the calibrated
prediction has no answer to.
Not covered: recording and reading (tests/contract/observe), the statistics (tests/unit/perf/test_calibration.py), days in a
cluster (tests/scenarios/test_calibration.py).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import node, offering, policy
from costpolicy.api.status import CalibrationStatus
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.window import LoadWindow
from costpolicy.perf.latency import Latency
from costpolicy.perf.open_loop import capacity, open_loop
from costpolicy.perf.shape import EngineShape
from costpolicy.planning.basis import workload_of
from costpolicy.planning.demand import Demand
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.plan import Rejection
from costpolicy.planning.sizing import supply_of
from costpolicy.reconcile.calibration import comparisons
from costpolicy.reconcile.inputs import Inputs
from costpolicy.reconcile.outlook import look_ahead
from staging import START, Stage

Measured = Callable[[float], PolicyObservation]
L40S = (offering("nvidia-l40s", "1.86"),)
TECHNIQUES = {name: {"mode": "Disabled"} for name in ("quantization", "kvCacheQuantization", "batching")}
BUSY = {"requestsPerSecond": 8, "promptTokens": 1000, "outputTokens": 250}


def staged(ttft: str = "500ms", techniques: dict[str, Any] = TECHNIQUES) -> Stage:
    """A policy that serves on L40S."""
    spec = {
        "objectives": {"ttft": {"p95": ttft}},
        "traffic": BUSY,
        "techniques": techniques,
        "scaling": {"maxReplicas": 40},
    }
    stage = Stage(policy(**spec), offerings=L40S)
    stage.settle()
    return stage


def shape_of(stage: Stage) -> EngineShape:
    snapshot = stage.snapshot()
    assert isinstance(snapshot.inputs, Inputs)
    request = look_ahead(snapshot, snapshot.inputs, stage.now).request
    assert request.running is not None
    supply = supply_of(request, request.running)
    assert supply is not None
    return Evaluation(request).replica(request.running, supply.offering.accelerator).shape


def hours(shape: EngineShape, factor: float, *, rate: float = 2.0, count: int = 30) -> tuple[LoadWindow, ...]:
    """Hours in which both latencies are the predicted ones times a factor."""
    demand = Demand(requests_per_second=rate, prompt_tokens=900.0, output_tokens=200.0, source="Observed")
    predicted = open_loop(shape, workload_of(demand), rate)
    assert isinstance(predicted, Latency)
    return tuple(
        LoadWindow(
            until=START - (count - index) * timedelta(hours=5),
            requests=rate * 3600,
            requests_per_second=rate,
            prompt_tokens=900.0,
            output_tokens=200.0,
            cached_tokens=0.0,
            ttft=predicted.ttft.mean * factor,
            inter_token=predicted.inter_token.mean * factor,
        )
        for index in range(count)
    )


def seen(stage: Stage, measured: Measured, rate: float, factor: float, **fields: float) -> Stage:
    """The stage with a rate of requests now, and recorded hours of what runs."""
    return asked(stage, measured, rate, hours(shape_of(stage), factor), **fields)


def asked(stage: Stage, measured: Measured, rate: float, recorded: tuple[LoadWindow, ...], **fields: float) -> Stage:
    variant = stage.serving()
    assert variant is not None
    observed = measured(rate)
    here = replace(observed.variants[0], variant=variant, last_sample=stage.now, **fields)
    stage.observed = replace(observed, variants=(here,), windows={variant: recorded})
    return stage


def calibration(stage: Stage) -> CalibrationStatus:
    found = stage.status().calibration
    assert found is not None
    return found


def test_an_hour_is_compared_with_the_prediction_for_its_own_load():
    shape = shape_of(staged())
    quiet, busy = (hours(shape, 1.25, rate=rate, count=1) for rate in (0.5, 4.0))

    for (found,) in (tuple(comparisons(shape, quiet)), tuple(comparisons(shape, busy))):
        assert 1.25 == pytest.approx(found.ttft)
        assert 1.25 == pytest.approx(found.inter_token)


def test_hours_beyond_what_a_plan_would_ask_of_a_replica_are_left_out():
    shape = shape_of(staged())
    (hour,) = hours(shape, 1.0, count=1)
    demand = Demand(requests_per_second=1.0, prompt_tokens=900.0, output_tokens=200.0, source="Observed")
    most = capacity(shape, workload_of(demand), None, None).requests_per_second

    assert 1 == len(list(comparisons(shape, [replace(hour, requests_per_second=0.95 * most)])))
    assert [] == list(comparisons(shape, [replace(hour, requests_per_second=1.05 * most)]))


@pytest.mark.parametrize(("factor", "more"), [(1.4, True), (1.0, False)])
def test_replicas_follow_what_was_measured(measured: Measured, factor: float, more: bool):
    rate = 24.0
    unknown, known = staged(), staged()
    variant = unknown.serving()
    unknown.observed = replace(
        measured(rate), variants=(replace(measured(rate).variants[0], variant=variant, last_sample=unknown.now),)
    )
    seen(known, measured, rate, factor)
    replicas = []
    for stage in (unknown, known):
        for _ in range(8):
            stage.all_ready()
            stage.observed = replace(
                stage.observed, variants=tuple(replace(one, last_sample=stage.now) for one in stage.observed.variants)
            )
            stage.step()
        replicas.append(stage.deployments()[0]["spec"]["replicas"])

    assert (replicas[1] > replicas[0]) is more
    assert (replicas[1] <= replicas[0]) is not more


def test_status_says_what_was_found_and_stays_still(measured: Measured):
    stage = seen(staged(), measured, 4.0, 1.2)
    first = stage.step(0).status
    second = stage.step(0).status

    found = calibration(stage)
    assert (30, 1.2, 1.2) == (found.windows, found.ttft_factor, pytest.approx(found.inter_token_factor, abs=0.02))
    assert 0.9 < found.confidence <= 1.0
    assert found.ttft_factor < found.ttft_margin < 1.35
    assert found.kv_cache_factor is None
    assert first == second


def test_steps_of_several_tokens_teach_nothing_about_inter_token_latency(measured: Measured):
    """vLLM takes one sample a step, so that what is observed is slower than what is predicted of a token."""
    speculation = {"speculativeDecoding": {"mode": "Enabled", "method": "eagle", "model": "example/head"}}
    stage = staged(techniques={**TECHNIQUES, **speculation})
    before = seen(stage, measured, 4.0, 1.5).step(0)
    found = calibration(stage)

    assert before is not None
    assert (30, 1.5) == (found.windows, pytest.approx(found.ttft_factor, abs=0.02))
    assert (1.0, 0.0) == (pytest.approx(found.inter_token_factor, abs=0.05), found.confidence)


def test_without_hours_of_what_runs_there_is_no_calibration(measured: Measured):
    stage = staged()
    stage.observed = replace(measured(4.0), windows={"ffffffffff": hours(shape_of(stage), 2.0)})
    stage.step()

    assert stage.status().calibration is None


def test_the_kv_cache_that_the_engine_reports_is_taken_at_its_word(measured: Measured):
    stage = seen(staged(), measured, 4.0, 1.0)
    stage.step(0)
    target = stage.status().target
    assert target is not None
    assert target.predicted is not None
    before = target.predicted.kv_cache_tokens
    seen(stage, measured, 4.0, 1.0, kv_cache_size_tokens=before * 0.9)
    stage.step(0)

    assert 0.9 == calibration(stage).kv_cache_factor
    target = stage.status().target
    assert target is not None
    assert target.predicted is not None
    assert before * 0.9 == pytest.approx(target.predicted.kv_cache_tokens, rel=0.001)


def test_the_kv_cache_of_data_parallel_ranks_is_reported_by_each(measured: Measured):
    spec = {
        "model": {
            "name": "m",
            "source": {"huggingFace": {"repository": "deepseek-ai/DeepSeek-V3"}},
            "contextLength": 8192,
        },
        "objectives": {"ttft": {"p95": "4s"}},
        "traffic": {"requestsPerSecond": 40, "promptTokens": 1000, "outputTokens": 500},
        "scaling": {"maxReplicas": 40},
    }
    nodes = tuple(node(f"h200-{number}", "nvidia-h200", 8) for number in range(4))
    stage = Stage(policy(**spec), offerings=(offering("nvidia-h200", "5.50"),), nodes=nodes)
    stage.settle()
    target, current = stage.status().target, stage.status().current
    assert target is not None
    assert target.predicted is not None
    assert current is not None
    seen(stage, measured, 4.0, 1.0, kv_cache_size_tokens=target.predicted.kv_cache_tokens / 8 * 0.9)
    stage.step(0)

    assert 8 == target.data_parallel_size == current.data_parallel_size == target.accelerators_per_replica
    assert 0.9 == calibration(stage).kv_cache_factor


def test_where_the_calibrated_prediction_has_no_answer_replicas_still_follow_the_load(measured: Measured):
    stage = staged("300ms")
    before = stage.deployments()[0]["spec"]["replicas"]
    recorded = hours(shape_of(stage), 3.0)
    for _ in range(8):
        stage.all_ready()
        asked(stage, measured, 30.0, recorded).step()
    grown = stage.deployments()[0]["spec"]["replicas"]
    snapshot = stage.snapshot()
    assert isinstance(snapshot.inputs, Inputs)
    outlook = look_ahead(snapshot, snapshot.inputs, stage.now)
    assert outlook.request.running is not None
    answer = outlook.sized(outlook.request.running)

    assert isinstance(answer, Rejection)
    assert "as measured on what runs" in answer.message
    assert grown > before

    for _ in range(30):
        stage.all_ready()
        asked(stage, measured, 0.5, recorded).step()
    assert grown == stage.deployments()[0]["spec"]["replicas"]
