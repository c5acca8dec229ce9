"""The options of a policy: every configuration that could be tried, in a stable order.

Which weight and KV formats may be tried follows ``spec.techniques``: a technique in mode Auto that can alter
answers is only reached through the quality gate, so it is not an option of what is applied now but one of what
is recommended (``gate=True``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product

from costpolicy.api.policy import Checkpoint
from costpolicy.api.types import KvCacheDtype, TechniqueMode, WeightFormat
from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.formats import online_formats
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.supply import Supply

TENSOR_PARALLEL_SIZES = (1, 2, 4, 8)
_BATCHED_TOKENS = (2048, 4096, 8192, 16384)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One way to get the model's weights."""

    format: WeightFormat
    checkpoint: int | None = None
    online: bool = False
    missing_checkpoint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A configuration to be judged, with the supply that it would be placed on.

    ``gated``: it can alter answers and nobody accepted that, so that it is only reached through the quality gate.
    """

    configuration: Configuration
    supply: Supply
    missing_checkpoint: bool = False
    gated: bool = False

    @property
    def accelerator(self) -> Accelerator:
        """The accelerator's facts."""
        return self.supply.offering.accelerator


def weights_options(request: PlanRequest, *, gate: bool) -> tuple[Weights, ...]:
    """Return the weight formats that may be applied (or, with ``gate``, recommended), the source's own first."""
    spec = request.spec
    quantization = spec.techniques.quantization
    options = [Weights(format=request.source_format)]
    if quantization.mode == TechniqueMode.ENABLED or (gate and quantization.mode == TechniqueMode.AUTO):
        checkpoints = {checkpoint.format: index for index, checkpoint in enumerate(_checkpoints(request))}
        wanted = quantization.formats or tuple(dict.fromkeys((*_online(request), *checkpoints)))
        options += [_weights(request, WeightFormat(format_), checkpoints) for format_ in wanted]
    running = request.running
    if running is not None:
        options.append(
            Weights(format=running.weights, checkpoint=running.checkpoint, online=running.online_quantization)
        )
    return tuple(dict.fromkeys(options))


def kv_options(request: PlanRequest, *, gate: bool) -> tuple[KvCacheDtype, ...]:
    """Return the KV-cache formats that may be applied (or, with ``gate``, recommended)."""
    technique = request.spec.techniques.kv_cache_quantization
    options = [KvCacheDtype.AUTO]
    if technique.mode == TechniqueMode.ENABLED or (gate and technique.mode == TechniqueMode.AUTO):
        options += technique.formats or (KvCacheDtype.FP8,)
    if request.running is not None:
        options.append(request.running.kv_cache_dtype)
    return tuple(dict.fromkeys(options))


def options(request: PlanRequest, supplies: Iterable[Supply], *, gate: bool) -> Iterator[Option]:
    """Yield every option on these supplies with the engine's default batch sizes, in a stable order."""
    free_kv, free_weights = kv_options(request, gate=False), weights_options(request, gate=False)
    weights = weights_options(request, gate=gate)
    kv_formats = kv_options(request, gate=gate)
    for supply, size, weight, kv_format in product(supplies, TENSOR_PARALLEL_SIZES, weights, kv_formats):
        yield Option(
            configuration=_configuration(request, supply, size, weight, kv_format),
            supply=supply,
            missing_checkpoint=weight.missing_checkpoint,
            gated=weight not in free_weights or kv_format not in free_kv,
        )


def other_batches(request: PlanRequest, option: Option) -> Iterator[Option]:
    """Yield the option with other step budgets, for when latency is missed at the engine's defaults.

    A smaller ``max_num_batched_tokens`` keeps prefills from delaying running sequences; a larger one lets a long
    prompt finish in fewer steps.  Given sizes are orders and leave nothing to try.
    """
    if request.spec.techniques.batching.max_num_batched_tokens is not None:
        return
    if request.spec.techniques.batching.mode == TechniqueMode.DISABLED:
        return
    default = request.engine.defaults(option.accelerator, option.configuration.tensor_parallel_size)
    for tokens in _BATCHED_TOKENS:
        if tokens != default.max_num_batched_tokens:
            yield replace(option, configuration=replace(option.configuration, max_num_batched_tokens=tokens))


def _weights(request: PlanRequest, format_: WeightFormat, checkpoints: dict[WeightFormat, int]) -> Weights:
    if format_ == request.source_format:
        return Weights(format=format_)
    if format_ in checkpoints:
        return Weights(format=format_, checkpoint=checkpoints[format_])
    if format_ in _online(request):
        return Weights(format=format_, online=True)
    return Weights(format=format_, missing_checkpoint=True)


def _online(request: PlanRequest) -> tuple[WeightFormat, ...]:
    return tuple(online_formats(request.architecture, request.source_format))


def _checkpoints(request: PlanRequest) -> tuple[Checkpoint, ...]:
    return request.spec.model.checkpoints if request.spec.model else ()


def _configuration(
    request: PlanRequest, supply: Supply, size: int, weights: Weights, kv_format: KvCacheDtype
) -> Configuration:
    batching = request.spec.techniques.batching
    offering = supply.offering
    format_ = weights.format
    if format_ == WeightFormat.BF16 and "bf16" not in offering.accelerator.flops:
        format_ = WeightFormat.FP16  # such accelerators (Turing) refuse bf16 outright
    context = request.spec.model.context_length if request.spec.model else None
    return Configuration(
        accelerator=offering.accelerator.name,
        capacity_type=offering.capacity_type,
        tensor_parallel_size=size,
        weights=format_,
        checkpoint=weights.checkpoint,
        online_quantization=weights.online,
        kv_cache_dtype=kv_format,
        max_num_seqs=batching.max_num_seqs,
        max_num_batched_tokens=batching.max_num_batched_tokens,
        max_model_len=context if context != request.architecture.context_length else None,
        node_selector=offering.node_selector,
        resource_name=offering.resource_name,
    )
