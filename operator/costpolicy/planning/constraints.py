"""The chain of named constraints.  The first that an option violates is its reason; each is one short function.

Three chains, by what they need to know: ``SUPPLY`` looks at an offering, ``SHAPE`` at a configuration and its
memory, ``PROMISE`` at its predicted latency.  What depends on the number of replicas is in ``caps``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from costpolicy.api.reasons import Reason
from costpolicy.api.types import CapacityType
from costpolicy.catalog.formats import supports_kv_cache, supports_model, supports_weights
from costpolicy.perf.latency import Binding, Capacity, Latency
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.options import Option
from costpolicy.planning.plan import Rejection
from costpolicy.planning.request import Limits, PlanRequest
from costpolicy.planning.supply import Supply
from costpolicy.units import GIB, Money

DEFAULT_CAPACITY_TYPES = (CapacityType.ON_DEMAND, CapacityType.RESERVED)
"""Spot only when named: an interruption is a decision of the user's."""

REASON_ORDER = (
    Reason.ACCELERATOR_NOT_ALLOWED,
    Reason.CAPACITY_TYPE_NOT_ALLOWED,
    Reason.NO_NODES,
    Reason.NEEDS_MULTI_NODE,
    Reason.TENSOR_PARALLEL_SHAPE,
    Reason.FORMAT_UNSUPPORTED,
    Reason.NEEDS_CHECKPOINT,
    Reason.DOES_NOT_FIT,
    Reason.CONTEXT_DOES_NOT_FIT,
    Reason.OBJECTIVE_UNREACHABLE,
    Reason.MAX_REPLICAS,
    Reason.MAX_ACCELERATORS,
    Reason.NO_SPARE_GPU,
    Reason.BUDGET_EXCEEDED,
)
"""Reasons from the one that is farthest from an answer to the nearest: the last one met explains infeasibility."""

CAP_REASONS = (Reason.MAX_REPLICAS, Reason.MAX_ACCELERATORS, Reason.NO_SPARE_GPU, Reason.BUDGET_EXCEEDED)
"""Reasons that would go away with a larger cap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the constraints are checked against."""

    request: PlanRequest
    evaluation: Evaluation


SupplyCheck = Callable[[Supply, PlanRequest], Rejection | None]
OptionCheck = Callable[[Option, Question], Rejection | None]


def check_supply(supply: Supply, request: PlanRequest) -> Rejection | None:
    """Return why nothing on this offering is allowed, if so."""
    return next((found for check in SUPPLY if (found := check(supply, request))), None)


def check_shape(option: Option, question: Question) -> Rejection | None:
    """Return why the engine cannot run in this configuration, if so."""
    return next((found for check in SHAPE if (found := check(option, question))), None)


def check_promise(option: Option, question: Question) -> Rejection | None:
    """Return why this configuration misses an objective however little it has to do, if so."""
    return next((found for check in PROMISE if (found := check(option, question))), None)


def _accelerator_allowed(supply: Supply, request: PlanRequest) -> Rejection | None:
    allowed = request.spec.hardware.accelerators
    name = supply.offering.accelerator.name
    if not allowed or name in allowed:
        return None
    return Rejection(reason=Reason.ACCELERATOR_NOT_ALLOWED, message=f"spec.hardware.accelerators does not list {name}")


def _capacity_type_allowed(supply: Supply, request: PlanRequest) -> Rejection | None:
    allowed = request.spec.hardware.capacity_types or DEFAULT_CAPACITY_TYPES
    capacity_type = supply.offering.capacity_type
    if capacity_type in allowed:
        return None
    hint = "name it in spec.hardware.capacityTypes to allow it"
    return Rejection(reason=Reason.CAPACITY_TYPE_NOT_ALLOWED, message=f"{capacity_type} is not allowed; {hint}")


def _exists(supply: Supply, _: PlanRequest) -> Rejection | None:
    if supply.exists:
        return None
    name = supply.offering.accelerator.name
    return Rejection(
        reason=Reason.NO_NODES,
        message=f"no node carries {name}; add one, or set maxNodes on its offering if the cluster starts nodes on demand",
    )


def _fits_a_node(option: Option, _: Question) -> Rejection | None:
    size, per_node = option.configuration.tensor_parallel_size, option.supply.offering.accelerators_per_node
    if size <= per_node:
        return None
    return Rejection(
        reason=Reason.NEEDS_MULTI_NODE, message=f"{size} accelerators are more than the {per_node} of one node"
    )


def _heads_divide(option: Option, question: Question) -> Rejection | None:
    size, heads = option.configuration.tensor_parallel_size, question.request.architecture.attention_heads
    if heads % size == 0:
        return None
    return Rejection(
        reason=Reason.TENSOR_PARALLEL_SHAPE, message=f"{heads} attention heads cannot be split {size} ways"
    )


def _format_supported(option: Option, question: Question) -> Rejection | None:
    configuration, accelerator = option.configuration, option.accelerator
    unsupported = supports_model(accelerator, question.request.architecture)
    unsupported = unsupported or supports_weights(accelerator, configuration.weights, question.request.engine.version)
    unsupported = unsupported or supports_kv_cache(
        accelerator, configuration.kv_cache_dtype, question.request.architecture.head_size
    )
    return Rejection(reason=Reason.FORMAT_UNSUPPORTED, message=unsupported) if unsupported else None


def _checkpoint_there(option: Option, _: Question) -> Rejection | None:
    if not option.missing_checkpoint:
        return None
    format_ = option.configuration.weights
    return Rejection(
        reason=Reason.NEEDS_CHECKPOINT,
        message=f"{format_} weights need a checkpoint that is already quantized: name one in spec.model.checkpoints",
    )


