"""What one replica of a policy's engine looks like: everything that a change of would restart it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from costpolicy.api.types import CapacityType, KvCacheDtype, WeightFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposer:
    """Who proposes tokens in speculative decoding: a method of ``--speculative-config``, how many tokens a step, and the
    repository or path of the model that does it, for the methods that need one.
    """

    method: str
    tokens: int
    model: str | None = None

    @property
    def label(self) -> str:
        """Its name in metrics, such as ``eagle:3:example/head``."""
        return ":".join((self.method, str(self.tokens), *([self.model] if self.model else [])))


class Answers(NamedTuple):
    """What decides the numbers that a model computes: format of the weights, checkpoint, format of the KV cache."""

    weights: WeightFormat
    checkpoint: int | None
    kv_cache_dtype: KvCacheDtype


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A serving configuration on one accelerator and one capacity type.

    ``None`` means the engine's own default: such a value is never rendered as a flag.

    Attributes:
        accelerator: catalogue name, such as ``nvidia-h100-80gb``.
        tensor_parallel_size: accelerators of one data-parallel rank.
        data_parallel_size: ranks of one replica, among which the experts are shared out; all are on one node.
        weights: the format that the weights are served in.
        checkpoint: index into ``spec.model.checkpoints``; ``None`` serves ``spec.model.source``.
        online_quantization: the engine quantizes an unquantized checkpoint while loading it.
        max_model_len: longest sequence in tokens (prompt + output).
        api_servers: processes that take requests and stream answers (``--api-server-count``).
        stream_interval: tokens that are streamed in one chunk (``--stream-interval``).
        proposer: who proposes tokens; ``None``: no speculative decoding.
        node_selector: labels that the offering asks for; empty: the catalogue's product labels.
        resource_name: the extended resource that a replica requests, such as ``nvidia.com/gpu``.
    """

    accelerator: str
    capacity_type: CapacityType
    tensor_parallel_size: int
    weights: WeightFormat
    checkpoint: int | None = None
    online_quantization: bool = False
    kv_cache_dtype: KvCacheDtype = KvCacheDtype.AUTO
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    max_model_len: int | None = None
    gpu_memory_utilization: float | None = None
    api_servers: int | None = None
    stream_interval: int | None = None
    proposer: Proposer | None = None
    data_parallel_size: int = 1
    node_selector: Mapping[str, str] = field(default_factory=dict)
    resource_name: str = "nvidia.com/gpu"

    @property
    def accelerators_per_replica(self) -> int:
        """Accelerators of one replica."""
        return self.tensor_parallel_size * self.data_parallel_size

    @property
    def engine_key(self) -> tuple[object, ...]:
        """What decides how fast a replica is: two configurations that agree here are predicted alike."""
        return (
            self.accelerator,
            self.tensor_parallel_size,
            self.data_parallel_size,
            self.weights,
            self.kv_cache_dtype,
            self.max_num_seqs,
            self.max_num_batched_tokens,
            self.max_model_len,
            self.gpu_memory_utilization,
            self.api_servers,
            self.stream_interval,
            self.proposer,
        )

    @property
    def kernels(self) -> str:
        """What decides which kernels run: two configurations that agree here differ in the engine's settings alone."""
        parts = (
            self.accelerator,
            f"{self.tensor_parallel_size}x{self.data_parallel_size}",
            self.weights.value,
            self.kv_cache_dtype.value,
            self.proposer.label if self.proposer else "",
        )
        return "/".join(filter(None, parts))

    @property
    def answers(self) -> Answers:
        """What decides the numbers that the model computes: two configurations that agree here answer alike."""
        return Answers(self.weights, self.checkpoint, self.kv_cache_dtype)

    @property
    def tuned(self) -> bool:
        """Whether a setting that only makes the engine faster or slower departs from the engine's default."""
        return any(
            setting is not None
            for setting in (
                self.max_num_seqs,
                self.max_num_batched_tokens,
                self.gpu_memory_utilization,
                self.api_servers,
                self.stream_interval,
            )
        )
