"""Laws the performance model obeys for any shape and workload in range.

Covered: finite and positive answers; monotone in concurrency, rate, tensor parallelism (NVLink), bandwidth, prefix
hits, memory by format; capacity monotone in objectives. Not covered: error against measurements.
"""

from dataclasses import replace
from math import isfinite

from hypothesis import assume, given
from hypothesis import strategies as st

from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.models import models
from costpolicy.perf.admission import outgrows, played
from costpolicy.perf.ceiling import ceiling
from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.latency import Latency, Saturated, Unpredictable
from costpolicy.perf.memory import memory_fit
from costpolicy.perf.open_loop import capacity, open_loop
from costpolicy.perf.service import Service, service
from costpolicy.perf.shape import EngineShape, Workload

NOISE = 1.0 + 1e-3
"""The open loop is solved to a thousandth or better."""

CLOSED_NOISE = 1.03
"""The closed loop's terms trade against each other by up to 2 % where outputs have a few tokens only."""

QUANTILES = ("mean", "p50", "p95", "p99")

FLUCTUATION = 1.05
"""As the last seats fill, the requests in them fluctuate less, and with them inter-token latency."""

EXPERT_FLUCTUATION = 1.5
"""Few requests read few experts each: a step grows fast with the first ones, and varies most with them."""

TAIL = 1.03
"""A gamma distribution's p99 falls by up to 1.6 % while its mean rises at the same variance; and where prompts read a
mixture's experts in nearly every step, not in few, waits vary a little less, while the longest stay as long."""

FILLED = 1.1
"""Faster memory that shortens a whole answer by no more than this finds steps that arithmetic fills."""
MORE_OF_A_CYCLE = 1.35
"""Where prompts' arithmetic fills the cycle of a closed loop it stays as long, and of a shorter wait for the first token more is
left to the steps that decode: a limit of the model (docs/decisions/0041-prompts-that-share-a-step.md)."""

catalogue_models = st.sampled_from(tuple(models()))
catalogue_accelerators = st.sampled_from(tuple(accelerators().values()))
nvlinked = st.sampled_from([each for each in accelerators().values() if each.interconnect.kind == "nvlink"])


@st.composite
def workloads(draw):
    prompt = draw(st.floats(16, 6000))
    return Workload(
        prompt_tokens=prompt,
        output_tokens=draw(st.floats(2, 2000)),
        cached_tokens=prompt * draw(st.floats(0, 0.95)),
        length_cv=draw(st.sampled_from([0.0, 0.1, 0.3, 1.0])),
        arrival_cv=draw(st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0])),
    )


@st.composite
def shapes(draw, of=catalogue_accelerators):
    accelerator, model = draw(of), draw(catalogue_models)
    return EngineShape(
        model=model,
        data_parallel_size=draw(st.sampled_from([1, 2, 4, 8] if model.experts else [1])),
        accelerator=accelerator,
        tensor_parallel_size=draw(st.sampled_from([1, 2, 4, 8])),
        weights=draw(st.sampled_from(WeightFormat)),
        kv_cache_dtype=draw(st.sampled_from(KvCacheDtype)),
        max_num_seqs=draw(st.sampled_from([8, 256, 1024])),
        max_num_batched_tokens=draw(st.sampled_from([2048, 8192, 16384])),
        max_model_len=8192,
        step_factor=draw(st.sampled_from([1.0, 0.9, 1.25])),
    )


def answered(shape: EngineShape, workload: Workload, concurrency: float) -> Latency:
    found = closed_loop(shape, workload, concurrency)
    assume(isinstance(found, Latency))
    return found


def thrashing(shape: EngineShape, workload: Workload, clients: int) -> float:
    """By what factor requests that are thrown out of a full KV cache compute more tokens than their own.

    A token that is computed again takes no more than one that is decoded, but that a data-parallel rank computes a prompt
    while all others wait.
    """
    served = service(shape, workload)
    assert isinstance(served, Service)
    if not outgrows(served, workload, clients):
        return 1.0
    again = played(served, workload, clients, (shape.max_num_seqs, shape.max_num_batched_tokens)).recomputed
    return 1.0 + shape.data_parallel_size * again * served.prompt / (served.prompt + served.output_tokens)


def whole_answer(latency: Latency, workload: Workload) -> float:
    """Seconds from a request to its last token."""
    return latency.ttft.mean + latency.inter_token.mean * (workload.output_tokens - 1)


def figures(latency: Latency) -> list[float]:
    return [
        *(getattr(latency.ttft, name) for name in QUANTILES),
        *(getattr(latency.inter_token, name) for name in QUANTILES),
        latency.output_tokens_per_second,
        latency.requests_per_second,
        latency.running,
        latency.kv_utilization,
    ]


