"""What was measured of the running configuration, in a plan.

Covered: how far it reaches, capacity, predictions, the KV cache, sentences.  Not covered: where windows come from
(tests/unit/reconcile, tests/scenarios), the statistics (tests/unit/perf/test_calibration.py).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from asking import candidate, offered, request
from builders import configuration
from costpolicy.api.types import CapacityType, KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.perf.calibration import Comparison, calibrate
from costpolicy.perf.uncertainty import uncertainty
from costpolicy.planning.calibration import CalibrationBook, calibration_of
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest

L40S, H100, H200 = "nvidia-l40s", "nvidia-h100-80gb", "nvidia-h200"
RUNNING = configuration(accelerator=L40S, max_model_len=8192)
PLAIN = {name: {"mode": "Disabled"} for name in ("quantization", "kvCacheQuantization", "batching")}
BUSY = {"requestsPerSecond": 60, "promptTokens": 1000, "outputTokens": 250}


def book(ttft: float, inter_token: float = 1.0, kv_factor: float | None = None, count: int = 30) -> CalibrationBook:
    windows = [
        Comparison(
            at=datetime(2026, 11, 2, tzinfo=UTC) + index * timedelta(hours=5),
            requests=5000,
            ttft=ttft,
            inter_token=inter_token,
        )
        for index in range(count)
    ]
    accelerator = accelerators()[RUNNING.accelerator]
    calibration = calibrate(uncertainty(accelerator), windows, kv_factor)
    return CalibrationBook(running=RUNNING, family=accelerator.family, calibration=calibration)


def asked(calibration: CalibrationBook | None = None, **spec: object) -> PlanRequest:
    fields = {
        "objectives": {"ttft": {"p95": "500ms"}, "interTokenLatency": {"p95": "60ms"}},
        "traffic": BUSY,
        "techniques": PLAIN,
        "model": {"contextLength": 8192},
        "scaling": {"maxReplicas": 200},
        **spec,
    }
    return replace(request(offered(L40S), running=RUNNING, **fields), calibration=calibration)


def cost(of: PlanRequest) -> int:
    found = plan(of).target
    assert found is not None
    return found.cost_per_hour.micros


def test_a_deployment_that_is_slower_than_predicted_gets_more_and_one_that_agrees_needs_no_more():
    unknown, slower, agreeing = (cost(asked(each)) for each in (None, book(1.4, 1.4), book(1.0)))

    assert agreeing < unknown < slower


def test_a_faster_deployment_is_not_relied_on_beyond_the_prediction():
    assert cost(asked(book(0.5, 0.5))) <= cost(asked(book(1.0)))
    margins = book(0.5, 0.5).calibration.margins
    assert margins.ttft > 1.0
    assert margins.inter_token > 1.0


def test_predictions_of_the_running_configuration_are_corrected():
    before, after = (
        plan(asked(each, scaling={"minReplicas": 100, "maxReplicas": 100})).target for each in (None, book(1.2, 1.1))
    )
    assert before is not None
    assert after is not None

    assert before.replicas == after.replicas
    assert 1.2 == pytest.approx(after.predicted.ttft.p95 / before.predicted.ttft.p95, rel=0.02)
    assert 1.1 == pytest.approx(after.predicted.inter_token.mean / before.predicted.inter_token.mean, rel=0.02)


def test_what_was_measured_reaches_the_same_engine_fully_siblings_in_part_and_other_families_not_at_all():
    found = book(1.6, 1.3)
    spot = replace(RUNNING, capacity_type=CapacityType.SPOT)
    sibling = replace(RUNNING, weights=WeightFormat.FP8, kv_cache_dtype=KvCacheDtype.FP8)
    other = replace(RUNNING, accelerator=H100)

    assert found.calibration == calibration_of(found, spot, accelerators()[L40S])
    partly = calibration_of(found, sibling, accelerators()[L40S])
    assert 1.0 < partly.ttft.factor < found.calibration.ttft.factor
    assert partly.ttft.allowance > uncertainty(accelerators()[L40S]).ttft.margin
    assert "another configuration" in partly.reason
    assert calibration_of(None, other, accelerators()[H100]) == calibration_of(found, other, accelerators()[H100])


def test_other_settings_of_what_runs_inherit_what_was_measured_and_narrow_no_margin():
    known = accelerators()[L40S]
    smaller = replace(RUNNING, max_num_batched_tokens=4096)
    slow, agreeing = (calibration_of(found, smaller, known) for found in (book(1.6, 1.3, 0.9), book(1.0, 1.0, 1.1)))

    assert 0.9 == slow.kv_factor
    assert 1.0 == agreeing.kv_factor
    assert book(1.6, 1.3).calibration.ttft.factor == slow.ttft.factor
    assert slow.ttft.allowance > book(1.6, 1.3).calibration.ttft.allowance
    assert agreeing.ttft.allowance >= uncertainty(known).ttft.margin > book(1.0).calibration.ttft.allowance


def test_an_option_of_another_family_is_judged_as_if_nothing_had_been_measured():
    spec = {"objectives": {"ttft": {"p95": "700ms"}}, "traffic": BUSY}
    without = request(offered(L40S, H200), running=RUNNING, **spec)
    given = plan(replace(without, calibration=book(1.4, 1.4)))

    assert candidate(plan(without), H200).target == candidate(given, H200).target


def test_the_kv_cache_that_the_engine_reported_replaces_the_predicted_one_where_it_was_seen():
    full, half = (plan(asked(book(1.0, kv_factor=factor))) for factor in (None, 0.5))
    seen, assumed = (candidate(each, L40S, tensor_parallel_size=1) for each in (half, full))
    assert seen.target is not None
    assert assumed.target is not None

    assert 0.5 == pytest.approx(seen.target.memory.kv_cache_tokens / assumed.target.memory.kv_cache_tokens, rel=0.001)


def test_the_sentence_about_an_objective_out_of_reach_names_the_calibrated_margin():
    tight = {"objectives": {"ttft": {"p95": "100ms"}}, "traffic": BUSY}
    before, after = (_said_of_what_runs(asked(each, **tight)) for each in (None, book(1.0)))

    assert "with 35% margin" in before
    assert "with 35% margin" not in after


def _said_of_what_runs(of: PlanRequest) -> str:
    (message,) = (each.message for each in plan(of).candidates if each.configuration == RUNNING)
    return message
