"""The planner's choice and its reasons in situations that can be checked by head.

Covered: which configuration wins, what rejects the others, modes of techniques, limits, availability, supply.
Not covered: accuracy of predictions (tests/unit/perf), general laws (tests/properties/test_planner_properties.py).
"""

from dataclasses import replace

import pytest

from asking import FEW_LONG_ANSWERS, INT8_CHECKPOINT, LLAMA_70B, candidate, offered, request
from builders import configuration, offering
from costpolicy.api.types import CapacityType, KvCacheDtype, WeightFormat
from costpolicy.planning.plan import Verdict
from costpolicy.planning.planner import plan
from costpolicy.planning.supply import Supply

EIGHTY = ("nvidia-a100-80gb", "nvidia-h100-80gb")
BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}


def test_a_70b_model_takes_two_80_gb_accelerators_in_bf16():
    answer = plan(
        request(offered(*EIGHTY), model=LLAMA_70B, objectives={"ttft": {"p95": "2s"}}, traffic=FEW_LONG_ANSWERS)
    )

    assert answer.target is not None
    assert (
        answer.target.replicas,
        answer.target.configuration.tensor_parallel_size,
        answer.target.configuration.weights,
    ) == (1, 2, WeightFormat.BF16)
    assert candidate(answer, "nvidia-a100-80gb", tensor_parallel_size=1).reason == "DoesNotFit"


def test_the_same_model_takes_one_with_an_int8_checkpoint_that_the_user_accepts():
    answer = plan(
        request(
            offered(*EIGHTY),
            model={**LLAMA_70B, "checkpoints": INT8_CHECKPOINT},
            objectives={"ttft": {"p95": "2s"}},
            techniques={"quantization": {"mode": "Enabled", "formats": ["int8"]}},
            traffic=FEW_LONG_ANSWERS,
        )
    )

    assert answer.target is not None
    assert (
        answer.target.accelerators,
        answer.target.configuration.weights,
        answer.target.configuration.checkpoint,
    ) == (1, WeightFormat.INT8, 0)


def test_at_full_context_the_same_model_keeps_more_accelerators_and_says_why():
    answer = plan(
        request(
            offered(*EIGHTY),
            model={**LLAMA_70B, "contextLength": None, "checkpoints": INT8_CHECKPOINT},
            objectives={"ttft": {"p95": "2s"}},
            techniques={
                "quantization": {"mode": "Enabled", "formats": ["int8"]},
                "kvCacheQuantization": {"mode": "Disabled"},
            },
            traffic=FEW_LONG_ANSWERS,
        )
    )

    assert answer.target is not None
    assert answer.target.accelerators > 1
    assert "131,072 tokens does not fit" in answer.why_not_cheaper
    assert "contextLength" in answer.why_not_cheaper


def test_quantization_in_mode_auto_is_recommended_and_not_applied():
    answer = plan(
        request(offered(*EIGHTY), model=LLAMA_70B, objectives={"ttft": {"p95": "2s"}}, traffic=FEW_LONG_ANSWERS)
    )

    assert answer.target is not None
    assert answer.recommended is not None
    assert answer.target.configuration.weights == WeightFormat.BF16
    assert answer.recommended.configuration.weights == WeightFormat.FP8
    assert answer.recommended.cost_per_hour < answer.target.cost_per_hour


def test_disabled_techniques_are_not_even_recommended():
    off = {"quantization": {"mode": "Disabled"}, "kvCacheQuantization": {"mode": "Disabled"}}
    answer = plan(
        request(model=LLAMA_70B, objectives={"ttft": {"p95": "2s"}}, traffic=FEW_LONG_ANSWERS, techniques=off)
    )

    assert answer.recommended is None
    assert {WeightFormat.BF16, WeightFormat.FP16} >= {one.configuration.weights for one in answer.candidates}