@given(shapes(), workloads(), st.floats(1, 2000), st.one_of(st.none(), st.floats(1, 100)))
def test_closed_loop_answers_are_finite_and_positive(shape, workload, concurrency, rounds):
    found = closed_loop(shape, workload, concurrency, rounds)
    if isinstance(found, Unpredictable):
        assert found.reason
    else:
        assert all(isfinite(figure) and figure > 0 for figure in figures(found))
        assert found.ttft.mean <= found.ttft.p95
        assert found.inter_token.mean <= found.inter_token.p95
        assert found.running <= concurrency


@given(shapes(), workloads(), st.floats(0.001, 500))
def test_open_loop_answers_are_finite_and_positive(shape, workload, rate):
    found = open_loop(shape, workload, rate)
    match found:
        case Latency():
            assert all(isfinite(figure) and figure > 0 for figure in figures(found))
            for quantiles in (found.ttft, found.inter_token):
                assert quantiles.mean <= quantiles.p95 <= quantiles.p99
                assert quantiles.p50 <= quantiles.p95
        case Saturated():
            assert 0 < found.capacity <= rate
        case Unpredictable():
            assert found.reason


@given(shapes(), workloads(), st.floats(0.05, 0.9), st.floats(1.1, 3))
def test_burstier_arrivals_never_start_sooner(shape, workload, share, factor):
    limit = open_loop(shape, workload, 1e9)
    assume(isinstance(limit, Saturated))
    even = open_loop(shape, workload, limit.capacity * share)
    bursty = open_loop(shape, replace(workload, arrival_cv=workload.arrival_cv * factor), limit.capacity * share)
    assume(isinstance(bursty, Latency))  # bursts saturate a little earlier
    for name in ("mean", "p95", "p99"):
        assert getattr(even.ttft, name) <= getattr(bursty.ttft, name) * NOISE


@given(shapes(), workloads(), st.integers(1, 500), st.integers(2, 4))
def test_more_clients_never_get_faster_answers_or_less_throughput(shape, workload, clients, factor):
    few, many = answered(shape, workload, clients), answered(shape, workload, clients * factor)
    # A second client's decode reads experts that a first prefill then shares: up to a seventh of TTFT.
    assert few.ttft.mean <= many.ttft.mean * (1.15 if shape.model.experts else CLOSED_NOISE)
    # The first of a queue holds up the others until its prompt finds room: fewer run than when all just fit.
    room = max(1.0, few.running / many.running)
    assert few.inter_token.mean <= many.inter_token.mean * room * CLOSED_NOISE
    again = thrashing(shape, workload, clients * factor)
    assert few.requests_per_second <= many.requests_per_second * again * CLOSED_NOISE


@given(shapes(), workloads(), st.floats(0.01, 0.9), st.floats(1.05, 4))
def test_a_higher_rate_never_gets_faster_answers(shape, workload, share, factor):
    workload = replace(workload, arrival_cv=1.0)
    limit = open_loop(shape, workload, 1e9)
    assume(isinstance(limit, Saturated))
    slow = open_loop(shape, workload, limit.capacity * share)
    fast = open_loop(shape, workload, min(limit.capacity * 0.99, limit.capacity * share * factor))
    less = EXPERT_FLUCTUATION if shape.model.experts else FLUCTUATION
    assert slow.inter_token.mean <= fast.inter_token.mean * NOISE
    assert slow.inter_token.p95 <= fast.inter_token.p95 * less
    for name, more in (("mean", NOISE), ("p95", NOISE), ("p99", TAIL)):
        assert getattr(slow.ttft, name) <= getattr(fast.ttft, name) * more


@given(shapes(nvlinked), workloads(), st.floats(1, 200))
def test_twice_the_accelerators_decode_no_slower_unless_overheads_rule(shape, workload, clients):
    assume(shape.tensor_parallel_size > 1)  # from 1 to 2 all-reduces begin
    # A faster accelerator meets the API server's limit; of more ranks' experts the heaviest share is more uneven.
    shape = replace(shape, api_servers=1000, data_parallel_size=1)
    narrow = answered(shape, workload, clients)
    wide = answered(replace(shape, tensor_parallel_size=2 * shape.tensor_parallel_size), workload, clients)
    assume(narrow.running == wide.running)  # more cache seats more requests, who then share the step
    assert wide.inter_token.mean <= narrow.inter_token.mean * 1.05
    assert wide.ttft.mean <= narrow.ttft.mean * 1.05


