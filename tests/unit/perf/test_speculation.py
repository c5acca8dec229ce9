"""Speculative decoding in the performance model.

Covered: the closed form and its limits, what a step computes, what a draft takes of memory and time, published
speedups of vLLM on an H100.  Not covered: laws over shapes and loads (tests/properties), the choice of it
(tests/unit/planning/test_speculation.py), acceptance on anybody's own traffic.
"""

from dataclasses import replace

import pytest

from costpolicy.api.types import WeightFormat
from costpolicy.catalog.models import models
from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.constants import SPECULATION_HOST_SECONDS
from costpolicy.perf.latency import Latency
from costpolicy.perf.memory import memory_fit
from costpolicy.perf.service import Service, service
from costpolicy.perf.shape import EngineShape, Workload
from costpolicy.perf.speculation import ACCEPTANCES, Draft, Speculation, eagle_head
from costpolicy.perf.step import step_cost

CHAT = Workload(prompt_tokens=300, output_tokens=300)
SPEEDUPS = {1: 1.68, 16: 1.67, 64: 1.53, 128: 1.29}
"""Throughput with EAGLE and three tokens over that without, by batch: Llama-3.1-8B-Instruct on ShareGPT, one H100, vLLM
0.10.1; read from figure 1 of arXiv 2601.11580 to about 0.02."""


def eagle(shape: EngineShape, acceptance: float, tokens: int = 3) -> EngineShape:
    head = eagle_head(shape.model)
    assert head is not None
    draft = Draft(model=head, weights=WeightFormat.BF16, shares_head=True)
    return replace(shape, speculation=Speculation(tokens=tokens, acceptance=acceptance, draft=draft))


def ngram(shape: EngineShape, acceptance: float, tokens: int = 3) -> EngineShape:
    return replace(shape, speculation=Speculation(tokens=tokens, acceptance=acceptance))


def per_token(shape: EngineShape, clients: int = 1) -> float:
    """Mean inter-token latency of a closed loop in seconds."""
    found = closed_loop(shape, CHAT, clients)
    assert isinstance(found, Latency)
    return found.inter_token.mean


@pytest.mark.parametrize("acceptance", [0.1, 0.44, 0.62, 0.9, 0.999])
@pytest.mark.parametrize("tokens", [1, 3, 5])
def test_a_step_yields_what_the_closed_form_says(tokens: int, acceptance: float):
    expected = (1 - acceptance ** (tokens + 1)) / (1 - acceptance)

    assert expected == pytest.approx(Speculation(tokens=tokens, acceptance=acceptance).tokens_per_step)


def test_a_step_yields_one_token_where_nothing_is_accepted_and_all_where_everything_is():
    assert 1.0 == Speculation(tokens=5, acceptance=0.0).tokens_per_step
    assert 6.0 == Speculation(tokens=5, acceptance=1.0).tokens_per_step
    assert 1.0 == Speculation(tokens=0, acceptance=0.7).tokens_per_step


@pytest.mark.parametrize(("tokens", "acceptance"), [(-1, 0.5), (3, -0.1), (3, 1.1)])
def test_impossible_proposals_are_refused(tokens: int, acceptance: float):
    with pytest.raises(ValueError, match="must"):
        Speculation(tokens=tokens, acceptance=acceptance)


def test_a_step_computes_all_proposed_tokens_and_reads_each_cache_once(shapes):
    plain, speculating = step_cost(shapes()), step_cost(ngram(shapes(), 0.5))

    assert 4.0 == speculating.tokens_per_sequence
    longer = 100_000.0
    assert plain.decode(8, longer) - plain.decode(8, 0.0) == pytest.approx(
        speculating.decode(8, longer) - speculating.decode(8, 0.0)
    )
    # Nearly nothing where weights are read anyway, all of the arithmetic where they are not.
    assert speculating.decode(1, 0.0) - plain.decode(1, 0.0) < 1.02 * SPECULATION_HOST_SECONDS
    arithmetic = 3 * 2000 * plain.linear_per_token
    assert speculating.decode(2000, 0.0) - plain.decode(2000, 0.0) > 0.9 * arithmetic


