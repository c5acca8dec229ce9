"""Laws of speculative decoding for any shape and load in range.

Covered: acceptance, nothing proposed, rejected proposals, batches that compute, the ceiling, finite answers.
Not covered: how large the gain is (tests/unit/perf/test_speculation.py), plans (tests/unit/planning/test_speculation.py).
"""

from dataclasses import replace
from math import isfinite

from hypothesis import assume, given
from hypothesis import strategies as st

from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.models import models
from costpolicy.perf.ceiling import ceiling
from costpolicy.perf.latency import Latency
from costpolicy.perf.open_loop import capacity, open_loop
from costpolicy.perf.shape import EngineShape, Workload
from costpolicy.perf.speculation import Draft, Speculation, eagle_head
from costpolicy.perf.step import step_cost

NOISE = 1.0 + 1e-3
"""The open loop is solved to a thousandth or better."""

acceptances = st.floats(0.0, 1.0)


@st.composite
def shapes(draw) -> EngineShape:
    return EngineShape(
        model=draw(st.sampled_from(tuple(models()))),
        accelerator=draw(st.sampled_from(tuple(accelerators().values()))),
        tensor_parallel_size=draw(st.sampled_from([1, 2, 4, 8])),
        weights=draw(st.sampled_from(WeightFormat)),
        kv_cache_dtype=draw(st.sampled_from(KvCacheDtype)),
        max_num_seqs=draw(st.sampled_from([8, 256, 1024])),
        max_num_batched_tokens=draw(st.sampled_from([2048, 8192])),
        max_model_len=8192,
    )


@st.composite
def workloads(draw) -> Workload:
    return Workload(
        prompt_tokens=draw(st.floats(16, 4000)),
        output_tokens=draw(st.floats(2, 2000)),
        length_cv=draw(st.sampled_from([0.0, 0.3])),
    )


def speculating(shape: EngineShape, acceptance: float, tokens: int, *, drafted: bool) -> EngineShape:
    """The shape with n-grams proposed, or tokens of an EAGLE head where it is known what that looks like."""
    head = eagle_head(shape.model) if drafted else None
    draft = None if head is None else Draft(model=head, weights=WeightFormat.BF16, shares_head=True)
    return replace(shape, speculation=Speculation(tokens=tokens, acceptance=acceptance, draft=draft))


@given(shapes(), workloads(), st.floats(0.001, 50), acceptances, acceptances, st.integers(1, 8), st.booleans())
def test_more_acceptance_is_never_slower(shape, workload, rate, one, other, tokens, drafted):
    worse, better = (
        open_loop(speculating(shape, acceptance, tokens, drafted=drafted), workload, rate)
        for acceptance in sorted((one, other))
    )
    if not isinstance(worse, Latency):
        return

    assert isinstance(better, Latency)
    assert better.inter_token.mean <= worse.inter_token.mean * NOISE
    assert better.inter_token.p50 <= worse.inter_token.p50 * NOISE


@given(shapes(), workloads(), st.floats(0.001, 50), acceptances)
def test_nothing_proposed_is_no_speculation(shape, workload, rate, acceptance):
    proposed = speculating(shape, acceptance, 0, drafted=False)

    assert open_loop(shape, workload, rate) == open_loop(proposed, workload, rate)


@given(shapes(), workloads(), st.floats(0.001, 50), st.integers(1, 8), st.booleans())
def test_rejected_proposals_never_help(shape, workload, rate, tokens, drafted):
    plain = open_loop(shape, workload, rate)
    rejected = open_loop(speculating(shape, 0.0, tokens, drafted=drafted), workload, rate)
    if not (isinstance(plain, Latency) and isinstance(rejected, Latency)):
        return

    assert rejected.inter_token.mean > plain.inter_token.mean
    assert rejected.ttft.mean > plain.ttft.mean


@given(shapes(), st.floats(0.0, 0.5), st.integers(2, 8))
def test_batches_that_compute_are_slower_with_proposals_that_are_half_accepted(shape, acceptance, tokens):
    cost = step_cost(shape)
    assume(cost.linear_per_token > cost.overhead_per_sequence)
    proposed = speculating(shape, acceptance, tokens, drafted=False)
    assert proposed.speculation is not None
    sequences = 20.0 * (cost.dense_read + cost.expert_read + cost.head_read) / cost.linear_per_token

    per_token = step_cost(proposed).decode(sequences, 0.0) / proposed.speculation.tokens_per_step
    assert per_token > cost.decode(sequences, 0.0)


@given(
    shapes(), workloads(), acceptances, st.integers(1, 8), st.booleans(), st.one_of(st.none(), st.floats(0.005, 0.2))
)
def test_no_setting_of_an_engine_that_speculates_exceeds_the_ceiling(
    shape, workload, acceptance, tokens, drafted, inter_token
):
    proposed = speculating(shape, acceptance, tokens, drafted=drafted)
    found, highest = capacity(proposed, workload, None, inter_token), ceiling(proposed, workload, 0.95)

    if highest is None:
        assert 0.0 == found.requests_per_second
    else:
        assert found.requests_per_second <= highest.within(inter_token) * NOISE


@given(shapes(), workloads(), st.floats(0.001, 50), acceptances, st.integers(1, 8), st.booleans())
def test_answers_are_finite_and_ordered(shape, workload, rate, acceptance, tokens, drafted):
    found = open_loop(speculating(shape, acceptance, tokens, drafted=drafted), workload, rate)
    if not isinstance(found, Latency):
        return

    for latency in (found.ttft, found.inter_token):
        assert 0.0 < latency.mean <= latency.p95 <= latency.p99
        assert isfinite(latency.p99)
