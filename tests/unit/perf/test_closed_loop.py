"""Closed loops: what each term of the model does.

Covered: seats, steps that are longer as a whole, prefills that fill all steps, convoys, the start burst, shared prefixes,
arithmetic by format and accelerator, experts, all-reduce by link, the API server, refusals. Not covered: error against
measurements (test_accuracy.py).
"""

from dataclasses import replace

import pytest

from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.latency import Unpredictable
from costpolicy.perf.shape import Workload
from costpolicy.perf.step import step_cost

CHAT = Workload(prompt_tokens=1200, output_tokens=200)


def test_one_request_at_a_time_waits_for_its_prefill_alone(shapes):
    latency = closed_loop(shapes(), CHAT, 1)
    assert 0.020 < latency.ttft.mean < 0.080
    assert 0.004 < latency.inter_token.mean < 0.008
    assert latency.running == 1


@pytest.mark.parametrize("ranks", [1, 8])
def test_steps_that_take_longer_take_longer_whatever_they_do(shapes, ranks):
    shape = shapes("Qwen/Qwen3-30B-A3B", ranks=ranks)
    usual, slow = step_cost(shape, 100.0), step_cost(replace(shape, step_factor=1.25), 100.0)
    work = {"prompts": 2.0, "prompt_tokens": 900.0, "pairs": 1e6, "sequences": 40.0, "context": 700.0}

    assert slow.seconds(**work) == pytest.approx(1.25 * usual.seconds(**work))
    assert slow.decode(7.0, 3000.0) == pytest.approx(1.25 * usual.decode(7.0, 3000.0))


def test_a_step_takes_some_time(shapes):
    with pytest.raises(ValueError, match="step_factor must be more than 0, not 0"):
        replace(shapes(), step_factor=0.0)


def test_throughput_is_what_the_latencies_say(shapes):
    latency = closed_loop(shapes(), CHAT, 32)
    cycle = latency.ttft.mean + 199 * latency.inter_token.mean
    assert latency.requests_per_second == pytest.approx(32 / cycle, rel=0.01)
    assert latency.output_tokens_per_second == pytest.approx(200 * latency.requests_per_second)


def test_more_clients_than_seats_wait_for_a_seat(shapes):
    shape = shapes(max_num_seqs=32)
    seated, queued = (closed_loop(shape, CHAT, clients) for clients in (32, 256))
    assert queued.running == 32
    assert queued.inter_token == seated.inter_token
    assert queued.ttft.mean == pytest.approx(seated.ttft.mean + 7 * 32 / seated.requests_per_second, rel=0.02)


def test_more_clients_than_the_cache_holds_wait_for_a_seat_no_less(shapes):
    shape, balanced = shapes(max_num_seqs=256), Workload(prompt_tokens=400, output_tokens=400)
    fits, outgrows = (closed_loop(shape, balanced, clients) for clients in (500, 1000))
    assert outgrows.ttft.mean > 2.5 * fits.ttft.mean


def test_no_more_run_than_there_are_clients_of_whom_one_comes_now_and_then(shapes):
    shape = shapes(
        "meta-llama/Llama-3.1-70B",
        accelerator="nvidia-l40",
        ranks=4,
        weights="fp16",
        kv_cache="fp8",
        max_num_seqs=256,
        max_num_batched_tokens=2048,
    )
    latency = closed_loop(shape, Workload(prompt_tokens=313.3, output_tokens=1016.4), 187.53)
    assert latency.running <= 187.53


def test_where_prefills_fill_nearly_all_steps_more_clients_wait_between_tokens_not_before_the_first(shapes):
    shape = shapes(accelerator="nvidia-t4", ranks=8, weights="awq")
    prompts = Workload(prompt_tokens=2000, output_tokens=40)
    few, many = (closed_loop(shape, prompts, clients) for clients in (16, 96))
    assert many.ttft.mean == pytest.approx(few.ttft.mean, rel=0.1)
    assert many.inter_token.mean > 6.0 * few.inter_token.mean


def test_the_kv_cache_limits_how_many_run(shapes):
    shape = shapes("Qwen/Qwen3-32B", max_model_len=32768)
    latency = closed_loop(shape, Workload(prompt_tokens=6000, output_tokens=1000), 64)
    assert 1 <= latency.running < 10
    assert latency.kv_utilization > 0.85


def test_a_start_burst_is_in_the_mean_of_a_short_benchmark_only(shapes):
    live, ten, hundred = (closed_loop(shapes(), CHAT, 128, rounds).ttft.mean for rounds in (None, 10, 100))
    assert live < hundred < ten
    assert closed_loop(shapes(), CHAT, 128, 10).inter_token == closed_loop(shapes(), CHAT, 128).inter_token


def test_requests_of_equal_length_keep_their_order_and_wait_longer(shapes):
    equal, varied = (closed_loop(shapes(), replace(CHAT, length_cv=cv), 8).ttft.mean for cv in (0.0, 0.3))
    assert equal > 1.2 * varied


