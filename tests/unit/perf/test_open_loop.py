"""Arrivals at random: latency at a rate, saturation, capacity under objectives.

Covered: limits at no load and at saturation, agreement with the closed loop at the same throughput, prompts that share
what a mixture of experts reads, every binding limit, margins, bursts. Not covered: error against measurements
(test_accuracy.py) and against the simulated scheduler (tests/scenarios/test_random_arrivals.py).
"""

from dataclasses import replace
from itertools import pairwise

import pytest

from costpolicy.api.types import WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.perf import constants
from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.latency import Binding, Latency, Saturated, Unpredictable
from costpolicy.perf.open_loop import capacity, open_loop
from costpolicy.perf.service import Service, service
from costpolicy.perf.shape import Workload
from costpolicy.perf.speculation import Draft, Speculation, eagle_head
from costpolicy.perf.uncertainty import uncertainty

CHAT = Workload(prompt_tokens=1200, output_tokens=200, cached_tokens=1000)
LONG = Workload(prompt_tokens=3000, output_tokens=900)


def test_at_no_load_a_request_is_served_as_if_alone(shapes):
    alone, idle = closed_loop(shapes(), CHAT, 1), open_loop(shapes(), CHAT, 0.0)
    # A client that asks again and again meets its own last tokens in the API server.
    own_tokens = constants.HOST_QUEUE * constants.HOST_SECONDS_PER_TOKEN
    assert idle.ttft.mean == pytest.approx(alone.ttft.mean - own_tokens, rel=0.01)
    assert idle.inter_token.mean == pytest.approx(alone.inter_token.mean, rel=0.01)


def test_the_rate_asked_for_is_the_rate_served(shapes):
    for rate in (0.5, 10.0, 40.0):
        assert open_loop(shapes(), CHAT, rate).requests_per_second == pytest.approx(rate, rel=0.002)


def test_short_answers_of_a_mixture_come_no_faster_at_a_higher_rate(shapes):
    shape = shapes("openai/gpt-oss-120b", ranks=2, weights="nvfp4", max_num_seqs=256, max_num_batched_tokens=2048)
    short = Workload(prompt_tokens=16, output_tokens=2, length_cv=0.0)
    limit = open_loop(shape, short, 1e9)
    assert isinstance(limit, Saturated)
    latencies = [open_loop(shape, short, limit.capacity * share) for share in (0.1, 0.2, 0.4, 0.6, 0.8)]
    for slow, fast in pairwise(latencies):
        assert slow.inter_token.mean <= fast.inter_token.mean
        assert slow.ttft.mean <= fast.ttft.mean


def test_the_median_rises_with_the_mean_until_all_seats_are_taken(shapes):
    """Simulated medians at 90, 95, 98 and 99 %: 103, 250, 514, 514 ms; at most all are as late as with all seats taken."""
    shape = shapes("Qwen/Qwen2.5-72B-Instruct", "nvidia-rtx-pro-6000", 4, "nvfp4", max_num_batched_tokens=2048)
    shape = replace(shape, max_num_seqs=256, speculation=Speculation(tokens=8, acceptance=0.0))
    short = Workload(prompt_tokens=16, output_tokens=19.5, length_cv=0.0)
    limit = open_loop(shape, short, 1e9)
    assert isinstance(limit, Saturated)
    medians = [
        open_loop(shape, short, limit.capacity * share).inter_token.p50 for share in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
    ]

    assert sorted(medians) == medians
    assert 0.4 < medians[-1] < 0.7


