"""Seconds of one engine step: a roofline over linear layers and output head, attention, all-reduces,
overheads.

Data-parallel ranks step together, so a step is that of the fullest rank: its own attention and dense layers, the
accelerator with the most work of the experts of all ranks' tokens, and the exchange of those tokens.  The engine's own
way of that (``allgather_reducescatter``, the default of vLLM 0.11 to 0.33) gathers all tokens on each accelerator before
the experts of a layer and adds their outputs up and scatters them behind: over a ring as many bytes as one all-reduce.
"""

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Final

from costpolicy.api.types import KvCacheDtype
from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.catalog.formats import FORMATS, compute_dtype, weight_bytes
from costpolicy.catalog.parameters import count_parameters
from costpolicy.perf import constants
from costpolicy.perf.fitted import FITTED, Fitted
from costpolicy.perf.memory import CacheBytes, cache_bytes
from costpolicy.perf.ranks import fullest
from costpolicy.perf.shape import EngineShape

_SIXTEEN_BITS = 2
_FLASH_ATTENTION_3 = 9
"""Major compute capability on which vLLM decodes with FlashAttention 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCost:
    """The cost coefficients of one engine shape; all in seconds per named unit.

    ``dense_read`` and ``expert_read`` are whole passes over the weights that every token uses and over all
    routed experts; a step reads the share of experts that its tokens touch.  With speculation a step computes
    ``tokens_per_sequence`` of each that decodes, after ``proposals`` passes of ``proposing``, and waits for the host.
    With data-parallel ``ranks`` each token costs what is named ``of_all`` too, whichever rank it is on, and everything
    else on its own rank, which takes at most ``prompts_per_rank`` prompts in a step.
    """

    dense_read: float
    expert_read: float
    untouched_by_token: float
    linear_per_token: float
    head_read: float
    head_per_row: float
    read_per_context_token: float
    read_per_window_token: float
    window: float
    attention_per_pair: float
    allreduce: float
    allreduce_per_token: float
    layer_overhead: float
    overhead_per_sequence: float
    tokens_per_sequence: float = 1.0
    proposals: int = 0
    proposing: "StepCost | None" = None
    between_steps: float = 0.0
    ranks: int = 1
    linear_per_token_of_all: float = 0.0
    exchange_per_token_of_all: float = 0.0
    prompts_per_rank: float = inf

    def slowed(self, factor: float) -> "StepCost":
        """Return the cost of steps that take ``factor`` times as long, whatever they do; proposals excepted, which are
        steps of an engine shape of their own.
        """
        return replace(self, **{name: getattr(self, name) * factor for name in _SECONDS})

    @property
    def arithmetic_per_token(self) -> float:
        """The least seconds that a token's linear layers take of a step, were it spread evenly over the ranks."""
        return self.linear_per_token / self.ranks + self.linear_per_token_of_all

    def decode(self, sequences: float, context: float) -> float:
        """Return the seconds of a step that only decodes ``sequences`` requests of mean ``context``
        tokens."""
        return self.seconds(0.0, 0.0, 0.0, sequences, context)

    def seconds(self, prompts: float, prompt_tokens: float, pairs: float, sequences: float, context: float) -> float:
        """Return the seconds of one step.

        Args:
            prompts: prompts that end their prefill in this step.
            prompt_tokens: prompt tokens computed in this step.
            pairs: (query, key) pairs of those tokens' causal attention.
            sequences: requests that decode, one token each or what is verified of it.
            context: their mean context in tokens.
        """
        of_all = prompt_tokens + sequences * self.tokens_per_sequence
        if self.ranks > 1:
            share = min(fullest(prompts, self.ranks), max(1.0, self.prompts_per_rank)) / prompts if prompts else 0.0
            # CUDA graphs of decoding are run with as many tokens on every rank as on the fullest.
            sequences = fullest(sequences, self.ranks)
            of_all = prompt_tokens + self.ranks * sequences * self.tokens_per_sequence
            prompts, prompt_tokens, pairs = prompts * share, prompt_tokens * share, pairs * share
        tokens = prompt_tokens + sequences * self.tokens_per_sequence
        requests, rows = prompts + sequences, prompts + sequences * self.tokens_per_sequence
        read = self.dense_read
        if self.expert_read:
            read += self.expert_read * (1.0 - self.untouched_by_token**of_all)
        sequence = self.read_per_context_token * context
        if self.read_per_window_token:
            sequence += self.read_per_window_token * min(context, self.window)
        seconds = (
            _roofline(read, self.linear_per_token * tokens + self.linear_per_token_of_all * of_all)
            + _roofline(self.head_read, self.head_per_row * rows)
            + sequences * sequence
            + self.attention_per_pair * pairs
            + self.allreduce
            + self.allreduce_per_token * tokens
            + self.exchange_per_token_of_all * of_all
            + self.layer_overhead
            + self.overhead_per_sequence * requests
        )
        if not self.proposals:
            return seconds
        seconds += self.between_steps
        if self.proposing is not None:
            # The first pass takes the new prompts in too; each proposes a token, which the next one starts from.
            seconds += self.proposing.seconds(
                prompts=prompts, prompt_tokens=prompt_tokens, pairs=pairs, sequences=sequences, context=context
            )
            seconds += (self.proposals - 1) * self.proposing.decode(sequences, context)
        return seconds


