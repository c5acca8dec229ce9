"""What fits in one replica's memory: weights, activations, CUDA graphs, and the KV cache that is left.

vLLM takes ``gpu_memory_utilization`` of each accelerator, loads the weights, runs the largest step once to
find the activation peak, and gives the rest to the KV cache (vLLM 0.11 to 0.33, ``gpu_worker``); CUDA graphs
are captured afterwards, outside that share.
"""

from dataclasses import replace
from math import ceil
from typing import NamedTuple

from costpolicy.api.types import KvCacheDtype
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.catalog.formats import FORMATS, expert_bytes, weight_bytes
from costpolicy.catalog.parameters import CachedElements, cached_elements, count_parameters
from costpolicy.perf import constants
from costpolicy.perf.shape import EngineShape

_CAPTURE_LIMIT = 512
_SIXTEEN_BITS = 2


class CacheBytes(NamedTuple):
    """Bytes of KV cache on one accelerator: by context token, by token inside the window, and by sequence."""

    per_token: float
    per_window_token: float
    window: float
    per_sequence: float

    def of_sequence(self, tokens: float) -> float:
        """Return the bytes that one sequence of so many tokens keeps on one accelerator."""
        return self.per_token * tokens + self.per_window_token * min(tokens, self.window) + self.per_sequence


class MemoryFit(NamedTuple):
    """How one replica's memory divides; bytes are per accelerator unless named otherwise.

    ``weights_bytes`` is over all accelerators, copies of replicated KV projections and a model that proposes tokens not
    counted.
    ``kv_cache_bytes`` and ``kv_cache_tokens`` may be negative: by that much the weights do not fit.
    ``kv_cache_tokens`` is of the whole replica, all ``ranks`` of data parallelism, and, for models with local or linear
    layers, counts sequences of ``max_model_len`` as vLLM's ``kv_cache_size_tokens`` does.
    """

    weights_bytes: int
    weights_bytes_per_accelerator: int
    activation_bytes: int
    graph_bytes: int
    kv_cache_bytes: int
    kv_cache_tokens: int
    cache: CacheBytes
    ranks: int = 1

    @property
    def rank_tokens(self) -> int:
        """KV-cache tokens of one rank: no sequence is longer, and it is what each of vLLM's engines reports."""
        return self.kv_cache_tokens // self.ranks

    @property
    def fits(self) -> bool:
        """Whether the weights fit and at least one token of KV cache is left."""
        return self.kv_cache_tokens > 0

    def max_concurrency_at(self, context: float) -> float:
        """Return how many sequences of ``context`` tokens one rank's KV cache holds at once (0 if nothing fits)."""
        return max(0.0, self.kv_cache_bytes / self.cache.of_sequence(max(1.0, context)))


def memory_fit(shape: EngineShape) -> MemoryFit:
    """Return how a shape's memory divides.

    KV-cache tokens were within 0.2 % of what vLLM 0.25.1 reported on H100 and H200 (five start-ups).
    """
    model, ranks = shape.model, shape.data_parallel_size
    weights = weight_bytes(model, shape.weights)
    of_a_rank = weights + _copied_weight_bytes(shape) - _bytes_of_other_ranks(shape)
    weights_here = ceil(of_a_rank / shape.tensor_parallel_size)
    memory = shape.accelerator.memory_bytes
    taken = round(memory * shape.gpu_memory_utilization)
    activations = _activation_bytes(shape)
    graphs = _graph_bytes(shape)
    reserved = constants.RESERVED_BYTES + (constants.COMMUNICATION_BYTES if shape.accelerators > 1 else 0)
    overflow = max(0, graphs - (memory - taken))
    proposing = _proposing_bytes(shape)
    left = round((taken - weights_here - proposing - activations - reserved - overflow) * shape.kv_cache_factor)
    cache = _all_cache_bytes(shape)
    longest = shape.max_model_len
    return MemoryFit(
        weights_bytes=weights,
        weights_bytes_per_accelerator=weights_here,
        activation_bytes=activations,
        graph_bytes=graphs,
        kv_cache_bytes=left,
        kv_cache_tokens=ranks * int(left / cache.of_sequence(longest) * longest),
        cache=cache,
        ranks=ranks,
    )


def cache_bytes(shape: EngineShape) -> CacheBytes:
    """Return the KV-cache bytes that one accelerator of a shape keeps for a sequence."""
    width = 1 if shape.kv_cache_dtype is KvCacheDtype.FP8 else _SIXTEEN_BITS
    elements: CachedElements = cached_elements(shape.model, shape.tensor_parallel_size)
    return CacheBytes(
        per_token=width * elements.per_token,
        per_window_token=width * elements.per_window_token,
        window=elements.window,
        per_sequence=_SIXTEEN_BITS * elements.per_sequence,
    )


