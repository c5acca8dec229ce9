"""Sizes of a decoder-only transformer: they decide the memory a model needs and the arithmetic of a token."""

from dataclasses import dataclass
from datetime import date as Date  # noqa: N812 - a field is called date, as in the data files
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

AttentionBias = Literal["none", "qkv", "all"]
Count = Annotated[int, Field(gt=0, strict=True)]
CountOrZero = Annotated[int, Field(ge=0, strict=True)]

_CONFIG = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mla:
    """Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434): keys and values are cached as one latent.

    A cached token is ``kv_lora_rank + rope_head_size`` elements a layer, whatever the number of heads, and
    tensor parallelism replicates it. ``q_lora_rank`` is ``None`` where queries are projected directly.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _CONFIG

    kv_lora_rank: Count
    q_lora_rank: Count | None = None
    rope_head_size: Count
    nope_head_size: Count
    value_head_size: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearAttention:
    """Gated DeltaNet (arXiv 2412.06464): layers with a state of fixed size instead of keys and values."""

    __pydantic_config__: ClassVar[ConfigDict] = _CONFIG

    key_heads: Count
    value_heads: Count
    key_head_size: Count
    value_head_size: Count
    convolution_kernel: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchitectureSizes:
    """The sizes alone, as a data file or a policy's ``spec.model.architecture`` states them (in camelCase).

    Attributes:
        layers: transformer blocks.
        attention_heads: heads of queries.
        kv_heads: heads of keys and values (grouped-query attention); with ``mla`` they do not size the cache.
        head_size: elements of one query or key head.
        intermediate_size: inner width of a dense gated MLP (three matrices); 0 if every layer has experts.
        vocabulary: rows of the embedding, padding included.
        tied_embeddings: the output head shares the embedding's weights.
        attention_bias: which projections of attention have biases.
        qk_norm: queries and keys are normalised, per head.
        attention_gate: queries are projected with a gate of the same width (Qwen3-Next and later).
        norms_per_layer: vectors of ``hidden_size`` that normalise: 2, or 4 with norms behind the blocks too.
        experts: routed experts in a layer that has them; 0 is a dense model.
        experts_per_token: how many of them one token visits.
        expert_intermediate_size: inner width of one routed expert.
        shared_expert_intermediate_size: inner width of all shared experts together, visited by every token.
        shared_expert_gate: a vector that weighs the shared experts' output (Qwen).
        expert_bias: router and experts have biases.
        expert_bits: bits of a routed expert's weight in the published checkpoint, where that is a format of
            its own (MXFP4: 4.25); ``None``: as the rest.
        dense_layers: layers of a mixture-of-experts model that have a dense MLP instead.
        sliding_window: tokens that a local layer sees; ``None`` if there is no local layer.
        full_attention_layers: layers that see the whole context; ``None`` means all.
        mla: latent attention, instead of grouped queries.
        linear_attention: what the layers that are not ``full_attention_layers`` do, instead of sliding.
        encoder_parameters: of encoders for images and the like, which the engine loads too.
        context_length: positions that the configuration allows, its own rope scaling included.

    Raises:
        ValueError: sizes that contradict each other.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _CONFIG

    layers: Count
    hidden_size: Count
    attention_heads: Count
    kv_heads: Count
    head_size: Count
    intermediate_size: CountOrZero = 0
    vocabulary: Count
    tied_embeddings: bool = False
    attention_bias: AttentionBias = "none"
    qk_norm: bool = False
    attention_gate: bool = False
    norms_per_layer: Count = 2
    experts: CountOrZero = 0
    experts_per_token: CountOrZero = 0
    expert_intermediate_size: CountOrZero = 0
    shared_expert_intermediate_size: CountOrZero = 0
    shared_expert_gate: bool = False
    expert_bias: bool = False
    expert_bits: Annotated[float, Field(gt=0, le=16)] | None = None
    dense_layers: CountOrZero = 0
    sliding_window: Count | None = None
    full_attention_layers: CountOrZero | None = None
    mla: Mla | None = None
    linear_attention: LinearAttention | None = None
    encoder_parameters: CountOrZero = 0
    context_length: Count

    def __post_init__(self) -> None:
        contradiction = _heads(self) or _experts(self) or _local_layers(self)
        if contradiction:
            raise ValueError(contradiction)

    @property
    def expert_layers(self) -> int:
        """Layers with routed experts."""
        return self.layers - self.dense_layers if self.experts else 0

    @property
    def global_layers(self) -> int:
        """Layers whose cache grows with the whole context."""
        return self.layers if self.full_attention_layers is None else self.full_attention_layers


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelArchitecture(ArchitectureSizes):
    """One model's architecture with its name, its published parameter counts and where all that was read.

    ``id`` is the Hugging Face repository, or what the policy calls the model. The counts, of all parameters
    and of those that one token uses (``active``: without the experts it does not visit), are as published and
    as rounded there, or as counted where a policy states the sizes; ``count_parameters`` is exact for all.
    """

    id: str
    total_parameters: int = 0
    active_parameters: int = 0
    source: str = ""
    date: Date | None = None

    def __hash__(self) -> int:
        """Equal models have equal names, and all the sizes would take longer than what is remembered by them."""
        return hash(self.id)


def _heads(sizes: ArchitectureSizes) -> str:
    if sizes.attention_heads % sizes.kv_heads:
        return f"kvHeads {sizes.kv_heads} does not divide attentionHeads {sizes.attention_heads}"
    return ""


def _experts(sizes: ArchitectureSizes) -> str:
    if sizes.experts == 0:
        if sizes.intermediate_size == 0:
            return "intermediateSize is missing and there are no experts"
        if sizes.experts_per_token or sizes.dense_layers:
            return "expertsPerToken and denseLayers need experts"
        return ""
    if not 0 < sizes.experts_per_token <= sizes.experts:
        return f"expertsPerToken {sizes.experts_per_token} must be from 1 to experts {sizes.experts}"
    if sizes.expert_intermediate_size == 0:
        return "experts need expertIntermediateSize"
    if sizes.dense_layers >= sizes.layers or (sizes.dense_layers and sizes.intermediate_size == 0):
        return "denseLayers must be fewer than layers and need intermediateSize"
    return ""


def _local_layers(sizes: ArchitectureSizes) -> str:
    if sizes.global_layers > sizes.layers:
        return f"fullAttentionLayers {sizes.global_layers} is more than layers {sizes.layers}"
    local = sizes.global_layers < sizes.layers
    if local != (sizes.sliding_window is not None or sizes.linear_attention is not None):
        return "fullAttentionLayers below layers, and slidingWindow or linearAttention, need each other"
    if sizes.sliding_window is not None and sizes.linear_attention is not None:
        return "slidingWindow and linearAttention exclude each other"
    return ""