@given(shapes(), workloads(), st.floats(1, 200), st.floats(1.01, 3))
def test_more_memory_bandwidth_is_never_slower(shape, workload, clients, factor):
    faster = replace(shape.accelerator, memory_bandwidth=shape.accelerator.memory_bandwidth * factor)
    usual = answered(shape, workload, clients)
    quick = answered(replace(shape, accelerator=faster), workload, clients)
    assert quick.requests_per_second >= usual.requests_per_second / CLOSED_NOISE
    before, after = (whole_answer(each, workload) for each in (usual, quick))
    assert after <= before * CLOSED_NOISE
    is_filled = after >= before / FILLED
    assert quick.inter_token.mean <= usual.inter_token.mean * (MORE_OF_A_CYCLE if is_filled else CLOSED_NOISE)


@given(shapes(), workloads(), st.floats(1, 200), st.floats(1.01, 2))
def test_longer_steps_are_never_faster(shape, workload, clients, factor):
    shape = replace(shape, api_servers=1000)  # shorter ones meet the API server's limit
    usual = answered(shape, workload, clients)
    slow = answered(replace(shape, step_factor=shape.step_factor * factor), workload, clients)
    assert whole_answer(slow, workload) >= whole_answer(usual, workload) / CLOSED_NOISE
    assert slow.inter_token.mean >= usual.inter_token.mean / CLOSED_NOISE
    assert slow.requests_per_second <= usual.requests_per_second * CLOSED_NOISE


@given(shapes(), workloads(), st.floats(1, 200), st.floats(0, 1))
def test_more_prefix_hits_are_never_slower(shape, workload, clients, share):
    fewer = replace(workload, cached_tokens=workload.cached_tokens * share)
    shape = replace(shape, api_servers=1000)  # more throughput meets the API server's limit
    cold, warm = answered(shape, fewer, clients), answered(shape, workload, clients)
    assert warm.requests_per_second >= cold.requests_per_second / CLOSED_NOISE
    assert warm.ttft.mean <= cold.ttft.mean * 1.15 or warm.running > cold.running


@given(shapes())
def test_fewer_bits_never_need_more_memory(shape):
    formats = [WeightFormat.BF16, WeightFormat.FP8, WeightFormat.NVFP4, WeightFormat.AWQ]
    fits = [memory_fit(replace(shape, weights=form)) for form in formats]
    assume(shape.model.expert_bits is None)  # experts published in 4 bits grow in FP8
    assert sorted(fits, key=lambda fit: fit.weights_bytes, reverse=True) == fits
    assert sorted(fits, key=lambda fit: fit.kv_cache_tokens) == fits


@given(shapes())
def test_an_fp8_cache_holds_at_least_as_many_tokens(shape):
    wide, narrow = (memory_fit(replace(shape, kv_cache_dtype=dtype)) for dtype in KvCacheDtype)
    assume(wide.fits)
    assert narrow.kv_cache_tokens >= wide.kv_cache_tokens


@given(shapes(), workloads(), st.floats(0.05, 5), st.floats(0.005, 0.2), st.floats(1, 3))
def test_looser_objectives_never_lower_capacity(shape, workload, ttft, inter_token, factor):
    tight = capacity(shape, workload, ttft, inter_token)
    for loose in (
        capacity(shape, workload, ttft * factor, inter_token),
        capacity(shape, workload, ttft, inter_token * factor),
        capacity(shape, workload, None, None),
    ):
        assert loose.requests_per_second >= tight.requests_per_second / (NOISE * NOISE)


@given(shapes(), workloads(), st.floats(0.05, 5), st.floats(0.005, 0.2))
def test_at_capacity_the_objectives_hold(shape, workload, ttft, inter_token):
    found = capacity(shape, workload, ttft, inter_token)
    assume(found.requests_per_second > 0)
    latency = open_loop(shape, workload, found.requests_per_second * 0.99)
    assert latency.ttft.p95 <= ttft * NOISE
    assert latency.inter_token.p95 <= inter_token * NOISE
    assert found.latency_at_zero.ttft.p95 <= ttft


@given(shapes(), workloads(), st.sampled_from([None, 0.01, 0.03, 0.1, 1.0]), st.sampled_from([None, 0.2, 2.0]))
def test_no_setting_exceeds_the_ceiling(shape, workload, inter_token, ttft):
    found = capacity(shape, workload, ttft, inter_token)
    highest = ceiling(shape, workload, 0.95)

    if highest is None:
        assert 0.0 == found.requests_per_second
    else:
        assert found.requests_per_second <= highest.within(inter_token) * NOISE
        if found.requests_per_second > 0.0 and ttft is not None:
            assert highest.first_token <= ttft
        if found.requests_per_second > 0.0 and inter_token is not None:
            assert highest.decode <= inter_token