def test_more_bandwidth_makes_no_token_slower_where_prompts_compute_all_the_time(shapes):
    slow = shapes(accelerator="nvidia-a10", max_num_seqs=8, max_num_batched_tokens=16384)
    fast = replace(
        slow, accelerator=replace(slow.accelerator, memory_bandwidth=2.0 * slow.accelerator.memory_bandwidth)
    )
    prompts = Workload(prompt_tokens=471, output_tokens=2, length_cv=0.0)
    assert closed_loop(fast, prompts, 3).inter_token.mean <= closed_loop(slow, prompts, 3).inter_token.mean


def test_a_shared_prefix_saves_its_prefill_and_its_reads(shapes):
    shared = closed_loop(shapes(), replace(CHAT, cached_tokens=1000), 64)
    unique = closed_loop(shapes(), CHAT, 64)
    assert shared.ttft.mean < 0.7 * unique.ttft.mean
    assert shared.inter_token.mean < 0.7 * unique.inter_token.mean


def test_four_bit_weights_speed_up_decoding_but_not_prefill(shapes):
    plain, packed = (step_cost(shapes(weights=form)) for form in ("bf16", "awq"))
    assert packed.dense_read == pytest.approx(plain.dense_read * 4.15625 / 16)
    assert packed.linear_per_token == plain.linear_per_token


def test_fp8_computes_faster_only_where_the_hardware_has_it(shapes):
    for accelerator, gain in (("nvidia-h100-80gb", 0.5), ("nvidia-a100-80gb", 1.0)):
        plain, fp8 = (step_cost(shapes(accelerator=accelerator, weights=form)) for form in ("bf16", "fp8"))
        assert fp8.linear_per_token == pytest.approx(gain * plain.linear_per_token, rel=0.01), accelerator
        assert fp8.dense_read == pytest.approx(0.5 * plain.dense_read, rel=0.01), accelerator


def test_an_accelerator_without_bf16_computes_in_fp16(shapes):
    shape = shapes(accelerator="nvidia-t4", weights="fp16")
    assert step_cost(shape).linear_per_token > 0


def test_a_step_of_few_tokens_reads_few_experts(shapes):
    model = ModelArchitecture(
        id="experts",
        layers=32,
        hidden_size=4096,
        attention_heads=32,
        kv_heads=8,
        head_size=128,
        vocabulary=128256,
        experts=64,
        experts_per_token=4,
        expert_intermediate_size=1024,
        context_length=8192,
    )
    cost = step_cost(replace(shapes(), model=model))
    one, many = cost.decode(1, 500), cost.decode(256, 500)
    assert cost.expert_read > 5 * cost.dense_read
    assert one < cost.dense_read + 0.2 * cost.expert_read + cost.layer_overhead + 0.002
    assert many > cost.dense_read + 0.99 * cost.expert_read


def test_tensor_parallelism_over_pcie_costs_more_than_over_nvlink(shapes):
    cards, nvlink = (step_cost(shapes(accelerator=name, ranks=4)) for name in ("nvidia-l40s", "nvidia-h100-80gb"))
    assert cards.allreduce_per_token > 10 * nvlink.allreduce_per_token
    assert step_cost(shapes()).allreduce == 0.0


def test_one_api_server_bounds_the_stream_of_a_small_fast_model(shapes):
    usual = closed_loop(shapes(weights="fp8"), replace(CHAT, cached_tokens=1000), 512)
    relieved = closed_loop(
        shapes(weights="fp8", api_servers=4, stream_interval=8), replace(CHAT, cached_tokens=1000), 512
    )
    assert usual.output_tokens_per_second < 12_000 < relieved.output_tokens_per_second
    assert relieved.ttft.mean < usual.ttft.mean


def test_a_prompt_longer_than_a_step_takes_several(shapes):
    long = Workload(prompt_tokens=7800, output_tokens=200)
    small, large = (closed_loop(shapes(max_num_batched_tokens=tokens), long, 16) for tokens in (2048, 8192))
    assert small.ttft.mean > 1.02 * large.ttft.mean


@pytest.mark.parametrize(
    ("shape", "workload", "why"),
    [
        ({"model": "meta-llama/Llama-3.1-70B"}, CHAT, "weights do not fit"),
        ({}, Workload(prompt_tokens=9000, output_tokens=100), "exceeds max_model_len 8192"),
        (
            {"model": "Qwen/Qwen3-32B", "max_model_len": 40960, "gpu_memory_utilization": 0.88},
            Workload(prompt_tokens=39000, output_tokens=1000),
            "one request of 40000 does not fit",
        ),
    ],
)
def test_what_cannot_run_is_unpredictable_and_says_why(shapes, shape, workload, why):
    found = closed_loop(shapes(**shape), workload, 8)
    assert isinstance(found, Unpredictable)
    assert why in found.reason


def test_less_than_one_client_is_refused(shapes):
    with pytest.raises(ValueError, match="at least 1"):
        closed_loop(shapes(), CHAT, 0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt_tokens": 0},
        {"output_tokens": 0},
        {"cached_tokens": 1201},
        {"cached_tokens": -1},
        {"length_cv": -0.1},
        {"prompt_tokens": float("nan")},
        {"output_tokens": float("inf")},
    ],
)
def test_an_impossible_workload_is_refused(wrong):
    with pytest.raises(ValueError, match=r"token|length_cv"):
        replace(CHAT, **wrong)