def test_rejected_proposals_make_tokens_slower_and_most_of_all_in_large_batches(shapes):
    shape = shapes()
    slowdown = [per_token(ngram(shape, 0.0), clients) / per_token(shape, clients) for clients in (1, 64, 256)]

    assert 1.0 < slowdown[0] < slowdown[1] < slowdown[2]
    assert slowdown[2] > 1.5


def test_an_eagle_head_loads_one_layer_and_its_projection_and_keeps_one_layers_cache(shapes):
    shape = shapes()
    plain, speculating = memory_fit(shape), memory_fit(eagle(shape, 0.5))
    hidden, model = shape.model.hidden_size, shape.model
    layer = 2 * hidden * hidden + 2 * hidden * model.kv_heads * model.head_size + 3 * hidden * model.intermediate_size

    expected = 2 * (layer + 3 * hidden * hidden)
    assert expected == pytest.approx(plain.kv_cache_bytes - speculating.kv_cache_bytes, rel=1e-6)
    assert 33 / 32 == pytest.approx(speculating.cache.per_token / plain.cache.per_token)


def test_a_draft_model_takes_its_own_weights_and_cache(shapes):
    shape = shapes("meta-llama/Llama-3.1-70B", ranks=4)
    small = models().resolve("meta-llama/Llama-3.1-8B")
    assert small is not None
    draft = Draft(model=small, weights=WeightFormat.BF16)
    speculating = replace(shape, speculation=Speculation(tokens=3, acceptance=0.5, draft=draft))
    plain, with_draft = memory_fit(shape), memory_fit(speculating)

    assert 16.06e9 / 4 == pytest.approx(plain.kv_cache_bytes - with_draft.kv_cache_bytes, rel=0.01)
    assert (80 + 32) / 80 == pytest.approx(with_draft.cache.per_token / plain.cache.per_token)
    one = step_cost(replace(shape, model=small)).decode(1, 500)
    added = step_cost(speculating).decode(1, 500) - step_cost(shape).decode(1, 500)
    assert 3 * one == pytest.approx(added - SPECULATION_HOST_SECONDS, rel=0.02)


def test_what_an_eagle_head_of_experts_or_latents_looks_like_is_not_guessed():
    unknown = [one for one in models() if one.experts or one.mla is not None or one.global_layers < one.layers]

    assert unknown
    assert {None} == {eagle_head(one) for one in unknown}


def test_nothing_proposed_is_no_speculation(shapes):
    shape = shapes()

    assert closed_loop(shape, CHAT, 16) == closed_loop(ngram(shape, 0.7, tokens=0), CHAT, 16)


def test_an_answer_of_few_tokens_takes_whole_steps(shapes):
    short = replace(CHAT, output_tokens=3.0)
    found = service(ngram(shapes(), 1.0), short)

    assert isinstance(found, Service)
    assert (1.0, 2.0) == (found.decode_steps, found.tokens_per_step)


@pytest.mark.parametrize("clients", SPEEDUPS)
def test_published_speedups_are_not_exceeded_and_nearly_reached(shapes, clients: int):
    """At the mean acceptance of that text; on the cautious side, since verification is taken to cost what prefill does."""
    shape = shapes(max_num_seqs=256)
    predicted = per_token(shape, clients) / per_token(eagle(shape, ACCEPTANCES["eagle"].lowest), clients)

    assert 0.8 * SPEEDUPS[clients] <= predicted <= SPEEDUPS[clients]


def test_what_a_promise_rests_on_is_worse_than_every_mean():
    assert all(0.0 < one.cautious < one.lowest <= one.highest < 1.0 for one in ACCEPTANCES.values())