def _weights_fit(option: Option, question: Question) -> Rejection | None:
    fit = question.evaluation.memory(option)
    if fit.kv_cache_tokens > 0:
        return None
    size = option.configuration.tensor_parallel_size
    return Rejection(
        reason=Reason.DOES_NOT_FIT,
        message=(
            f"{option.configuration.weights} weights take {fit.weights_bytes_per_accelerator / GIB:.1f} GiB of each of {size} "
            f"accelerator(s) with {option.accelerator.memory_bytes / GIB:.1f} GiB, which leaves no room for a KV cache"
        ),
        closeness=-float(fit.weights_bytes_per_accelerator) / option.accelerator.memory_bytes,
    )


def _context_fits(option: Option, question: Question) -> Rejection | None:
    fit = question.evaluation.memory(option)
    wanted = question.evaluation.shape(option).max_model_len
    if fit.kv_cache_tokens >= wanted:
        return None
    return Rejection(
        reason=Reason.CONTEXT_DOES_NOT_FIT,
        message=(
            f"a context of {wanted:,} tokens does not fit: the KV cache holds {int(fit.kv_cache_tokens):,} tokens; "
            f"set spec.model.contextLength to at most that if no request is longer"
        ),
        closeness=float(fit.kv_cache_tokens),
    )


def _prompt_fits(option: Option, question: Question) -> Rejection | None:
    demand = question.request.demand
    context = question.evaluation.shape(option).max_model_len
    if demand.prompt_tokens + demand.output_tokens <= context:
        return None
    return Rejection(
        reason=Reason.CONTEXT_DOES_NOT_FIT,
        message=(
            f"mean requests of {demand.prompt_tokens:,.0f} + {demand.output_tokens:,.0f} tokens are longer than the "
            f"context of {context:,} tokens"
        ),
    )


def _latency_reachable(option: Option, question: Question) -> Rejection | None:
    found = question.evaluation.capacity(option)
    if found.requests_per_second > 0:
        return None
    best = found.latency_at_zero
    if not isinstance(best, Latency):
        return Rejection(reason=Reason.DOES_NOT_FIT, message=best.reason)
    return _missed(option, question, found, best)


def _missed(option: Option, question: Question, found: Capacity, best: Latency) -> Rejection:
    objectives = question.evaluation.objectives
    margin = question.evaluation.margins(option)
    if found.binding == Binding.INTER_TOKEN:
        name, promised = "inter-token latency", objectives.inter_token_p95
        predicted = best.inter_token.p95 * margin.inter_token
        share = f"{margin.inter_token - 1:.0%}"
    else:
        name, promised, predicted = "TTFT", objectives.ttft_p95, best.ttft.p95 * margin.ttft
        share = f"{margin.ttft - 1:.0%}"
    promised = promised or 0.0
    return Rejection(
        reason=Reason.OBJECTIVE_UNREACHABLE,
        message=(
            f"{name} p95 of {promised * 1000:,.0f} ms is out of reach: a single request alone is predicted to take "
            f"{predicted * 1000:,.0f} ms with {question.request.demand.prompt_tokens:,.0f} prompt tokens "
            f"(of which {share} are margin for the prediction's error{_measured(option, question)})"
        ),
        closeness=-predicted / promised if promised else 0.0,
    )


def _measured(option: Option, question: Question) -> str:
    return ", as measured on what runs" if question.evaluation.calibration(option).samples else ""


SUPPLY: tuple[SupplyCheck, ...] = (
    _accelerator_allowed,
    _capacity_type_allowed,
    _exists,
)
SHAPE: tuple[OptionCheck, ...] = (
    _fits_a_node,
    _heads_divide,
    _checkpoint_there,
    _format_supported,
    _weights_fit,
    _context_fits,
    _prompt_fits,
)
PROMISE: tuple[OptionCheck, ...] = (_latency_reachable,)


def check_caps(option: Option, replicas: int, limits: Limits) -> Rejection | None:
    """Return which cap this many replicas would break, if any: replicas, accelerators, stock, then budget."""
    size, supply = option.configuration.tensor_parallel_size, option.supply
    cost = supply.offering.hourly * (replicas * size)
    for reason, message in (
        (Reason.MAX_REPLICAS, _over_replicas(replicas, limits)),
        (Reason.MAX_ACCELERATORS, _over_accelerators(replicas * size, limits)),
        (Reason.NO_SPARE_GPU, _over_stock(option, replicas) if limits.stock else ""),
        (Reason.BUDGET_EXCEEDED, _over_budget(cost, limits.hourly_budget)),
    ):
        if message:
            return Rejection(reason=reason, message=message, closeness=-float(cost.micros), cost=cost)
    return None


def _over_replicas(replicas: int, limits: Limits) -> str:
    if limits.max_replicas is None or replicas <= limits.max_replicas:
        return ""
    return f"{replicas} replicas are needed, spec.scaling.maxReplicas is {limits.max_replicas}"


def _over_accelerators(accelerators: int, limits: Limits) -> str:
    if limits.max_accelerators is None or accelerators <= limits.max_accelerators:
        return ""
    return f"{accelerators} accelerators are needed, spec.hardware.maxAccelerators is {limits.max_accelerators}"


def _over_stock(option: Option, replicas: int) -> str:
    size = option.configuration.tensor_parallel_size
    placeable = option.supply.placeable_replicas(size)
    if placeable is None or replicas <= placeable:
        return ""
    return f"{replicas} x {size} {option.accelerator.name} are needed, the nodes have room for {placeable} x {size}"


def _over_budget(cost: Money, budget: Money | None) -> str:
    if budget is None or cost <= budget:
        return ""
    return f"{cost.text(2)} an hour are over the budget of {budget.text(2)} an hour"
