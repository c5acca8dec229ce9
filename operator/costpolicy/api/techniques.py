"""The savings that a policy allows."""

from typing import Annotated, Literal

from pydantic import Field

from costpolicy.api.model import ApiModel
from costpolicy.api.rules import Bounds
from costpolicy.api.types import (
    KvCacheDtype,
    OutputLengthMode,
    PositiveCount,
    TechniqueMode,
    Text,
    WeightFormat,
)


class PrefixCaching(ApiModel):
    """Reuse of the computed keys and values of shared prompt prefixes; answers do not change."""

    mode: TechniqueMode = TechniqueMode.AUTO
    """Auto and Enabled keep it on; Disabled switches it off."""


class Quantization(ApiModel):
    """Weights in fewer bits."""

    mode: TechniqueMode = TechniqueMode.AUTO
    """Auto goes through the quality gate, Enabled is applied without it, Disabled forbids it."""
    formats: Annotated[tuple[WeightFormat, ...], Field(max_length=7)] = ()
    """Formats to choose from. Empty: all that need no checkpoint, and those of model.checkpoints."""


class KvCacheQuantization(ApiModel):
    """Cached keys and values in fewer bits: more requests at once."""

    mode: TechniqueMode = TechniqueMode.AUTO
    """Auto goes through the quality gate, Enabled is applied without it, Disabled forbids it."""
    formats: Annotated[tuple[KvCacheDtype, ...], Field(max_length=2)] = ()
    """Formats to choose from. Empty: all that the accelerator supports."""


class Batching(ApiModel):
    """How many requests an engine works on at once."""

    mode: TechniqueMode = TechniqueMode.AUTO
    """Disabled keeps the engine's own limits."""
    max_num_seqs: PositiveCount | None = None
    """Orders this many sequences at most in one step."""
    max_num_batched_tokens: PositiveCount | None = None
    """Orders this many tokens at most in one step."""


class SpeculativeDecoding(ApiModel):
    """Several tokens proposed cheaply and checked in one step: lower latency at low load."""

    mode: TechniqueMode = TechniqueMode.AUTO
    """Auto uses it only where inter-token latency would be missed; values given with Enabled are an order."""
    method: Literal["ngram", "draft_model", "eagle", "eagle3", "mtp", "medusa"] | None = None
    """This way of proposing tokens. Empty: n-grams, which need no model."""
    model: Text | None = None
    """Repository or path of the proposing model, for the methods that need one."""
    tokens: Annotated[int, Bounds(1, 32)] | None = None
    """This many proposed tokens a step. Empty: 3."""


class OutputLength(ApiModel):
    """Caps on the length of answers."""

    mode: OutputLengthMode = OutputLengthMode.RECOMMEND
    """Recommend reports what a cap would save, Enforce sets it."""
    max_tokens: PositiveCount | None = None
    """Longest answer in tokens. Empty: found from what is generated."""


class Techniques(ApiModel):
    """Each technique and who decides about it."""

    prefix_caching: PrefixCaching = Field(default_factory=PrefixCaching)
    """Reuse of shared prompt prefixes."""
    quantization: Quantization = Field(default_factory=Quantization)
    """Weights in fewer bits."""
    kv_cache_quantization: KvCacheQuantization = Field(default_factory=KvCacheQuantization)
    """Cached keys and values in fewer bits."""
    batching: Batching = Field(default_factory=Batching)
    """Batch sizes."""
    speculative_decoding: SpeculativeDecoding = Field(default_factory=SpeculativeDecoding)
    """Speculative decoding."""
    output_length: OutputLength = Field(default_factory=OutputLength)
    """Length of answers."""
