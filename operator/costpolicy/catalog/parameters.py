"""Count parameters and cached elements from an architecture's sizes, exactly, by where they sit."""

from dataclasses import dataclass
from functools import cache

from costpolicy.catalog.architecture import ArchitectureSizes, LinearAttention, Mla


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterCount:
    """Parameters of a whole model by part; ``active`` are those one token uses, ``total`` all of them.

    ``attention`` is projections, their biases and norms of queries and keys; ``mlp`` dense MLPs and shared
    experts; ``routed_experts`` all experts that a router chooses from; ``other`` routers, norms and encoders.
    ``active`` leaves out the experts that a token does not visit, and nothing else.
    """

    total: int
    active: int
    embedding: int
    lm_head: int
    attention: int
    mlp: int
    routed_experts: int
    other: int

    @property
    def linear(self) -> int:
        """Parameters that weight quantization covers: not embedding, head, routers, norms or encoders."""
        return self.attention + self.mlp + self.routed_experts


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedElements:
    """Elements of keys and values that one accelerator of a replica keeps.

    ``per_token`` for every token of the context (global layers); ``per_window_token`` for the last ``window``
    tokens only (local layers; 0 if there are none); ``per_sequence`` once, whatever its length (linear
    attention).
    """

    per_token: int
    per_window_token: int
    window: int
    per_sequence: int

    def of_sequence(self, tokens: int) -> int:
        """Return the elements that a sequence of so many tokens keeps."""
        return self.per_token * tokens + self.per_window_token * min(tokens, self.window) + self.per_sequence


@cache
def count_parameters(sizes: ArchitectureSizes) -> ParameterCount:
    """Return the parameters that an architecture of these sizes has."""
    embedding = sizes.vocabulary * sizes.hidden_size
    lm_head = 0 if sizes.tied_embeddings else embedding
    attention = _attention(sizes)
    expert = _gated_mlp(sizes.hidden_size, sizes.expert_intermediate_size)
    if sizes.expert_bias:
        expert += 2 * sizes.expert_intermediate_size + sizes.hidden_size
    routed = sizes.expert_layers * sizes.experts * expert
    visited = sizes.expert_layers * sizes.experts_per_token * expert
    mlp = (sizes.layers - sizes.expert_layers) * _gated_mlp(sizes.hidden_size, sizes.intermediate_size)
    mlp += sizes.expert_layers * _gated_mlp(sizes.hidden_size, sizes.shared_expert_intermediate_size)
    router = sizes.expert_layers * sizes.experts * (sizes.hidden_size + int(sizes.expert_bias))
    gate = sizes.expert_layers * sizes.hidden_size if sizes.shared_expert_gate else 0
    other = router + gate + (sizes.norms_per_layer * sizes.layers + 1) * sizes.hidden_size
    other += sizes.encoder_parameters
    total = embedding + lm_head + attention + mlp + routed + other
    return ParameterCount(
        total=total,
        active=total - routed + visited,
        embedding=embedding,
        lm_head=lm_head,
        attention=attention,
        mlp=mlp,
        routed_experts=routed,
        other=other,
    )


@cache
def cached_elements(sizes: ArchitectureSizes, tensor_parallel_size: int) -> CachedElements:
    """Return what one of ``tensor_parallel_size`` accelerators caches.

    Heads are divided; where there are fewer of keys and values than accelerators, each keeps a copy of one.
    The latent of MLA has no heads to divide: every accelerator keeps all of it.
    """
    if sizes.mla is not None:
        layer = sizes.mla.kv_lora_rank + sizes.mla.rope_head_size
    else:
        layer = 2 * max(1, -(-sizes.kv_heads // tensor_parallel_size)) * sizes.head_size
    local = sizes.layers - sizes.global_layers
    linear = sizes.linear_attention
    return CachedElements(
        per_token=sizes.global_layers * layer,
        per_window_token=0 if linear else local * layer,
        window=sizes.sliding_window or 0,
        per_sequence=local * _state(linear) // tensor_parallel_size if linear else 0,
    )


def _gated_mlp(hidden: int, intermediate: int) -> int:
    return 3 * hidden * intermediate


def _attention(sizes: ArchitectureSizes) -> int:
    full = sizes.layers if sizes.linear_attention is None else sizes.global_layers
    count = full * (_latent(sizes, sizes.mla) if sizes.mla else _grouped(sizes))
    if sizes.linear_attention is not None:
        count += (sizes.layers - full) * _gated_delta(sizes.hidden_size, sizes.linear_attention)
    return count


def _grouped(sizes: ArchitectureSizes) -> int:
    queries = sizes.attention_heads * sizes.head_size
    projected = queries * (2 if sizes.attention_gate else 1) + 2 * sizes.kv_heads * sizes.head_size
    count = sizes.hidden_size * (projected + queries)
    if sizes.attention_bias != "none":
        count += projected
    if sizes.attention_bias == "all":
        count += sizes.hidden_size
    return count + (2 * sizes.head_size if sizes.qk_norm else 0)


def _latent(sizes: ArchitectureSizes, mla: Mla) -> int:
    hidden, heads = sizes.hidden_size, sizes.attention_heads
    query_width = heads * (mla.nope_head_size + mla.rope_head_size)
    rank = mla.q_lora_rank
    queries = hidden * query_width if rank is None else hidden * rank + rank + rank * query_width
    down = hidden * (mla.kv_lora_rank + mla.rope_head_size) + mla.kv_lora_rank
    up = mla.kv_lora_rank * heads * (mla.nope_head_size + mla.value_head_size)
    return queries + down + up + heads * mla.value_head_size * hidden


def _gated_delta(hidden: int, linear: LinearAttention) -> int:
    keys = linear.key_heads * linear.key_head_size
    values = linear.value_heads * linear.value_head_size
    projections = hidden * (2 * keys + 2 * values + 2 * linear.value_heads) + values * hidden
    convolution = (2 * keys + values) * linear.convolution_kernel
    return projections + convolution + 2 * linear.value_heads + linear.value_head_size


def _state(linear: LinearAttention) -> int:
    recurrent = linear.value_heads * linear.key_head_size * linear.value_head_size
    channels = 2 * linear.key_heads * linear.key_head_size + linear.value_heads * linear.value_head_size
    return recurrent + channels * (linear.convolution_kernel - 1)