def _proposing_bytes(shape: EngineShape) -> int:
    """Return the bytes that one accelerator holds of the model that proposes tokens, if one does."""
    draft = shape.speculation.draft if shape.speculation is not None else None
    return 0 if draft is None else ceil(draft.loaded_bytes / shape.tensor_parallel_size)


def _all_cache_bytes(shape: EngineShape) -> CacheBytes:
    """Return the KV-cache bytes of a sequence, with those of the model that proposes tokens (windows held in full)."""
    cache = cache_bytes(shape)
    draft = shape.speculation.draft if shape.speculation is not None else None
    if draft is None:
        return cache
    more = cache_bytes(replace(shape, model=draft.model, speculation=None))
    return cache._replace(
        per_token=cache.per_token + more.per_token + more.per_window_token,
        per_sequence=cache.per_sequence + more.per_sequence,
    )


def _copied_weight_bytes(shape: EngineShape) -> int:
    """Return the extra bytes of KV projections where there are more accelerators than KV heads."""
    model, ranks = shape.model, shape.tensor_parallel_size
    if model.mla is not None or ranks <= model.kv_heads:
        return 0
    projections = 2 * model.layers * model.hidden_size * model.kv_heads * model.head_size
    whole = count_parameters(model).linear
    return round(weight_bytes(model, shape.weights) * projections / whole * (ranks / model.kv_heads - 1))


def _bytes_of_other_ranks(shape: EngineShape) -> int:
    """Return the bytes of routed experts that one data-parallel rank leaves to the others, less what it holds more.

    With expert parallelism an accelerator holds whole experts: the one with the most of them decides.  Where tensor
    parallelism is used too, each keeps the shared experts whole (vLLM's sequence-parallel experts, 0.17 to 0.32).
    """
    model, ranks = shape.model, shape.tensor_parallel_size
    if shape.data_parallel_size == 1 or not model.experts:
        return 0
    routed = expert_bytes(model, shape.weights)
    held = routed * shape.experts_per_accelerator // model.experts
    shared = 3 * model.expert_layers * model.hidden_size * model.shared_expert_intermediate_size
    copied = (ranks - 1) * ceil(shared * FORMATS[shape.weights].bits_per_parameter / 8)
    return routed - ranks * held - copied


def _activation_bytes(shape: EngineShape) -> int:
    """Return the activation peak: the widest MLP on a full step, or the sampler's logits of a full batch."""
    model, ranks = shape.model, shape.tensor_parallel_size
    tokens = shape.max_num_batched_tokens
    # Gate and up projections (twice the width) and their product are alive together.
    hidden = constants.ACTIVATION_HIDDEN_COPIES * model.hidden_size
    step = tokens * _SIXTEEN_BITS * (3 * _widest_mlp(model) / ranks + hidden)
    # Logits in 16 bits and a copy in 32; gathered to every rank.
    sampler = min(shape.max_num_seqs, tokens) * model.vocabulary * 6
    return round(max(step + _gathered_bytes(shape), sampler))


def _gathered_bytes(shape: EngineShape) -> int:
    """Return the bytes that experts shared out over data-parallel ranks work on in a full step of all ranks.

    Each accelerator gathers the tokens of all, adds its experts' outputs up for all, and reserves two work spaces of a
    row for each token and each expert that it visits, wherever that is: the wider of gate with up projection and hidden
    size (vLLM 0.18 to 0.32, ``TritonExperts.workspace_shapes`` and others alike; 0.17 takes less, in chunks).
    """
    model, ranks = shape.model, shape.data_parallel_size
    if ranks == 1 or not model.experts:
        return 0
    row = model.experts_per_token * max(2 * model.expert_intermediate_size, model.hidden_size)
    return ranks * shape.max_num_batched_tokens * _SIXTEEN_BITS * 2 * (row + model.hidden_size)


def _widest_mlp(model: ModelArchitecture) -> int:
    routed = model.experts_per_token * model.expert_intermediate_size + model.shared_expert_intermediate_size
    return max(model.intermediate_size, routed)


def _graph_bytes(shape: EngineShape) -> int:
    """Return the memory of CUDA graphs: one per captured batch size, piecewise and (up to the batch) full."""
    piecewise = _captured_sizes(min(_CAPTURE_LIMIT, 2 * shape.max_num_seqs))
    full = _captured_sizes(min(_CAPTURE_LIMIT, shape.max_num_seqs))
    return shape.model.layers * constants.GRAPH_BYTES_PER_LAYER * (piecewise + full)


def _captured_sizes(largest: int) -> int:
    # 1, 2, 4, then by 8 below 256 and by 16 from there (vLLM's cudagraph_capture_sizes).
    return 3 + min(largest, 255) // 8 + max(0, (largest - 256) // 16 + 1 if largest >= 256 else 0)
