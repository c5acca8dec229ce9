"""The options of a policy: every configuration that could be tried, in a stable order.

Which weight and KV formats may be tried follows ``spec.techniques``: a technique in mode Auto that can alter
answers is only reached through the quality gate, so it is not an option of what is applied now but one of what
is recommended (``gate=True``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

from costpolicy.api.policy import Checkpoint
from costpolicy.api.techniques import Batching
from costpolicy.api.types import KvCacheDtype, TechniqueMode, WeightFormat
from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.formats import online_formats
from costpolicy.planning.configuration import Configuration, Proposer
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.parallelism import Parallelism, splits
from costpolicy.planning.replica import Replica
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.speculation import ordered, permitted
from costpolicy.planning.supply import Supply


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One way to get the model's weights."""

    format: WeightFormat
    checkpoint: int | None = None
    online: bool = False
    missing_checkpoint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Option:
    """A configuration to be judged, the supply that it would be placed on, and what the model says of a replica.

    ``gated``: it can alter answers and nobody accepted that, so that it is only reached through the quality gate.
    ``plain``: the replica that speculative decoding has to be called for by, without it and with the settings that the
    search starts from, so that it is always looked at; ``None`` without speculation, and where it is ordered.
    """

    configuration: Configuration
    supply: Supply
    replica: Replica
    missing_checkpoint: bool = False
    gated: bool = False
    plain: Replica | None = None

    @property
    def accelerator(self) -> Accelerator:
        """The accelerator's facts."""
        return self.supply.offering.accelerator

    @property
    def requests_per_second(self) -> float:
        """The load that a plan counts on one replica for.

        Speculation that is only for inter-token latency buys that and no capacity: never more than the plain replica
        would carry if that latency were not promised.  So where it stops being called for, the plain one does as well,
        and a looser objective never costs more.
        """
        found = self.replica.capacity.requests_per_second
        return found if self.plain is None else min(found, self.plain.capacity_without_inter_token)


class Placement(NamedTuple):
    """An option on this or another supply of the same accelerator, where its replicas are the same.

    A plan has thousands, and few are asked for their configuration: so a placement is no more than two references.
    """

    option: Option
    supply: Supply

    @property
    def placed(self) -> Option:
        """The option with this supply's configuration."""
        if self.supply is self.option.supply:
            return self.option
        offering = self.supply.offering
        configuration = replace(
            self.option.configuration,
            capacity_type=offering.capacity_type,
            node_selector=offering.node_selector,
            resource_name=offering.resource_name,
        )
        return replace(self.option, configuration=configuration, supply=self.supply)

    @property
    def accelerators_per_replica(self) -> int:
        """Accelerators of one replica."""
        return self.option.configuration.accelerators_per_replica


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


def options(
    request: PlanRequest, supplies: Sequence[Supply], evaluation: Evaluation, *, gate: bool
) -> Iterator[Option]:
    """Yield every option on these supplies with the engine's default settings, then what runs as it runs, in a stable
    order.
    """
    return (placement.placed for placement in placements(request, supplies, evaluation, gate=gate))


def placements(
    request: PlanRequest, supplies: Sequence[Supply], evaluation: Evaluation, *, gate: bool
) -> Iterator[Placement]:
    """Yield the same without placing them: one option for all the supplies of an accelerator."""
    known: dict[str, tuple[Option, ...]] = {}
    for supply in supplies:
        name = supply.offering.accelerator.name
        if name not in known:
            known[name] = tuple(options_on(request, supply, evaluation, gate=gate))
        for option in known[name]:
            yield Placement(option, supply)
    for running in _as_it_runs(request, supplies, evaluation):
        yield Placement(running, running.supply)