def test_a_format_that_needs_a_checkpoint_says_so():
    asked = {"quantization": {"mode": "Enabled", "formats": ["awq"]}}
    answer = plan(request(offered("nvidia-h100-80gb"), techniques=asked, traffic=BUSY))

    rejected = candidate(answer, "nvidia-h100-80gb", weights=WeightFormat.AWQ)
    assert rejected.reason == "NeedsCheckpoint"
    assert "spec.model.checkpoints" in rejected.message


def test_a_running_format_needs_no_gate_any_more():
    running = configuration(accelerator="nvidia-l40s", weights=WeightFormat.FP8, online_quantization=True)
    answer = plan(request(offered("nvidia-l40s"), running=running, traffic=BUSY))

    assert answer.target is not None
    assert answer.target.configuration.weights == WeightFormat.FP8


def test_an_objective_that_no_hardware_meets_is_named_with_what_is_reached():
    answer = plan(request(objectives={"ttft": {"p95": "20ms"}}, traffic={**BUSY, "promptTokens": 8000}))

    assert answer.target is None
    assert answer.infeasible is not None
    assert answer.infeasible.reason == "ObjectiveUnreachable"
    assert "TTFT p95 of 20 ms is out of reach" in answer.infeasible.message
    assert "8,000 prompt tokens" in answer.infeasible.message


def test_a_context_that_fits_nowhere_names_the_one_that_fits():
    answer = plan(
        request(
            offered("nvidia-l4"),
            hardware={"maxAccelerators": 1},
            traffic=BUSY,
            techniques={"kvCacheQuantization": {"mode": "Disabled"}},
        )
    )

    rejected = candidate(answer, "nvidia-l4", tensor_parallel_size=1, weights=WeightFormat.BF16)
    assert rejected.reason == "ContextDoesNotFit"
    assert "set spec.model.contextLength to at most" in rejected.message


def test_no_price_for_the_only_allowed_accelerator_says_what_to_add():
    answer = plan(request(offered("nvidia-l4"), hardware={"accelerators": ["nvidia-b200"]}))

    assert answer.infeasible is not None
    assert answer.infeasible.reason == "NoPrice"
    assert "nvidia-b200" in answer.infeasible.message


def test_no_offering_at_all_is_no_price():
    answer = plan(request(()))

    assert answer.infeasible is not None
    assert answer.infeasible.reason == "NoPrice"


def test_no_node_with_the_only_allowed_accelerator_says_what_to_add():
    nowhere = Supply(offering=offering(), free_by_node=(), provisionable_nodes=0)
    asked = request(())
    answer = plan(replace(asked, supplies=(nowhere,)))

    assert answer.infeasible is not None
    assert answer.infeasible.reason == "NoNodes"
    assert "maxNodes" in answer.infeasible.message


def test_spot_is_used_only_when_it_is_named():
    spot = offering("nvidia-l40s", "0.40", capacity_type=CapacityType.SPOT)
    both = (offering("nvidia-l40s", "1.86"), spot)

    without = plan(request(both, traffic=BUSY))
    with_spot = plan(request(both, traffic=BUSY, hardware={"capacityTypes": ["Spot", "OnDemand"]}))

    assert without.target is not None
    assert with_spot.target is not None
    assert without.target.configuration.capacity_type == CapacityType.ON_DEMAND
    assert with_spot.target.configuration.capacity_type == CapacityType.SPOT


def test_reserved_capacity_that_is_paid_for_is_filled_first_and_shown_at_its_price():
    reserved = offering("nvidia-h100-80gb", "4.50", capacity_type=CapacityType.RESERVED, count=8)
    answer = plan(request((offering("nvidia-l40s", "1.86"), reserved), traffic=BUSY))

    assert answer.target is not None
    assert answer.target.configuration.capacity_type == CapacityType.RESERVED
    assert (answer.target.cost_per_hour.text(), answer.target.marginal_cost_per_hour.text()) == ("4.50", "0.00")