_SECONDS: Final = (
    "dense_read",
    "expert_read",
    "linear_per_token",
    "head_read",
    "head_per_row",
    "read_per_context_token",
    "read_per_window_token",
    "attention_per_pair",
    "allreduce",
    "allreduce_per_token",
    "layer_overhead",
    "overhead_per_sequence",
    "between_steps",
    "linear_per_token_of_all",
    "exchange_per_token_of_all",
)
"""The coefficients of a step that are times; the others are counts and shares."""


def step_cost(shape: EngineShape, shared_tokens: float = 0.0, fitted: Fitted = FITTED) -> StepCost:
    """Return the cost coefficients of a shape whose requests share a prefix of so many tokens.

    The weights' format decides the bytes read and the arithmetic: where the accelerator cannot compute in the
    format (AWQ and GPTQ everywhere, FP8 before compute capability 8.9) it computes in 16 bits.  Embedding and
    output head stay in 16 bits.  Tensor parallelism divides reads and arithmetic, not overheads; data parallelism those
    of routed experts, by less than its ranks, since some experts are asked more often than others; latent (MLA)
    caches and KV heads fewer than accelerators are read by each.  A shared prefix stays in the L2 cache and is not
    read again, but where attention is bound by arithmetic each sequence pays for it.
    """
    model, accelerator, ranks = shape.model, shape.accelerator, shape.tensor_parallel_size
    bandwidth = accelerator.memory_bandwidth * fitted.memory_efficiency
    wide = accelerator.flops.get("bf16") or accelerator.flops["fp16"]
    dtype = compute_dtype(shape.weights, accelerator)
    products = accelerator.flops[dtype] * fitted.compute_efficiency * _relative_share(accelerator, dtype)
    attention = wide * accelerator.measured_shares.get("attention", constants.ATTENTION_EFFICIENCY)
    counted = count_parameters(model)
    head = model.vocabulary * model.hidden_size
    read = weight_bytes(model, shape.weights) - _SIXTEEN_BITS * (counted.total - counted.linear)
    dense_bits = float(FORMATS[shape.weights].bits_per_parameter)
    dense = (counted.attention + counted.mlp) * dense_bits / 8
    active = counted.active - (counted.total - counted.linear)
    cache = cache_bytes(shape)
    latency, per_byte = _allreduce(shape)
    exchange, exchange_per_byte = _exchange(shape)
    visited = counted.active - (counted.total - counted.routed_experts)
    spread = visited if shape.data_parallel_size > 1 else 0
    arithmetic = _cache_arithmetic(shape, cache)
    speculation = shape.speculation
    proposals = speculation.tokens if speculation is not None else 0
    cost = StepCost(
        dense_read=dense / (ranks * bandwidth),
        expert_read=(read - dense) / (_shared_by(shape, constants.EXPERT_READ_SKEW) * bandwidth)
        if counted.routed_experts
        else 0.0,
        untouched_by_token=1.0 - model.experts_per_token / model.experts if model.experts else 0.0,
        linear_per_token=2.0 * (active - spread) / (ranks * products),
        head_read=_SIXTEEN_BITS * head / (ranks * bandwidth),
        head_per_row=2.0 * head / (ranks * wide * fitted.compute_efficiency),
        read_per_context_token=max(cache.per_token / bandwidth, arithmetic),
        read_per_window_token=cache.per_window_token / bandwidth,
        window=cache.window,
        attention_per_pair=_attention_flops(model) / (ranks * attention),
        allreduce=2.0 * model.layers * latency + model.expert_layers * exchange,
        allreduce_per_token=2.0 * model.layers * per_byte * _SIXTEEN_BITS * model.hidden_size,
        layer_overhead=model.layers * fitted.layer_overhead,
        overhead_per_sequence=model.layers * fitted.sequence_overhead + arithmetic * shared_tokens,
        tokens_per_sequence=1.0 + proposals,
        proposals=proposals,
        proposing=_proposing(shape, shared_tokens, fitted),
        between_steps=constants.SPECULATION_HOST_SECONDS if proposals else 0.0,
        ranks=shape.data_parallel_size,
        linear_per_token_of_all=2.0 * spread / (_shared_by(shape, constants.EXPERT_ARITHMETIC_SKEW) * products),
        exchange_per_token_of_all=model.expert_layers * exchange_per_byte * _SIXTEEN_BITS * model.hidden_size,
    )
    return cost if shape.step_factor == 1.0 else cost.slowed(shape.step_factor)


