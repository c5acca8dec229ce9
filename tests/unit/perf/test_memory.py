"""What fits in memory, by hand-computed cases.

Covered: format, tensor parallelism, replicated KV heads, latent and local attention, a model too big, the
share that the engine may take, CUDA graphs. Not covered: the engine's own figures (test_accuracy.py).
"""

from dataclasses import replace

import pytest

from costpolicy.catalog.architecture import Mla, ModelArchitecture
from costpolicy.perf.memory import cache_bytes, memory_fit

GIB = 2**30


@pytest.fixture
def local(shapes):
    """A model of 4 layers, one of them global, window 1024."""
    model = ModelArchitecture(
        id="local",
        layers=4,
        hidden_size=1024,
        attention_heads=8,
        kv_heads=4,
        head_size=128,
        intermediate_size=4096,
        vocabulary=32000,
        sliding_window=1024,
        full_attention_layers=1,
        context_length=32768,
    )
    return replace(shapes(max_model_len=32768), model=model)


def test_8b_in_bf16_takes_two_bytes_a_parameter(shapes):
    assert memory_fit(shapes()).weights_bytes / GIB == pytest.approx(8.03e9 * 2 / GIB, rel=0.001)


def test_fp8_keeps_embedding_and_output_head_in_16_bits(shapes):
    head = 2 * 128256 * 4096
    assert memory_fit(shapes(weights="fp8")).weights_bytes == pytest.approx(8.03e9 + head, rel=0.001)


def test_70b_in_bf16_does_not_fit_one_80_gb_accelerator_and_fits_two(shapes):
    alone, pair = (memory_fit(shapes("meta-llama/Llama-3.1-70B", ranks=ranks)) for ranks in (1, 2))
    assert (False, True) == (alone.fits, pair.fits)
    assert alone.kv_cache_tokens < 0
    assert alone.max_concurrency_at(1000) == 0.0


def test_a_cached_token_of_llama_8b_is_128_kib_and_half_in_fp8(shapes):
    assert cache_bytes(shapes()).per_token == 128 * 1024
    assert cache_bytes(shapes(kv_cache="fp8")).per_token == 64 * 1024


def test_kv_heads_are_divided_and_copied_where_there_are_fewer_than_accelerators(shapes):
    per_token = [cache_bytes(shapes(ranks=ranks)).per_token / 1024 for ranks in (1, 2, 8, 16)]
    assert [128, 64, 16, 16] == per_token


def test_sixteen_accelerators_hold_a_second_copy_of_kv_projections(shapes):
    eight, sixteen = (memory_fit(shapes(ranks=ranks)) for ranks in (8, 16))
    copied = 2 * 2 * 32 * 4096 * 8 * 128
    whole = sixteen.weights_bytes_per_accelerator * 16 - eight.weights_bytes_per_accelerator * 8
    assert whole == pytest.approx(copied, rel=0.2)


def test_a_latent_cache_is_not_divided_by_tensor_parallelism(shapes):
    mla = Mla(kv_lora_rank=512, rope_head_size=64, nope_head_size=128, value_head_size=128)
    model = replace(shapes().model, mla=mla)
    per_token = {cache_bytes(replace(shapes(ranks=ranks), model=model)).per_token for ranks in (1, 8)}
    assert {32 * 576 * 2} == per_token


def test_local_layers_keep_a_window_only(local):
    cache = cache_bytes(local)
    layer = 2 * 2 * 4 * 128
    assert cache.of_sequence(512) == 4 * layer * 512
    assert cache.of_sequence(8192) == layer * 8192 + 3 * layer * 1024


def test_kv_cache_tokens_count_sequences_of_the_longest_length_as_the_engine_does(local):
    fit = memory_fit(local)
    assert fit.kv_cache_tokens == pytest.approx(fit.max_concurrency_at(32768) * 32768, abs=1)
    assert fit.max_concurrency_at(1024) > fit.kv_cache_tokens / 32768 * 8


def test_a_larger_step_leaves_less_for_the_cache(shapes):
    small, large = (memory_fit(shapes(max_num_batched_tokens=tokens)) for tokens in (2048, 32768))
    assert small.activation_bytes < large.activation_bytes
    assert small.kv_cache_tokens > large.kv_cache_tokens


def test_memory_share_moves_the_cache_by_that_share(shapes):
    low, high = (memory_fit(shapes(gpu_memory_utilization=share)) for share in (0.90, 0.92))
    assert high.kv_cache_bytes - low.kv_cache_bytes == pytest.approx(0.02 * 81559 * 2**20, abs=2)


def test_graphs_take_from_the_cache_only_what_the_rest_of_memory_does_not_hold(shapes):
    usual, full = memory_fit(shapes()), memory_fit(shapes(gpu_memory_utilization=1.0))
    assert 0.9 * GIB < usual.graph_bytes < 1.1 * GIB
    without = usual.kv_cache_bytes + round(0.08 * 81559 * 2**20)
    assert full.kv_cache_bytes == pytest.approx(without - full.graph_bytes, abs=4)


@pytest.mark.parametrize(
    "wrong",
    [{"ranks": 0}, {"max_num_seqs": 0}, {"gpu_memory_utilization": 0.0}, {"gpu_memory_utilization": 1.5}],
)
def test_an_impossible_shape_is_refused(shapes, wrong):
    with pytest.raises(ValueError, match="must be"):
        shapes(**wrong)
