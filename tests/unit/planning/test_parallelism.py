"""Data-parallel ranks as an option of the planner.

Covered: for which models, formats and releases they are tried, what they cost, limits and stock, the context of one rank,
why they were chosen, ties, settings tried for them.  Not covered: the search (brute force in tests/properties), whole plans
(tests/golden).
"""

from dataclasses import replace
from typing import Any

import pytest

from asking import candidate, offered, request
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import engine
from costpolicy.perf.latency import Binding
from costpolicy.planning.constraints import Question, check_shape
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.options import Option, options
from costpolicy.planning.parallelism import ONE_RANK, RANKS, Parallelism
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.tuning import retuned

QWEN, H200 = "Qwen/Qwen3-235B-A22B", "nvidia-h200"
MANY = {"requestsPerSecond": 40, "promptTokens": 1000, "outputTokens": 500}


def asked(repository: str = QWEN, *names: str, **spec: Any) -> PlanRequest:
    """A mixture in its own format under a load that fills several nodes."""
    model = {"name": "m", "source": {"huggingFace": {"repository": repository}}, "contextLength": 8192}
    return request(
        offered(*(names or (H200,))),
        **{
            "model": model,
            "objectives": {"ttft": {"p95": "4s"}},
            "traffic": MANY,
            "scaling": {"maxReplicas": 40},
            **spec,
        },
    )


def split_of(option: Option) -> Parallelism:
    return Parallelism(option.configuration.tensor_parallel_size, option.configuration.data_parallel_size)


def splits_tried(asking: PlanRequest) -> set[Parallelism]:
    every = options(asking, asking.supplies, Evaluation(asking), gate=True)
    return {split_of(one) for one in every}


DEEPSEEK = asked("deepseek-ai/DeepSeek-V3")


def test_a_mixture_is_tried_in_ranks_of_one_and_two_accelerators():
    assert {*ONE_RANK, *RANKS} == splits_tried(asked())


@pytest.mark.parametrize(
    "asking",
    [
        asked("meta-llama/Llama-3.1-70B"),
        asked(version="0.16"),
        asked("openai/gpt-oss-120b"),
        asked(techniques={"speculativeDecoding": {"mode": "Enabled", "method": "ngram", "tokens": 3}}),
    ],
    ids=["dense", "pads prefills on all ranks", "experts in a format of their own", "speculation is ordered"],
)
def test_no_ranks_are_tried_where_they_are_replicas_or_not_predicted(asking: PlanRequest):
    assert set(ONE_RANK) == splits_tried(asking)


def test_quantized_checkpoints_whose_kernels_were_not_read_stay_in_one_rank():
    checkpoint = {"format": "awq", "source": {"huggingFace": {"repository": "example/awq"}}}
    asking = asked()
    assert asking.spec.model is not None
    model = asking.spec.model.model_dump(by_alias=True, exclude_none=True) | {"checkpoints": [checkpoint]}
    techniques = {"quantization": {"mode": "Enabled", "formats": ["awq"]}}
    asking = asked(model=model, techniques=techniques)
    ranks = {
        one.configuration.weights
        for one in options(asking, asking.supplies, Evaluation(asking), gate=True)
        if one.configuration.data_parallel_size > 1
    }

    assert {"bf16"} == ranks


def test_every_accelerator_of_every_rank_is_paid_for():
    target = plan(DEEPSEEK).target

    assert target is not None
    assert 8 == target.configuration.accelerators_per_replica
    assert (1, 8) == (target.configuration.tensor_parallel_size, target.configuration.data_parallel_size)
    assert target.accelerators == 8 * target.replicas
    assert f"{5.50 * target.accelerators:.2f}" == target.cost_per_hour.text(2)


def test_a_plan_says_why_ranks_and_how_much_it_keeps_to_spare():
    answer = plan(DEEPSEEK)
    target = answer.target
    assert target is not None
    tensor = replace(target.configuration, tensor_parallel_size=8, data_parallel_size=1)
    copies = Evaluation(DEEPSEEK).replica(tensor, accelerators()[H200]).memory.kv_cache_tokens
    (told,) = (one for one in answer.settings if "data-parallel ranks" in one)

    assert copies < target.memory.kv_cache_tokens
    assert f"the KV cache holds {target.memory.kv_cache_tokens:,} tokens" in told
    assert f"tensor parallelism over 8 accelerators holds {copies:,} in copies" in told
    assert "no such replica was measured" in told
    assert "61% (TTFT) and 33% (inter-token latency) to spare" in told


