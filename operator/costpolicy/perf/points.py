"""Predictions for points of a table: a model on accelerators under a closed loop, described by names and
numbers.

What ``costpolicy predict`` answers, and what published measurements are compared with.
"""

from dataclasses import dataclass
from math import ceil

from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import Accelerator, accelerators
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.catalog.engines import Engine
from costpolicy.catalog.formats import supports_kv_cache, supports_weights
from costpolicy.catalog.models import models
from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.latency import Latency, Unpredictable
from costpolicy.perf.memory import MemoryFit, memory_fit
from costpolicy.perf.shape import EngineShape, Workload

MODEL_LENGTH = 8192
"""``max_model_len`` of a point whose longest request is not longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One row: which engine, which requests, how many at once.

    ``model`` is a Hugging Face repository of the catalogue and ``accelerator`` a name of the catalogue;
    token counts are means; ``rounds`` as in :func:`costpolicy.perf.closed_loop.closed_loop`.
    """

    model: str
    accelerator: str
    tensor_parallel_size: int
    weights: WeightFormat
    kv_cache_dtype: KvCacheDtype
    workload: Workload
    concurrency: float
    rounds: float | None = None
    data_parallel_size: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Latency and memory of one replica."""

    latency: Latency
    memory: MemoryFit


def predict(point: Point, engine: Engine) -> Prediction | Unpredictable:
    """Return what an engine version with its own defaults delivers at a point."""
    shape = _shape(point, engine)
    if isinstance(shape, Unpredictable):
        return shape
    latency = closed_loop(shape, point.workload, point.concurrency, point.rounds)
    if isinstance(latency, Unpredictable):
        return latency
    return Prediction(latency=latency, memory=memory_fit(shape))


def _shape(point: Point, engine: Engine) -> EngineShape | Unpredictable:
    model = models().resolve(point.model)
    if model is None:
        return Unpredictable(reason=f"the catalogue has no model {point.model}")
    accelerator = accelerators().get(point.accelerator)
    if accelerator is None:
        known = ", ".join(accelerators())
        return Unpredictable(reason=f"the catalogue has no accelerator {point.accelerator}; it has {known}")
    refused = _refused(point, model, accelerator, engine)
    if refused:
        return Unpredictable(reason=refused)
    defaults = engine.defaults(accelerator, point.tensor_parallel_size, point.data_parallel_size)
    return EngineShape(
        model=model,
        accelerator=accelerator,
        tensor_parallel_size=point.tensor_parallel_size,
        data_parallel_size=point.data_parallel_size,
        api_servers=defaults.api_servers,
        weights=point.weights,
        kv_cache_dtype=point.kv_cache_dtype,
        max_num_seqs=defaults.max_num_seqs,
        max_num_batched_tokens=defaults.max_num_batched_tokens,
        max_model_len=max(MODEL_LENGTH, ceil(point.workload.total_tokens)),
        gpu_memory_utilization=defaults.gpu_memory_utilization,
    )


def _refused(point: Point, model: ModelArchitecture, accelerator: Accelerator, engine: Engine) -> str | None:
    """Return why the engine would not start, or would not take the requests."""
    ranks, longest = point.tensor_parallel_size, point.workload.total_tokens
    if ranks < 1 or model.attention_heads % ranks:
        return f"tensor parallel size {ranks} does not divide the {model.attention_heads} attention heads"
    if point.data_parallel_size < 1:
        return f"data parallel size {point.data_parallel_size} does not exist"
    if point.data_parallel_size > 1 and not model.experts:
        return f"{point.model} has no experts to share out: data-parallel ranks of it are replicas"
    if longest > model.context_length:
        return f"a request of {longest:.0f} tokens exceeds the model's context of {model.context_length}"
    return supports_weights(accelerator, point.weights, engine.version) or supports_kv_cache(
        accelerator, point.kv_cache_dtype, model.head_size
    )