def test_a_median_near_the_highest_rate_is_not_that_of_a_lone_request(shapes):
    """Simulated medians with 62 and 74 % accepted: 358 and 167 ms; a lone request sees 6."""
    shape = shapes("meta-llama/Llama-3.1-8B", "nvidia-a10", 2, "nvfp4", max_num_seqs=1024, max_num_batched_tokens=8192)
    head = eagle_head(shape.model)
    assert head is not None
    draft = Draft(model=head, weights=WeightFormat.BF16, shares_head=True)
    short = Workload(prompt_tokens=224, output_tokens=13.8, length_cv=0.0)
    worse, better = (
        open_loop(replace(shape, speculation=Speculation(tokens=5, acceptance=each, draft=draft)), short, 28.01)
        for each in (0.6228, 0.7409)
    )

    assert better.inter_token.p50 < worse.inter_token.p50
    assert 0.15 < worse.inter_token.p50 < 0.6
    assert 0.05 < better.inter_token.p50 < 0.3


def test_running_requests_obey_littles_law(shapes):
    latency = open_loop(shapes(), CHAT, 30.0)
    assert latency.running == pytest.approx(30.0 * 199 * latency.inter_token.mean, rel=0.01)


def test_a_closed_loop_of_as_many_clients_has_about_the_same_inter_token_latency(shapes):
    shape = shapes("meta-llama/Llama-3.1-70B", ranks=4, weights="fp8")
    closed = closed_loop(shape, LONG, 64)
    opened = open_loop(shape, LONG, closed.requests_per_second)
    assert opened.inter_token.mean == pytest.approx(closed.inter_token.mean, rel=0.1)


def test_beyond_saturation_the_answer_is_the_rate_that_can_be_sustained(shapes):
    found = open_loop(shapes(), CHAT, 500.0)
    assert isinstance(found, Saturated)
    assert 40 < found.capacity < 70
    assert isinstance(open_loop(shapes(), CHAT, 0.99 * found.capacity), Latency)


def test_prompts_alone_can_saturate_the_token_budget(shapes):
    shape, prompts = shapes(max_num_batched_tokens=2048), Workload(prompt_tokens=7000, output_tokens=8)
    found = open_loop(shape, prompts, 50.0)
    assert isinstance(found, Saturated)
    busy = open_loop(shape, prompts, 0.95 * found.capacity)
    assert busy.ttft.p95 > 3 * open_loop(shape, prompts, 0.1 * found.capacity).ttft.p95


@pytest.mark.parametrize("prompt", [22, 100, 300])
def test_short_answers_are_never_faster_than_the_arithmetic_of_their_tokens(shapes, prompt):
    shape = shapes(accelerator="nvidia-t4", weights="fp8")
    workload = Workload(prompt_tokens=prompt, output_tokens=2)
    served = service(shape, workload)
    assert isinstance(served, Service)

    found = capacity(shape, workload, None, None).requests_per_second
    assert 0.0 < found * (prompt + 1) * served.cost.arithmetic_per_token <= constants.MAX_THROUGHPUT_SHARE


def test_what_does_not_fit_is_unpredictable(shapes):
    assert isinstance(open_loop(shapes("meta-llama/Llama-3.1-70B"), CHAT, 1.0), Unpredictable)
    found = capacity(shapes("meta-llama/Llama-3.1-70B"), CHAT, 1.0, None)
    assert (0.0, Binding.KV_CACHE) == (found.requests_per_second, found.binding)
    assert isinstance(found.latency_at_zero, Unpredictable)


def test_at_capacity_both_objectives_hold_and_a_little_more_breaks_one(shapes):
    shape = shapes("meta-llama/Llama-3.1-70B", ranks=4, weights="fp8")
    found = capacity(shape, LONG, 0.6, 0.025)
    at, above = (open_loop(shape, LONG, found.requests_per_second * factor) for factor in (0.995, 1.02))
    assert at.ttft.p95 <= 0.6
    assert at.inter_token.p95 <= 0.025
    assert above.ttft.p95 > 0.6 or above.inter_token.p95 > 0.025


