"""Values of a status: bounded text and numbers, and the plans that it shows."""

from typing import Annotated

from pydantic import Field

from costpolicy.api.model import ObservedModel
from costpolicy.api.rules import Bounds, Clip

Short = Annotated[str, Clip(64)]
Line = Annotated[str, Clip(160)]
Sentence = Annotated[str, Clip(400)]
Whole = Annotated[int, Bounds(0, 1 << 53)]
Real = Annotated[float, Bounds(0, 1 << 53)]
Money = Annotated[str, Field(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$", max_length=20)]


class PlanSummary(ObservedModel):
    """What serves now, and what it costs."""

    variant: Short = ""
    """Hash of the variant that serves."""
    accelerator: Short
    """Catalogue name of its accelerator."""
    capacity_type: Short
    """How it is paid for."""
    accelerators_per_replica: Whole
    """Accelerators of one replica."""
    tensor_parallel_size: Whole
    """Accelerators that share each layer."""
    data_parallel_size: Whole | None = None
    """Ranks of a replica that share out the experts of a mixture, each on as many accelerators. Empty: one."""
    weights: Short
    """Format of the weights."""
    kv_cache_dtype: Short
    """Format of cached keys and values."""
    replicas: Whole
    """Replicas wanted."""
    ready_replicas: Whole = 0
    """Replicas ready."""
    cost_per_hour: Money | None = None
    """Price of all accelerators held for an hour. Empty: one of them has no price, which is not the price 0."""
    marginal_cost_per_hour: Money | None = None
    """The same without reserved capacity, which is paid for anyway."""
    currency: Short = ""
    """Currency of both."""


class LatencyFigures(ObservedModel):
    """A latency in seconds."""

    mean: Real
    """Mean."""
    p50: Real | None = None
    """Median."""
    p95: Real
    """95th percentile."""


class Prediction(ObservedModel):
    """What the performance model expects of one plan."""

    ttft_seconds: LatencyFigures
    """Time to first token."""
    inter_token_latency_seconds: LatencyFigures
    """Time between two tokens."""
    output_tokens_per_second: Real
    """Generated tokens per second of all replicas."""
    kv_cache_tokens: Whole
    """Tokens that one replica's KV cache holds."""
    weights_bytes: Whole
    """Bytes of the weights of one replica."""


class TargetStatus(ObservedModel):
    """A plan."""

    accelerator: Short
    """Catalogue name of the accelerator."""
    capacity_type: Short
    """How it is paid for."""
    accelerators_per_replica: Whole
    """Accelerators of one replica."""
    replicas: Whole
    """Replicas."""
    tensor_parallel_size: Whole
    """Accelerators that share each layer."""
    data_parallel_size: Whole | None = None
    """Ranks of a replica that share out the experts of a mixture, each on as many accelerators. Empty: one."""
    weights: Short
    """Format of the weights."""
    kv_cache_dtype: Short
    """Format of cached keys and values."""
    max_num_seqs: Whole | None = None
    """Sequences of one step. Empty: the engine's own."""
    max_num_batched_tokens: Whole | None = None
    """Tokens of one step. Empty: the engine's own."""
    cost_per_hour: Money
    """Price of its accelerators for an hour."""
    marginal_cost_per_hour: Money | None = None
    """The same without reserved capacity, which is paid for anyway."""
    cost_per_million_tokens: Money | None = None
    """Price of a million prompt and output tokens at the planned load."""
    currency: Short = ""
    """Currency of these."""
    assumed_traffic: bool = False
    """Planned for assumed traffic: neither metrics nor spec.traffic say what to expect."""
    predicted: Prediction | None = None
    """What is expected of it."""


class Infeasible(ObservedModel):
    """Why there is no plan."""

    reason: Short
    """Why, in one word."""
    message: Sentence
    """Why, and what to do."""