def test_without_ranks_the_same_load_costs_more():
    ranks, one_rank = (plan(replace(DEEPSEEK, engine=engine(version))).target for version in ("0.32", "0.16"))

    assert ranks is not None
    assert one_rank is not None
    assert 1 == one_rank.configuration.data_parallel_size
    assert ranks.cost_per_hour < one_rank.cost_per_hour


def test_what_costs_the_same_stays_in_one_rank():
    target = plan(asked(traffic={**MANY, "requestsPerSecond": 0.5}, hardware={"maxAccelerators": 8})).target

    assert target is not None
    assert 1 == target.configuration.data_parallel_size


def test_a_limit_on_accelerators_counts_those_of_all_ranks():
    answer = plan(asked("deepseek-ai/DeepSeek-V3", hardware={"maxAccelerators": 8}))

    assert answer.target is None
    assert "MaxAccelerators" == candidate(answer, H200, data_parallel_size=8).reason


def test_ranks_need_a_node_that_holds_them_all():
    asking = asked()
    offering = replace(asking.supplies[0].offering, accelerators_per_node=4)
    answer = plan(replace(asking, supplies=(replace(asking.supplies[0], offering=offering),)))

    assert "NeedsMultiNode" == candidate(answer, H200, data_parallel_size=8).reason
    assert "8 accelerators are more than the 4 of one node" == candidate(answer, H200, data_parallel_size=8).message


def test_the_promised_context_must_fit_one_rank():
    asking = asked(model={"name": "m", "source": {"huggingFace": {"repository": QWEN}}, "contextLength": 32768})
    evaluation = Evaluation(asking)
    four = next(
        one
        for one in options(asking, asking.supplies, evaluation, gate=False)
        if (one.configuration.tensor_parallel_size, one.configuration.data_parallel_size) == (1, 4)
    )
    refused = check_shape(four, Question(request=asking, evaluation=evaluation))

    assert four.replica.memory.rank_tokens < 32768 < four.replica.memory.kv_cache_tokens
    assert refused is not None
    assert "ContextDoesNotFit" == refused.reason
    assert f"the KV cache holds {four.replica.memory.rank_tokens:,} tokens" in refused.message


@pytest.mark.parametrize(
    "edit",
    [
        {"techniques": {"speculativeDecoding": {"mode": "Enabled", "method": "ngram", "tokens": 3}}},
        {"model": {"name": "m", "source": {"huggingFace": {"repository": "meta-llama/Llama-3.1-8B"}}}},
    ],
    ids=["speculation ordered", "dense model"],
)
def test_an_edit_while_ranks_run_is_planned_without_them(edit: dict[str, Any]):
    running = plan(DEEPSEEK).target
    assert running is not None
    tuned = replace(running.configuration, max_num_batched_tokens=4096)
    model = asked(**edit).spec.model
    asking = replace(asked(**edit), running=replace(tuned, max_model_len=model.context_length if model else None))

    assert set(ONE_RANK) == splits_tried(asking)
    assert plan(asking).target is not None


def test_more_load_never_costs_less():
    rates = (0.5, 2, 10, 40, 100)
    costs = [plan(asked(traffic={**MANY, "requestsPerSecond": rate})).target for rate in rates]

    assert all(one is not None for one in costs)
    paid = [one.cost_per_hour for one in costs if one is not None]
    assert sorted(paid) == paid


def four_ranks(evaluation: Evaluation, asking: PlanRequest, sequences: int | None) -> Option:
    """Four ranks, with ``max_num_seqs`` of each; the cache of all of them holds about 1,150 requests."""
    every = options(asking, asking.supplies, evaluation, gate=False)
    first = next(one for one in every if split_of(one) == Parallelism(1, 4))
    configuration = replace(first.configuration, max_num_seqs=sequences)
    return replace(first, configuration=configuration, replica=evaluation.replica(configuration, first.accelerator))


@pytest.mark.parametrize(
    ("sequences", "memory", "more"),
    [(None, set(), {512}), (512, {0.95}, set())],
    ids=["four times 256 are fewer than fit", "four times 512 are not"],
)
def test_what_each_rank_admits_decides_whether_the_cache_binds(
    sequences: int | None, memory: set[float], more: set[int]
):
    asking = asked(
        "Qwen/Qwen3-30B-A3B",
        "nvidia-a100-80gb",
        traffic={"requestsPerSecond": 20, "promptTokens": 100, "outputTokens": 4000},
        techniques={"quantization": {"mode": "Disabled"}},
    )
    evaluation = Evaluation(asking)
    option = four_ranks(evaluation, asking, sequences)
    tried = [one.configuration for one in retuned(asking, option, Binding.THROUGHPUT, evaluation)]

    assert memory == {one.gpu_memory_utilization for one in tried} - {None}
    assert more == {one.max_num_seqs for one in tried} - {sequences}