@pytest.mark.parametrize(
    ("shape", "workload", "ttft", "inter_token", "binding"),
    [
        ({"ranks": 4}, LONG, 0.4, None, Binding.TTFT),
        ({"ranks": 4}, LONG, None, 0.02, Binding.INTER_TOKEN),
        ({"ranks": 2}, LONG, None, None, Binding.KV_CACHE),
        ({"ranks": 8, "max_num_seqs": 16}, LONG, None, None, Binding.THROUGHPUT),
    ],
)
def test_capacity_names_what_limits_it(shapes, shape, workload, ttft, inter_token, binding):
    found = capacity(shapes("meta-llama/Llama-3.1-70B", weights="fp8", **shape), workload, ttft, inter_token)
    assert found.requests_per_second > 0
    assert found.binding == binding


@pytest.mark.parametrize(
    ("ttft", "inter_token", "binding"), [(0.005, None, Binding.TTFT), (1.0, 0.001, Binding.INTER_TOKEN)]
)
def test_an_objective_that_one_request_misses_leaves_no_capacity(shapes, ttft, inter_token, binding):
    found = capacity(shapes(), CHAT, ttft, inter_token)
    assert (0.0, binding) == (found.requests_per_second, found.binding)
    assert found.latency_at_zero.ttft.mean > 0.005


def test_running_requests_at_capacity_stay_clear_of_the_kv_cache(shapes):
    shape = shapes("meta-llama/Llama-3.1-70B", ranks=2, weights="fp8")
    found = capacity(shape, LONG, None, None)
    latency = open_loop(shape, LONG, found.requests_per_second)
    assert latency.kv_utilization < 0.8


def test_bursts_cost_capacity_and_regular_arrivals_gain_some(shapes):
    rates = [
        capacity(shapes(), replace(LONG, arrival_cv=cv), 0.6, 0.03).requests_per_second for cv in (0.5, 1.0, 2.0, 4.0)
    ]
    assert sorted(rates, reverse=True) == rates
    assert rates[0] > 1.05 * rates[-1]


def test_half_of_all_requests_are_faster_than_the_mean_where_few_wait_long(shapes):
    busy = open_loop(shapes(), CHAT, 45.0)
    assert busy.ttft.p50 < busy.ttft.mean < busy.ttft.p95 < busy.ttft.p99


def test_answers_that_vary_in_length_fill_the_cache_sooner(shapes):
    shape = shapes("meta-llama/Llama-3.1-70B", ranks=2, weights="fp8")
    equal, varied = (capacity(shape, replace(LONG, length_cv=cv), None, None) for cv in (0.0, 1.0))
    assert (Binding.KV_CACHE, Binding.KV_CACHE) == (equal.binding, varied.binding)
    assert varied.requests_per_second < 0.95 * equal.requests_per_second


@pytest.mark.parametrize("rate", [-1.0, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(shapes, rate):
    with pytest.raises(ValueError, match="finite"):
        open_loop(shapes(), CHAT, rate)


def test_margins_are_widest_where_nothing_was_measured():
    hopper, other = (uncertainty(accelerators()[name]).margins() for name in ("nvidia-h100-80gb", "nvidia-l4"))
    assert 1.0 < hopper.ttft < other.ttft
    assert 1.0 < hopper.inter_token < other.inter_token
    alone, pair = (uncertainty(accelerators()["nvidia-l40s"], ranks).margins() for ranks in (1, 2))
    assert alone.inter_token < pair.inter_token


@pytest.mark.parametrize(
    ("name", "ranks", "ttft", "inter_token"),
    [
        ("nvidia-h100-80gb", 1, 1.15, 1.06),
        ("nvidia-b200", 1, 1.35, 1.10),
        ("nvidia-l40s", 1, 1.35, 1.12),
        ("nvidia-l40s", 2, 1.35, 1.12 * 1.15),
    ],
)
def test_margins_of_a_family_are_those_that_were_checked_against_measurements(name, ranks, ttft, inter_token):
    found = uncertainty(accelerators()[name], ranks).margins()
    assert [ttft, inter_token] == pytest.approx([found.ttft, found.inter_token], abs=0.005)


def test_every_accelerator_has_margins_with_a_source():
    assert all(uncertainty(accelerator).source for accelerator in accelerators().values())