def test_two_ready_replicas_also_carry_the_load_with_one_missing():
    one = plan(request(offered("nvidia-h100-80gb"), traffic=BUSY))
    two = plan(request(offered("nvidia-h100-80gb"), traffic=BUSY, objectives={"availability": {"minReadyReplicas": 2}}))

    assert one.target is not None
    assert two.target is not None
    assert one.target.replicas + 1 == two.target.replicas


def test_a_first_plan_above_the_budget_is_refused_and_the_uncapped_one_shown():
    answer = plan(request(offered("nvidia-h100-80gb"), traffic=BUSY, budget={"hourly": "1.00"}))

    assert answer.target is None
    assert answer.infeasible is not None
    assert answer.infeasible.reason == "BudgetExceeded"
    assert answer.uncapped is not None
    assert answer.uncapped.cost_per_hour.text() == "4.50"


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"scaling": {"maxReplicas": 1}}, "MaxReplicas"),
        ({"hardware": {"maxAccelerators": 1}, "scaling": {"maxReplicas": 999}}, "MaxAccelerators"),
    ],
)
def test_limits_reject_by_name(limit, reason):
    answer = plan(request(offered("nvidia-l4"), traffic={**BUSY, "requestsPerSecond": 50}, **limit))

    assert reason in {one.reason for one in answer.candidates}


def test_stock_limits_replicas_to_what_single_nodes_hold():
    few = Supply(offering=offering("nvidia-l40s", "1.86"), free_by_node=(1, 1))
    asked = request(offered("nvidia-l40s"), traffic={**BUSY, "requestsPerSecond": 20})
    answer = plan(replace(asked, supplies=(few,)))

    assert "NoSpareGPU" in {one.reason for one in answer.candidates}
    assert answer.target is None


def test_given_batch_sizes_are_orders():
    answer = plan(
        request(
            offered("nvidia-h100-80gb"),
            traffic=BUSY,
            techniques={"batching": {"maxNumSeqs": 64, "maxNumBatchedTokens": 4096}},
        )
    )

    assert answer.target is not None
    assert (answer.target.configuration.max_num_seqs, answer.target.configuration.max_num_batched_tokens) == (64, 4096)


def test_turing_serves_bf16_models_in_fp16_and_never_an_fp8_cache():
    asked = {"kvCacheQuantization": {"mode": "Enabled"}}
    answer = plan(
        request(
            offered("nvidia-t4"),
            model={"contextLength": 4096},
            objectives={"ttft": {"p95": "5s"}},
            techniques=asked,
            traffic={**BUSY, "requestsPerSecond": 0.1},
        )
    )

    assert WeightFormat.BF16 not in {one.configuration.weights for one in answer.candidates}
    assert candidate(answer, "nvidia-t4", kv_cache_dtype=KvCacheDtype.FP8).reason == "FormatUnsupported"


def test_without_traffic_one_request_at_a_time_is_assumed_and_said():
    answer = plan(request())

    assert answer.demand.assumed
    assert (answer.demand.prompt_tokens, answer.demand.output_tokens) == (1000, 250)
    assert answer.target is not None


def test_exactly_one_candidate_is_chosen_and_every_other_has_a_reason():
    answer = plan(request(traffic=BUSY))

    chosen = [one for one in answer.candidates if one.verdict is Verdict.CHOSEN]
    assert len(chosen) == 1
    assert chosen[0].target == answer.target
    assert all(one.reason and one.message for one in answer.candidates)


def test_an_accelerator_that_is_not_allowed_is_not_told_as_a_saving():
    allowed = {"accelerators": ["nvidia-h100-80gb"]}
    answer = plan(request(offered("nvidia-l4", "nvidia-h100-80gb"), hardware=allowed, traffic=BUSY))

    assert "AcceleratorNotAllowed" == candidate(answer, "nvidia-l4").reason
    assert "nvidia-l4" not in answer.why_not_cheaper
