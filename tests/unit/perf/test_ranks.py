"""Data-parallel ranks that share out the experts of a mixture: memory, steps, margins.

Covered: memory by hand, the exchange and the spread of requests against what was measured and simulated, who computes
what, margins, refusals.  Not covered: a whole replica against a measurement, of which there is none.
"""

import heapq
import random
from dataclasses import replace
from math import log, sqrt

import pytest

from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.formats import expert_bytes, weight_bytes
from costpolicy.catalog.parameters import count_parameters
from costpolicy.perf.latency import Latency, Unpredictable
from costpolicy.perf.memory import cache_bytes, memory_fit
from costpolicy.perf.open_loop import capacity, open_loop
from costpolicy.perf.ranks import fullest, together
from costpolicy.perf.service import service
from costpolicy.perf.shape import Workload
from costpolicy.perf.speculation import Speculation
from costpolicy.perf.step import step_cost
from costpolicy.perf.uncertainty import uncertainty

DEEPSEEK, QWEN = "deepseek-ai/DeepSeek-V3", "Qwen/Qwen3-235B-A22B"
CHAT = Workload(prompt_tokens=1000, output_tokens=300)


@pytest.fixture
def on_eight(shapes):
    """A mixture on eight H200 in FP8: tensor parallelism, or so many data-parallel ranks."""

    def make(model: str = DEEPSEEK, ranks: int = 8, **settings: int):
        return shapes(model, "nvidia-h200", 8 // ranks, "fp8", data_parallel_size=ranks, **settings)

    return make


def test_tensor_parallelism_copies_the_latent_that_ranks_hold_once(on_eight):
    copied, once = (memory_fit(on_eight(ranks=ranks, max_num_batched_tokens=2048)) for ranks in (1, 8))

    assert cache_bytes(on_eight(ranks=1)) == cache_bytes(on_eight(ranks=8)), "a rank caches its sequences whole"
    assert (0.74, 3.62) == (round(copied.kv_cache_tokens / 1e6, 2), round(once.kv_cache_tokens / 1e6, 2))
    assert once.kv_cache_tokens == 8 * once.rank_tokens


def test_a_rank_holds_everything_but_the_experts_of_the_others(on_eight):
    shape = on_eight()
    whole, experts = weight_bytes(shape.model, shape.weights), expert_bytes(shape.model, shape.weights)

    assert memory_fit(shape).weights_bytes_per_accelerator == pytest.approx(whole - experts + experts / 8, rel=1e-9)
    assert experts == count_parameters(shape.model).routed_experts, "one byte each"


def test_the_accelerator_with_the_most_experts_decides(on_eight):
    shape = on_eight()
    uneven = replace(shape, model=replace(shape.model, id="uneven", experts=257))

    assert (32, 33) == (shape.experts_per_accelerator, uneven.experts_per_accelerator)
    assert memory_fit(uneven).rank_tokens < memory_fit(shape).rank_tokens


def test_two_accelerators_a_rank_divide_attention_and_keep_the_shared_expert_whole(on_eight):
    shape = on_eight(ranks=4)
    model, count = shape.model, count_parameters(shape.model)
    shared = 3 * model.expert_layers * model.hidden_size * model.shared_expert_intermediate_size
    sixteen_bits = 2 * (count.total - count.linear)
    expected = (count.attention + count.mlp + sixteen_bits + shared) / 2 + count.routed_experts / 8

    assert memory_fit(shape).weights_bytes_per_accelerator == pytest.approx(expected, rel=1e-9)


def test_a_full_step_of_all_ranks_takes_its_room_from_the_cache(on_eight):
    small, large = (memory_fit(on_eight(max_num_batched_tokens=tokens)) for tokens in (2048, 8192))
    rows = 8 * (8192 - 2048)  # tokens of all ranks
    more = rows * 2 * 2 * (8 * 7168 + 7168)  # two work spaces and the gathered tokens, 8 experts each, hidden size 7168
    more += (8192 - 2048) * 2 * (3 * 18432 + 2 * 7168)  # a rank's own MLP

    assert large.activation_bytes - small.activation_bytes == more
    assert large.kv_cache_tokens < small.kv_cache_tokens


@pytest.mark.parametrize(
    ("accelerators_", "elements", "microseconds"),
    [
        (2, 4096, 6.2 + 5.6),
        (4, 4096, 7.5 + 7.4),
        (8, 4096, 12.8 + 12.5),
        (8, 1_048_576, 24.3 + 19.7),
        (8, 4_194_304, 43.2 + 44.7),
        (2, 16_777_216, 90.2 + 92.0),
        (4, 16_777_216, 105.1 + 102.2),
        (8, 16_777_216, 123.4 + 111.6),
        (8, 67_108_864, 379.9 + 375.6),
    ],
)
def test_an_exchange_takes_what_nccl_took_to_gather_and_to_scatter(shapes, accelerators_, elements, microseconds):
    """H200, 16-bit elements: aiconfigurator-core 0.12.0, ``comm/nccl/2.29.2``."""
    shape = shapes(QWEN, "nvidia-h200", data_parallel_size=accelerators_)
    cost, model = step_cost(shape), shape.model
    tokens = elements / model.hidden_size
    seconds = (cost.allreduce + cost.exchange_per_token_of_all * tokens) / model.expert_layers

    assert 0.88 * microseconds < seconds * 1e6 < 1.25 * microseconds


def in_flight(requests: float, ranks: int) -> tuple[float, float]:
    """Simulated means of all ranks and of the fullest: Poisson arrivals, each to the rank with the fewest."""
    chance, now, most, all_, met = random.Random(1), 0.0, 0.0, 0.0, 0
    leaving: list[tuple[float, int]] = []
    here = [0] * ranks
    sigma = sqrt(log(1.0 + 0.3**2))
    for arrival in range(20_000):
        now += chance.expovariate(requests)
        while leaving and leaving[0][0] <= now:
            here[heapq.heappop(leaving)[1]] -= 1
        if arrival > 2_000:  # arrivals of a Poisson process meet the mean in time
            most, all_, met = most + max(here), all_ + sum(here), met + 1
        rank = chance.choice([one for one in range(ranks) if here[one] == min(here)])
        here[rank] += 1
        heapq.heappush(leaving, (now + chance.lognormvariate(-sigma * sigma / 2.0, sigma), rank))
    return all_ / met, most / met


@pytest.mark.parametrize("ranks", [2, 4, 8])
@pytest.mark.parametrize("requests", [1, 8, 64, 512])
def test_the_fullest_rank_is_taken_fuller_than_simulated_by_a_request_at_most(requests, ranks):
    together_, most = in_flight(requests, ranks)

    assert most <= fullest(together_, ranks) <= most + 0.5


@pytest.mark.parametrize("ranks", [1, 2, 8])
def test_all_seats_are_those_of_the_fullest_rank_inverted(ranks):
    for seats in (1.0, 1.7, 40.0):
        assert fullest(together(seats, ranks), ranks) == pytest.approx(seats)
    assert 12.3 == fullest(12.3, 1) == together(12.3, 1)


def test_a_lone_prompt_has_one_rank_for_attention_and_all_for_the_experts(on_eight):
    ranks, tensor = step_cost(on_eight()), step_cost(on_eight(ranks=1))
    shape = on_eight()
    count = count_parameters(shape.model)
    visited = count.active - (count.total - count.routed_experts)
    dense = count.active - (count.total - count.linear) - visited

    assert ranks.attention_per_pair == pytest.approx(8 * tensor.attention_per_pair)
    assert ranks.linear_per_token / tensor.linear_per_token == pytest.approx(8 * dense / (dense + visited))
    assert 1.0 < ranks.linear_per_token_of_all / (tensor.linear_per_token * visited / (dense + visited)) < 8.0


def test_every_rank_waits_for_the_one_that_prefills(on_eight):
    ranks, tensor = (service(on_eight(ranks=size), CHAT) for size in (8, 1))
    waited, shared = (one.prefill(1.0, 64.0, one.decode_step(64.0)) for one in (ranks, tensor))

    assert waited > 1.5 * shared, "its dense layers are computed by one of eight accelerators"


def test_prompts_beyond_a_step_of_a_rank_are_not_taken_by_it(on_eight):
    served = service(on_eight(max_model_len=16384), Workload(prompt_tokens=8192, output_tokens=300))
    cost = served.cost
    full = cost.seconds(8.0, 8 * 8192.0, 0.0, 0.0, 8192.0)
    one = cost.seconds(1.0, 8192.0, 0.0, 0.0, 8192.0)

    assert 8.0 == served.prompts_per_step
    assert full < 8 * one


def test_ranks_of_few_kv_heads_serve_more_where_the_cache_binds(on_eight):
    tensor, ranks = (capacity(on_eight(QWEN, ranks=size), CHAT, 5.0, 0.1) for size in (1, 8))

    assert tensor.requests_per_second < ranks.requests_per_second


def test_a_request_must_fit_the_cache_of_one_rank(on_eight):
    shape = on_eight(max_model_len=2**20)
    rank = memory_fit(shape).rank_tokens
    beyond = Workload(prompt_tokens=rank * 1.2, output_tokens=10)

    assert isinstance(service(shape, beyond), Unpredictable)
    assert f"the KV cache holds {rank} tokens" in service(shape, beyond).reason


def test_what_no_replica_of_was_measured_needs_more_margin():
    h200 = accelerators()["nvidia-h200"]
    one, ranks = (uncertainty(h200, 1, size).margins() for size in (1, 8))

    assert (1.4, 1.25) == pytest.approx((ranks.ttft / one.ttft, ranks.inter_token / one.inter_token))
    assert "no replica of that kind was measured" in ranks.source
    assert uncertainty(h200, 8) == uncertainty(h200, 1), "tensor parallelism was"


def test_over_pcie_the_exchange_is_as_uncertain_as_an_all_reduce():
    l40s = accelerators()["nvidia-l40s"]
    assert "over PCIe" in uncertainty(l40s, 1, 2).source
    assert "over PCIe" not in uncertainty(l40s, 1, 1).source


def test_ranks_of_a_dense_model_hold_everything_and_exchange_nothing(shapes):
    """A policy may name another model while ranks of the old one run."""
    alone, ranks = shapes(), shapes(data_parallel_size=2)

    assert memory_fit(ranks).weights_bytes_per_accelerator == memory_fit(alone).weights_bytes_per_accelerator
    assert 0.0 == step_cost(ranks).exchange_per_token_of_all
    assert (
        capacity(ranks, CHAT, 2.0, 0.05).requests_per_second <= 2 * capacity(alone, CHAT, 2.0, 0.05).requests_per_second
    )


def test_ranks_that_speculate_exchange_what_they_verify(shapes):
    """A policy may order speculation while ranks run."""
    plain = shapes(QWEN, "nvidia-h200", data_parallel_size=8, weights="fp8")
    speculating = replace(plain, speculation=Speculation(tokens=3, acceptance=0.0))

    one, four = (step_cost(shape).decode(64.0, 500.0) for shape in (plain, speculating))
    more = 3 * 8 * fullest(64.0, 8) * step_cost(plain).exchange_per_token_of_all
    assert four - one > more


def test_more_requests_are_never_answered_faster(on_eight):
    found = [open_loop(on_eight(QWEN), CHAT, rate) for rate in (0.5, 2.0, 8.0, 14.0)]

    assert all(isinstance(one, Latency) for one in found)
    assert sorted(one.ttft.p95 for one in found) == [one.ttft.p95 for one in found]
    assert sorted(one.inter_token.mean for one in found) == [one.inter_token.mean for one in found]
