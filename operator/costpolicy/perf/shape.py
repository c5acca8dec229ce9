"""What the performance model is asked about: one engine replica and the requests it serves."""

from dataclasses import dataclass
from math import ceil

from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.perf.speculation import Speculation

_COUNTS = (
    "tensor_parallel_size",
    "data_parallel_size",
    "max_num_seqs",
    "max_num_batched_tokens",
    "max_model_len",
    "api_servers",
    "stream_interval",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineShape:
    """One vLLM replica: a model on accelerators of one kind, with resolved settings.

    Every field holds the value the engine runs with; the engine's size-dependent defaults are resolved by the
    caller (``catalog.engines``).  Each of ``data_parallel_size`` ranks is ``tensor_parallel_size`` accelerators with a
    cache and limits of its own (``max_num_seqs``, ``max_num_batched_tokens``); the experts of a mixture are shared out
    over all of them (``--enable-expert-parallel``).  ``kv_cache_factor`` is the KV cache that such a replica reported
    over the one predicted, where it is known.  ``gpu_memory_utilization`` is the share of each accelerator's memory
    that vLLM takes; ``api_servers`` and ``stream_interval`` are ``--api-server-count`` and ``--stream-interval``;
    ``speculation`` is what is proposed in each step, if anything is; ``step_factor`` is how long a step takes over one
    that runs all of vLLM's own kernels, more than 1 where some were switched off.

    Raises:
        ValueError: a count is below 1, or the memory share is not within (0, 1], or a factor is not positive.
    """

    model: ModelArchitecture
    accelerator: Accelerator
    tensor_parallel_size: int
    weights: WeightFormat
    kv_cache_dtype: KvCacheDtype
    max_num_seqs: int
    max_num_batched_tokens: int
    max_model_len: int
    gpu_memory_utilization: float = 0.92
    api_servers: int = 1
    stream_interval: int = 1
    kv_cache_factor: float = 1.0
    speculation: Speculation | None = None
    data_parallel_size: int = 1
    step_factor: float = 1.0

    def __post_init__(self) -> None:
        counts = (
            self.tensor_parallel_size,
            self.data_parallel_size,
            self.max_num_seqs,
            self.max_num_batched_tokens,
            self.max_model_len,
            self.api_servers,
            self.stream_interval,
        )
        if min(counts) < 1:
            name, value = next((name, value) for name, value in zip(_COUNTS, counts, strict=True) if value < 1)
            raise ValueError(f"{name} must be at least 1, not {value}")
        if not 0 < self.gpu_memory_utilization <= 1:
            raise ValueError(f"gpu_memory_utilization must be in (0, 1], not {self.gpu_memory_utilization}")
        if not 0 < self.kv_cache_factor < float("inf"):
            raise ValueError(f"kv_cache_factor must be more than 0, not {self.kv_cache_factor}")
        if not 0 < self.step_factor < float("inf"):
            raise ValueError(f"step_factor must be more than 0, not {self.step_factor}")

    @property
    def accelerators(self) -> int:
        """Accelerators of the replica."""
        return self.tensor_parallel_size * self.data_parallel_size

    @property
    def experts_per_accelerator(self) -> int:
        """Whole routed experts of a layer on the accelerator with the most of them, where ranks share them out."""
        return ceil(self.model.experts / self.accelerators)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The requests of one service: mean token counts, how much their lengths vary, and how they arrive.

    ``cached_tokens`` of ``prompt_tokens`` are found in the prefix cache and shared between requests.
    ``length_cv`` is the coefficient of variation of prompt and output lengths (0: all requests are equal),
    ``arrival_cv`` that of the times between arrivals (1: Poisson, more: bursts); a closed loop does not use it.

    Raises:
        ValueError: a count is not finite, negative, or no prompt token is left to compute.
    """

    prompt_tokens: float
    output_tokens: float
    cached_tokens: float = 0.0
    length_cv: float = 0.3
    arrival_cv: float = 1.0

    def __post_init__(self) -> None:
        if not (1 <= self.prompt_tokens < float("inf") and 1 <= self.output_tokens < float("inf")):
            raise ValueError(
                f"a request has at least one prompt and one output token, not {self.prompt_tokens} and "
                f"{self.output_tokens}"
            )
        if not 0 <= self.cached_tokens <= self.prompt_tokens:
            raise ValueError(f"cached tokens are part of the prompt: {self.cached_tokens} of {self.prompt_tokens}")
        for name in ("length_cv", "arrival_cv"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be finite and not negative, not {getattr(self, name)}")

    @property
    def computed_tokens(self) -> float:
        """Prompt tokens the engine must compute: those not cached, at least one (vLLM recomputes the
        last)."""
        return max(1.0, self.prompt_tokens - self.cached_tokens)

    @property
    def total_tokens(self) -> float:
        """Prompt plus output tokens of a mean request at its end."""
        return self.prompt_tokens + self.output_tokens
