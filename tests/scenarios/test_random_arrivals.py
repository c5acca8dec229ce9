"""Predicted latency under random arrivals against the simulated scheduler, a slice of the grid.

Covered: loads from a fifth to 85 % of the highest rate, arrivals more regular and burstier than Poisson, lengths that
vary, long prompts, prefix hits, few seats, much KV cache; answers of a few tokens of mixtures of experts; the closed loop
beyond its KV seats, beyond its seats, and where prefills fill nearly all steps. The whole grid is in tests/long. Not
covered: the API server, whose queue the simulation does not have; data-parallel ranks.
"""

import pytest

from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.latency import Latency, Saturated
from costpolicy.perf.open_loop import open_loop
from costpolicy.perf.shape import Workload
from costpolicy.simulation.replica.arrivals import ClosedLoop, OpenLoop
from costpolicy.simulation.replica.run import Length
from random_arrivals import LOADS, SHAPES, WORKLOADS, Case, compared, make_shape, plannable, served, size, spread, table

ARRIVALS = (1.0, 2.0, 1.0, 0.5)


def slice_of_the_grid():
    """Every pair of a shape and requests twice, with loads, arrivals and lengths in turn."""
    pairs = [(shape, requests) for shape in SHAPES for requests in WORKLOADS]
    for number, (shape, requests) in enumerate(2 * pairs):
        case = Case(
            shape=shape,
            requests=requests,
            length_cv=1.0 if number % 3 == 2 else 0.3,
            arrival_cv=ARRIVALS[number % len(ARRIVALS)],
            load=LOADS[number // len(ARRIVALS) % len(LOADS)],
        )
        if plannable(case):
            yield case


@pytest.fixture(scope="module")
def found():
    errors = compared(slice_of_the_grid(), 1000)
    print(table(errors, lambda case: case.load))
    assert len(errors) >= 40
    return errors


@pytest.mark.parametrize(
    ("figure", "median", "nine_in_ten"),
    [
        (("ttft", "mean"), 0.08, 0.30),
        (("ttft", "p50"), 0.06, 0.30),
        (("ttft", "p95"), 0.15, 0.45),
        (("ttft", "p99"), 0.20, 0.60),
        (("inter_token", "mean"), 0.04, 0.15),
        (("inter_token", "p50"), 0.04, 0.15),
        (("inter_token", "p95"), 0.12, 0.40),
        (("inter_token", "p99"), 0.15, 0.70),
    ],
)
def test_predicted_latency_is_near_the_simulated_scheduler(found, figure, median, nine_in_ten):
    middle, high = size(errors[figure] for errors in found.values())
    assert median > middle
    assert nine_in_ten > high


@pytest.mark.parametrize("latency", ["ttft", "inter_token"])
def test_p95_near_the_highest_load_is_not_too_low_and_not_twice_too_high(found, latency):
    busy = [errors[latency, "p95"] for case, errors in found.items() if case.load > 0.8 and case.length_cv < 1]
    low, _, high = spread(busy)
    assert 0.8 < low
    assert high < 2.0


@pytest.mark.parametrize(("shape", "requests"), [("8B L4", "chat"), ("70B FP8 2xH100", "long prompts")])
def test_twice_the_clients_that_the_kv_cache_seats_wait_as_long_as_simulated(shape, requests):
    workload = WORKLOADS[requests]
    alone = closed_loop(SHAPES[shape], workload, 1)
    assert isinstance(alone, Latency)
    clients = round(2 / alone.kv_utilization)
    predicted = closed_loop(SHAPES[shape], workload, clients)
    outcome = served(SHAPES[shape], workload, ClosedLoop(clients), Length(requests=10 * clients, warm_up=0.3), 1)
    assert predicted.ttft.mean / outcome.ttft().mean == pytest.approx(1.0, abs=0.25)
    assert predicted.inter_token.mean / outcome.inter_token().mean == pytest.approx(1.0, abs=0.15)
    assert outcome.preemptions > 0


def test_clients_beyond_all_seats_wait_as_long_as_simulated():
    shape = make_shape("meta-llama/Llama-3.1-8B", "nvidia-h100-80gb", 1, "bf16", max_num_seqs=256)
    balanced = Workload(prompt_tokens=400, output_tokens=400)
    for clients in (500, 700):  # the cache holds 500 when they are grown, and not 700
        predicted = closed_loop(shape, balanced, clients)
        outcome = served(shape, balanced, ClosedLoop(clients), Length(requests=4 * clients, warm_up=0.3), 1)
        assert predicted.ttft.mean / outcome.ttft().mean == pytest.approx(1.0, abs=0.1)
        assert predicted.inter_token.mean / outcome.inter_token().mean == pytest.approx(1.0, abs=0.1)


def test_prefills_that_fill_nearly_all_steps_delay_tokens_as_simulated():
    shape = make_shape("meta-llama/Llama-3.1-8B", "nvidia-t4", 8, "awq")
    prompts = Workload(prompt_tokens=2000, output_tokens=40)
    predicted = closed_loop(shape, prompts, 64)
    outcome = served(shape, prompts, ClosedLoop(64), Length(requests=640, warm_up=0.3), 1)
    assert predicted.ttft.mean / outcome.ttft().mean == pytest.approx(1.0, abs=0.5)
    assert predicted.inter_token.mean / outcome.inter_token().mean == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("model", "accelerator", "ranks", "weights", "workload"),
    [
        ("openai/gpt-oss-120b", "nvidia-h100-pcie", 2, "nvfp4", Workload(prompt_tokens=16, output_tokens=2)),
        ("Qwen/Qwen3-30B-A3B", "nvidia-rtx-a6000", 1, "fp8", Workload(prompt_tokens=200, output_tokens=20)),
    ],
)
def test_prompts_of_a_mixture_share_what_they_read_as_simulated(model, accelerator, ranks, weights, workload):
    shape = make_shape(model, accelerator, ranks, weights, max_num_seqs=256)
    limit = open_loop(shape, workload, 1e9)
    assert isinstance(limit, Saturated)
    for share in (0.1, 0.4, 0.7):
        predicted = open_loop(shape, workload, limit.capacity * share)
        outcome = served(shape, workload, OpenLoop(limit.capacity * share, 1.0), Length(requests=2000), 1)
        assert predicted.inter_token.mean / outcome.inter_token().mean == pytest.approx(1.0, abs=0.3)
        assert predicted.ttft.mean / outcome.ttft().mean == pytest.approx(1.0, abs=0.25)