def options_on(request: PlanRequest, supply: Supply, evaluation: Evaluation, *, gate: bool) -> Iterator[Option]:
    """Yield every option on one supply with the engine's default settings, in a stable order."""
    free_kv, free_weights = kv_options(request, gate=False), weights_options(request, gate=False)
    kv_formats = [(kv_format, kv_format not in free_kv) for kv_format in kv_options(request, gate=gate)]
    batching, context, proposer = request.spec.techniques.batching, _context(request), permitted(request)
    order = ordered(request)
    for weight in weights_options(request, gate=gate):
        other_weights = weight not in free_weights
        for split, (kv_format, other_kv) in product(splits(request, weight.format), kv_formats):
            configuration = _configuration(batching, supply, split, weight, kv_format, context)
            if order is not None:
                configuration = replace(configuration, proposer=order)
            gated = other_weights or other_kv
            if gated and configuration.answers in request.refused:
                continue
            option = Option(
                configuration=configuration,
                supply=supply,
                replica=evaluation.replica(configuration, supply.offering.accelerator),
                missing_checkpoint=weight.missing_checkpoint,
                gated=gated,
            )
            yield option
            if proposer is not None and split.data == 1:
                yield _speculating(option, proposer, evaluation)


def _speculating(option: Option, proposer: Proposer, evaluation: Evaluation) -> Option:
    configuration = replace(option.configuration, proposer=proposer)
    replica = evaluation.replica(configuration, option.accelerator)
    return replace(option, configuration=configuration, replica=replica, plain=option.replica)


def _as_it_runs(request: PlanRequest, supplies: Sequence[Supply], evaluation: Evaluation) -> Iterator[Option]:
    """Yield what runs with the settings that were chosen for it, if the policy still allows them."""
    running, batching = request.running, request.spec.techniques.batching
    if running is None or not running.tuned:
        return
    supply = next((one for one in supplies if offers(one, running)), None)
    if supply is None or running.max_model_len != _context(request):
        return
    if Parallelism(running.tensor_parallel_size, running.data_parallel_size) not in splits(request, running.weights):
        return
    orders = (
        (batching.max_num_seqs, running.max_num_seqs),
        (batching.max_num_batched_tokens, running.max_num_batched_tokens),
    )
    if batching.mode == TechniqueMode.DISABLED or any(order not in (None, has) for order, has in orders):
        return
    option = Option(
        configuration=replace(running, proposer=ordered(request)),
        supply=supply,
        replica=evaluation.replica(replace(running, proposer=ordered(request)), supply.offering.accelerator),
    )
    yield option
    if running.proposer is not None and running.proposer == permitted(request):
        yield _speculating(option, running.proposer, evaluation)


def alters_answers(request: PlanRequest, configuration: Configuration) -> bool:
    """Return whether a configuration may answer otherwise than what serves, and nobody accepted that."""
    weights, checkpoint, kv_cache_dtype = configuration.answers
    if weights == WeightFormat.FP16 and checkpoint is None:
        weights = request.source_format  # what an accelerator without bf16 serves it in
    accepted = {(one.format, one.checkpoint) for one in weights_options(request, gate=False)}
    return (weights, checkpoint) not in accepted or kv_cache_dtype not in kv_options(request, gate=False)


def offers(supply: Supply, configuration: Configuration) -> bool:
    """Whether a configuration was planned on this supply."""
    offering = supply.offering
    return (
        offering.accelerator.name == configuration.accelerator
        and offering.capacity_type == configuration.capacity_type
        and dict(offering.node_selector) == dict(configuration.node_selector)
    )


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
    batching: Batching,
    supply: Supply,
    split: Parallelism,
    weights: Weights,
    kv_format: KvCacheDtype,
    context: int | None,
) -> Configuration:
    offering = supply.offering
    format_ = weights.format
    if format_ == WeightFormat.BF16 and "bf16" not in offering.accelerator.flops:
        format_ = WeightFormat.FP16  # such accelerators (Turing) refuse bf16 outright
    return Configuration(
        accelerator=offering.accelerator.name,
        capacity_type=offering.capacity_type,
        tensor_parallel_size=split.tensor,
        data_parallel_size=split.data,
        weights=format_,
        checkpoint=weights.checkpoint,
        online_quantization=weights.online,
        kv_cache_dtype=kv_format,
        max_num_seqs=batching.max_num_seqs,
        max_num_batched_tokens=batching.max_num_batched_tokens,
        max_model_len=context,
        node_selector=offering.node_selector,
        resource_name=offering.resource_name,
    )


def _context(request: PlanRequest) -> int | None:
    """Return the promised context where it is not the model's own; a plan never shrinks it."""
    context = request.spec.model.context_length if request.spec.model else None
    return context if context != request.architecture.context_length else None