def _proposing(shape: EngineShape, shared_tokens: float, fitted: Fitted) -> StepCost | None:
    """Return the cost of one pass of the model that proposes, if one does."""
    draft = shape.speculation.draft if shape.speculation is not None else None
    if draft is None:
        return None
    alone = replace(shape, model=draft.model, weights=draft.weights, speculation=None)
    return step_cost(alone, shared_tokens, fitted)


def _relative_share(accelerator: Accelerator, dtype: str) -> float:
    """Return how much of their peak matrix products reach, relative to the accelerator of the fit; at most 1."""
    reference = constants.REFERENCE_SHARES[dtype]
    return min(1.0, accelerator.measured_shares.get(dtype, reference) / reference)


def _cache_arithmetic(shape: EngineShape, cache: CacheBytes) -> float:
    """Return the seconds of attention's arithmetic for a cached token, where that and not reading it may decide."""
    capability = shape.accelerator.compute_capability
    if shape.kv_cache_dtype is not KvCacheDtype.FP8 or capability is None or capability[0] != _FLASH_ATTENTION_3:
        return 0.0
    return cache.per_token * constants.FP8_CACHE_SECONDS_PER_ELEMENT  # one byte an element


def _attention_flops(model: ModelArchitecture) -> float:
    """Return the operations of one (query, key) pair over all global layers: scores and weighted sum."""
    if model.mla is not None:
        mla = model.mla
        width = model.attention_heads * (mla.nope_head_size + mla.rope_head_size + mla.value_head_size) / 2
    else:
        width = model.attention_heads * model.head_size
    return 4.0 * model.global_layers * width


def _shared_by(shape: EngineShape, skew: float) -> float:
    """Return among how many accelerators the experts' work is divided, as the one with the most of it has it.

    Tensor parallelism cuts every expert; data parallelism deals out whole ones, and ``skew`` is the power of the
    accelerators by which the heaviest share exceeds the mean.
    """
    if shape.data_parallel_size == 1 or not shape.model.experts:
        return shape.tensor_parallel_size
    heaviest: float = shape.accelerators**skew
    return shape.model.experts / shape.experts_per_accelerator / heaviest


def _exchange(shape: EngineShape) -> tuple[float, float]:
    """Return the latency of gathering and scattering the tokens of all ranks once, and the seconds per byte of them."""
    if shape.data_parallel_size == 1:
        return 0.0, 0.0
    ranks, link = shape.accelerators, shape.accelerator.interconnect
    latency = constants.EXCHANGE_SECONDS + constants.EXCHANGE_SECONDS_PER_ACCELERATOR * ranks
    if link.kind == "pcie":
        efficiency = constants.PCIE_ALLREDUCE_EFFICIENCY / ranks
        return latency, 2.0 * (ranks - 1) / ranks / (efficiency * link.bytes_per_second)
    return latency, 2.0 / (constants.EXCHANGE_EFFICIENCY * link.bytes_per_second)


def _allreduce(shape: EngineShape) -> tuple[float, float]:
    """Return the latency of one all-reduce and the seconds it takes per byte of its message."""
    ranks, link = shape.tensor_parallel_size, shape.accelerator.interconnect
    if ranks == 1:
        return 0.0, 0.0
    if link.kind == "pcie":
        latency = constants.PCIE_ALLREDUCE_SECONDS * ranks
        efficiency = constants.PCIE_ALLREDUCE_EFFICIENCY / ranks
    else:
        latency, efficiency = constants.ALLREDUCE_SECONDS, constants.ALLREDUCE_EFFICIENCY
    return latency, 2.0 * (ranks - 1) / ranks / (efficiency * link.bytes_per_second)


def _roofline(read: float, compute: float) -> float:
    # A p-norm joins read and compute time, since near the ridge both cost: p = 4 (fixed, not fitted), as two roots.
    read, compute = read * read, compute * compute
    return sqrt(sqrt(read * read + compute * compute))
