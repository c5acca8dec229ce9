"""Which model a policy serves: its source, ready-made checkpoints and, if the catalogue lacks it, its sizes.
Which model a policy serves: its source, ready-made checkpoints and, if the catalogue lacks it, its sizes."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from costpolicy.api.model import ApiModel, RuledModel
from costpolicy.api.objects import SecretKeyRef
from costpolicy.api.rules import Bounds, ListMap, Rule, exactly_one
from costpolicy.api.types import (
    AbsolutePath,
    Count,
    Flag,
    ImageReference,
    ObjectName,
    PositiveCount,
    RelativePath,
    Text,
    WeightFormat,
)


class HuggingFaceSource(ApiModel):
    """A repository on the Hugging Face hub; each pod downloads it into its own volume."""

    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$", max_length=200)]
    """Repository id, such as `meta-llama/Llama-3.1-8B-Instruct`."""
    revision: Text | None = None
    """Branch, tag or commit; a commit keeps replicas alike. Empty: the default branch."""
    token_secret_ref: SecretKeyRef | None = None
    """Secret with an access token, for gated repositories."""


class VolumeSource(ApiModel):
    """Weights on a PersistentVolumeClaim of the policy's namespace, mounted read-only."""

    claim_name: ObjectName
    """Name of the claim. More than one replica needs ReadOnlyMany or ReadWriteMany."""
    path: RelativePath | None = None
    """Folder of the model within the volume. Empty: the volume's root."""


class ImageSource(ApiModel):
    """Weights in a container image; an init container copies them to the pod's own volume."""

    reference: ImageReference
    """Image, best named by digest."""
    path: AbsolutePath = "/models"
    """Folder of the model within the image."""


class ModelSource(RuledModel):
    """Where weights come from: exactly one of the members."""

    hugging_face: HuggingFaceSource | None = None
    """A repository on the Hugging Face hub."""
    volume: VolumeSource | None = None
    """A PersistentVolumeClaim."""
    image: ImageSource | None = None
    """A container image."""

    rules: ClassVar = (exactly_one("a source", "huggingFace", "volume", "image"),)


class Checkpoint(ApiModel):
    """The same model, already quantized; it has the architecture of `model.source`."""

    format: WeightFormat
    """Number format of its weights."""
    source: ModelSource
    """Where it comes from."""


class MlaSpec(ApiModel):
    """Multi-head latent attention: keys and values are cached as one latent vector."""

    kv_lora_rank: PositiveCount
    """Elements of the latent of one token in one layer."""
    q_lora_rank: PositiveCount | None = None
    """Elements of the queries' latent. Empty: queries are projected directly."""
    rope_head_size: PositiveCount
    """Elements of a head that carry the position."""
    nope_head_size: PositiveCount
    """Elements of a query or key head that do not."""
    value_head_size: PositiveCount
    """Elements of a value head."""


class ArchitectureSpec(RuledModel):
    """Sizes of a decoder-only transformer, as its configuration states them."""

    layers: PositiveCount
    """Transformer blocks."""
    hidden_size: PositiveCount
    """Width of the residual stream."""
    attention_heads: PositiveCount
    """Query heads."""
    kv_heads: PositiveCount
    """Heads of keys and values."""
    head_size: PositiveCount
    """Elements of one query or key head."""
    intermediate_size: Count
    """Inner width of a dense MLP; 0 if every layer has experts."""
    vocabulary: PositiveCount
    """Rows of the embedding."""
    tied_embeddings: Flag = False
    """The output head shares the embedding's weights."""
    attention_bias: Literal["none", "qkv", "all"] = "none"
    """Which projections of attention have biases."""
    qk_norm: Flag = False
    """Queries and keys are normalised per head."""
    norms_per_layer: Annotated[int, Bounds(1, 8)] = 2
    """Normalising vectors of a block; 4 with norms after its parts too."""
    experts: Count = 0
    """Routed experts of a layer; 0 is a dense model."""
    experts_per_token: Count = 0
    """Experts that one token visits."""
    expert_intermediate_size: Count = 0
    """Inner width of one routed expert."""
    shared_expert_intermediate_size: Count = 0
    """Inner width of all shared experts together."""
    dense_layers: Count = 0
    """Layers with a dense MLP in a mixture-of-experts model."""
    expert_bias: Flag = False
    """Router and experts have biases."""
    sliding_window: PositiveCount | None = None
    """Tokens that a local layer sees. Empty: there is no local layer."""
    full_attention_layers: Count | None = None
    """Layers that see the whole context. Empty: all."""
    mla: MlaSpec | None = None
    """Latent attention, instead of grouped queries."""
    context_length: PositiveCount
    """Positions that the model allows, prompt and output together."""

    rules: ClassVar = (
        Rule(
            "self.expertsPerToken <= self.experts",
            "expertsPerToken must not exceed experts",
            lambda sizes: sizes.experts_per_token <= sizes.experts,
        ),
        Rule(
            "self.experts == 0 || (self.expertsPerToken > 0 && self.expertIntermediateSize > 0)",
            "a model with experts needs expertsPerToken and expertIntermediateSize",
            lambda sizes: sizes.experts == 0 or (sizes.experts_per_token > 0 and sizes.expert_intermediate_size > 0),
        ),
        Rule(
            "self.kvHeads <= self.attentionHeads",
            "kvHeads must not exceed attentionHeads",
            lambda sizes: sizes.kv_heads <= sizes.attention_heads,
        ),
    )


class ModelSpec(ApiModel):
    """The model to serve."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._:/-]*[A-Za-z0-9])?$", max_length=128)]
    """Name that clients ask for (`model` in a request)."""
    source: ModelSource
    """Where its weights come from; their format serves first."""
    checkpoints: Annotated[tuple[Checkpoint, ...], Field(max_length=8), ListMap(("format",))] = ()
    """The same model in other formats that may be chosen, each once."""
    architecture: ArchitectureSpec | None = None
    """Sizes of the model; only for one that the catalogue lacks."""
    context_length: PositiveCount | None = None
    """Longest sequence to serve, prompt and output together. Empty: the model's own."""
