"""The chain of named constraints.  The first that an option violates is its reason; each is one short function.

Three chains, by what they need to know: ``SUPPLY`` looks at an offering, ``SHAPE`` at a configuration and its
memory, ``PROMISE`` at its predicted latency.  What depends on the number of replicas is in ``caps``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from costpolicy.api.reasons import Reason
from costpolicy.api.types import CapacityType
from costpolicy.perf.latency import Binding, Capacity, Latency
from costpolicy.planning.engine_support import check_engine
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.options import Option, Placement
from costpolicy.planning.plan import Rejection
from costpolicy.planning.replica import Replica
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.supply import Supply
from costpolicy.units import GIB

DEFAULT_CAPACITY_TYPES = (CapacityType.ON_DEMAND, CapacityType.RESERVED)
"""Spot only when named: an interruption is a decision of the user's."""

REASON_ORDER = (
    Reason.SPECULATION_NOT_NEEDED,
    Reason.ACCELERATOR_NOT_ALLOWED,
    Reason.CAPACITY_TYPE_NOT_ALLOWED,
    Reason.NO_NODES,
    Reason.NEEDS_MULTI_NODE,
    Reason.TENSOR_PARALLEL_SHAPE,
    Reason.FORMAT_UNSUPPORTED,
    Reason.METHOD_UNSUPPORTED,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the constraints are checked against; what they say of a replica is remembered, whoever sells it."""

    request: PlanRequest
    evaluation: Evaluation
    shape_refusals: dict[Replica, Rejection | None] = field(default_factory=dict, repr=False, compare=False)
    prospect_refusals: dict[Replica, Rejection | None] = field(default_factory=dict, repr=False, compare=False)
    promise_refusals: dict[Replica, Rejection | None] = field(default_factory=dict, repr=False, compare=False)


SupplyCheck = Callable[[Supply, PlanRequest], Rejection | None]
OptionCheck = Callable[[Option, Question], Rejection | None]


def check_supply(supply: Supply, request: PlanRequest) -> Rejection | None:
    """Return why nothing on this offering is allowed, if so."""
    return next((found for check in SUPPLY if (found := check(supply, request))), None)


def check_shape(option: Option, question: Question) -> Rejection | None:
    """Return why the engine cannot run in this configuration, if so."""
    return check_placement(Placement(option, option.supply), question)


def check_placement(placement: Placement, question: Question) -> Rejection | None:
    """Return the same of an option on another supply."""
    size, per_node = placement.accelerators_per_replica, placement.supply.offering.accelerators_per_node
    if size > per_node:
        message = f"{size} accelerators are more than the {per_node} of one node"
        return Rejection(reason=Reason.NEEDS_MULTI_NODE, message=message)
    option, known = placement.option, question.shape_refusals
    if option.replica not in known:
        known[option.replica] = next((found for check in SHAPE if (found := check(option, question))), None)
    return known[option.replica]


def check_prospect(option: Option, question: Question) -> Rejection | None:
    """Return why no setting of the engine keeps the promise with this model on these accelerators, if so."""
    known = question.prospect_refusals
    if option.replica not in known:
        known[option.replica] = _out_of_all_reach(option, question)
    return known[option.replica]


def check_promise(option: Option, question: Question) -> Rejection | None:
    """Return why this configuration misses an objective however little it has to do, if so."""
    known = question.promise_refusals
    if option.replica not in known:
        known[option.replica] = next((found for check in PROMISE if (found := check(option, question))), None)
    return known[option.replica]


def _out_of_all_reach(option: Option, question: Question) -> Rejection | None:
    found, objectives = option.replica.ceiling, question.evaluation.objectives
    if found is None:
        return None
    margin = option.replica.margins
    prompt = f"{question.request.demand.prompt_tokens:,.0f} prompt tokens"
    if objectives.ttft_p95 is not None and found.first_token * margin.ttft > objectives.ttft_p95:
        work = f"prefill of {prompt} alone takes {found.prefill * 1000:,.0f} ms"
        return _out_of_reach(option.replica, "TTFT", objectives.ttft_p95, found.first_token, margin.ttft, work)
    if objectives.inter_token_p95 is not None and found.decode * margin.inter_token > objectives.inter_token_p95:
        work = f"a step for one request alone takes {found.decode * 1000:,.1f} ms, most of it reading weights"
        return _out_of_reach(
            option.replica, "inter-token latency", objectives.inter_token_p95, found.decode, margin.inter_token, work
        )
    return None


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


def _engine_runs(option: Option, question: Question) -> Rejection | None:
    return check_engine(option, question.request)


def _weights_fit(option: Option, _: Question) -> Rejection | None:
    fit = option.replica.memory
    if fit.kv_cache_tokens > 0:
        return None
    size = option.configuration.accelerators_per_replica
    return Rejection(
        reason=Reason.DOES_NOT_FIT,
        message=(
            f"{option.configuration.weights} weights take {fit.weights_bytes_per_accelerator / GIB:.1f} GiB of each of {size} "
            f"accelerator(s) with {option.accelerator.memory_bytes / GIB:.1f} GiB, which leaves no room for a KV cache"
        ),
        closeness=-float(fit.weights_bytes_per_accelerator) / option.accelerator.memory_bytes,
    )


def _context_fits(option: Option, _: Question) -> Rejection | None:
    fit = option.replica.memory
    wanted = option.replica.shape.max_model_len
    if fit.rank_tokens >= wanted:
        return None
    return Rejection(
        reason=Reason.CONTEXT_DOES_NOT_FIT,
        message=(
            f"a context of {wanted:,} tokens does not fit: the KV cache holds {fit.rank_tokens:,} tokens; "
            f"set spec.model.contextLength to at most that if no request is longer"
        ),
        closeness=float(fit.rank_tokens),
    )


def _prompt_fits(option: Option, question: Question) -> Rejection | None:
    demand = question.request.demand
    context = option.replica.shape.max_model_len
    if demand.prompt_tokens + demand.output_tokens <= context:
        return None
    return Rejection(
        reason=Reason.CONTEXT_DOES_NOT_FIT,
        message=(
            f"mean requests of {demand.prompt_tokens:,.0f} + {demand.output_tokens:,.0f} tokens are longer than the "
            f"context of {context:,} tokens"
        ),
    )


def _runs_without_speculation(option: Option, question: Question) -> Rejection | None:
    """Return why the engine cannot run without the speculation that is only for where it misses inter-token latency."""
    if option.plain is None:
        return None
    configuration = replace(option.configuration, proposer=None)
    return check_shape(replace(option, configuration=configuration, replica=option.plain, plain=None), question)


def _latency_reachable(option: Option, question: Question) -> Rejection | None:
    found = option.replica.capacity
    if found.requests_per_second > 0:
        return None
    best = found.latency_at_zero
    if not isinstance(best, Latency):
        return Rejection(reason=Reason.DOES_NOT_FIT, message=best.reason)
    return _missed(option, question, found, best)


def _missed(option: Option, question: Question, found: Capacity, best: Latency) -> Rejection:
    objectives, margin = question.evaluation.objectives, option.replica.margins
    prompt = f"with {question.request.demand.prompt_tokens:,.0f} prompt tokens"
    if found.binding == Binding.INTER_TOKEN and objectives.inter_token_p95 is not None:
        alone = f"a single request alone has {best.inter_token.p95 * 1000:,.1f} ms {prompt}"
        promised, predicted = objectives.inter_token_p95, best.inter_token.p95
        return _out_of_reach(option.replica, "inter-token latency", promised, predicted, margin.inter_token, alone)
    alone = f"a single request alone has {best.ttft.p95 * 1000:,.0f} ms {prompt}"
    return _out_of_reach(option.replica, "TTFT", objectives.ttft_p95 or 0.0, best.ttft.p95, margin.ttft, alone)


def _out_of_reach(replica: Replica, name: str, promised: float, predicted: float, margin: float, why: str) -> Rejection:
    """Say what a promise would have to be; ``closeness`` is by how much it is missed."""
    reached = predicted * margin
    return Rejection(
        reason=Reason.OBJECTIVE_UNREACHABLE,
        message=(
            f"{name} p95 of {promised * 1000:,.0f} ms is out of reach: {why}; with {margin - 1:.0%} margin for the "
            f"prediction's error{_measured(replica)} it could promise {reached * 1000:,.0f} ms"
        ),
        closeness=-reached / promised if promised else 0.0,
    )


def _measured(replica: Replica) -> str:
    return ", as measured on what runs," if replica.calibration.samples else ""


SUPPLY: tuple[SupplyCheck, ...] = (
    _accelerator_allowed,
    _capacity_type_allowed,
    _exists,
)
SHAPE: tuple[OptionCheck, ...] = (
    _prompt_fits,
    _engine_runs,
    _weights_fit,
    _context_fits,
    _runs_without_speculation,
)
PROMISE: tuple[OptionCheck, ...] = (_latency_reachable,)
