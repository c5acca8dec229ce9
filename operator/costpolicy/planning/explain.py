"""The planner's answer in words: why nothing is cheaper, and why nothing is possible."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from costpolicy.api.reasons import Reason
from costpolicy.api.types import CapacityType
from costpolicy.catalog.engines import EngineDefaults
from costpolicy.perf.memory import MemoryFit
from costpolicy.perf.uncertainty import Margins
from costpolicy.planning.caps import CAP_REASONS, check_caps
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.constraints import REASON_ORDER
from costpolicy.planning.interruption import interruptible
from costpolicy.planning.options import offers
from costpolicy.planning.plan import Candidate, Infeasible, Target, Verdict
from costpolicy.planning.request import PlanRequest, limits_of
from costpolicy.planning.tradeoff import TradeOff

_HARDWARE_REASONS = (Reason.ACCELERATOR_NOT_ALLOWED, Reason.CAPACITY_TYPE_NOT_ALLOWED, Reason.NO_NODES)

_WORTH_TELLING_TOO = (Reason.CONTEXT_DOES_NOT_FIT, *CAP_REASONS)
"""Limits that the user set and may move, told beside an objective that could be relaxed."""


def describe(configuration: Configuration, replicas: int = 1) -> str:
    """Return a configuration as people say it: ``2 x 4 nvidia-h100-80gb, fp8 weights, fp8 KV cache``."""
    size, ranks = configuration.accelerators_per_replica, configuration.data_parallel_size
    count = f"{replicas} x {size}" if replicas > 1 and size > 1 else f"{replicas * size}"
    split = f" in {ranks} data-parallel ranks" if ranks > 1 else ""
    kv_cache = "" if configuration.kv_cache_dtype == "auto" else f", {configuration.kv_cache_dtype} KV cache"
    batch = f", {configuration.max_num_batched_tokens} tokens a step" if configuration.max_num_batched_tokens else ""
    batch += f", {configuration.max_num_seqs} sequences" if configuration.max_num_seqs else ""
    batch += f", {configuration.gpu_memory_utilization:.0%} of memory" if configuration.gpu_memory_utilization else ""
    batch += f", {configuration.api_servers} API servers" if configuration.api_servers else ""
    spot = "" if configuration.capacity_type == "OnDemand" else f" {configuration.capacity_type}"
    batch += f", {configuration.proposer.method} speculation" if configuration.proposer else ""
    return f"{count} {configuration.accelerator}{spot}{split}, {configuration.weights} weights{kv_cache}{batch}"


def why_not_cheaper(
    target: Target | None, candidates: Sequence[Candidate], trade: TradeOff | None, currency: str
) -> str:
    """Return what stands in the way of a cheaper plan, in words and money: the objective that would have to be relaxed
    least, and the limit that keeps the nearest cheaper candidate out.
    """
    if target is None:
        return ""
    cheaper = [
        candidate
        for candidate in candidates
        if candidate.verdict == Verdict.REJECTED
        and not candidate.gated
        and candidate.reason not in _HARDWARE_REASONS  # whether it would do was never asked
        and not (trade is not None and candidate.reason == Reason.OBJECTIVE_UNREACHABLE)
        and candidate.cost_floor < target.cost_per_hour
        and not _crowded_out(candidate)
    ]
    told = [] if trade is None else [_traded(target, trade, currency)]
    nearest = max(cheaper, key=_nearness, default=None)
    if nearest is not None and (trade is None or nearest.reason in _WORTH_TELLING_TOO):
        saved = (target.cost_per_hour - nearest.cost_floor).monthly().text(2)
        told.append(
            f"{describe(nearest.configuration)} would save up to {saved} {currency} a month, but {nearest.message}"
        )
    spare = None if told else _spare_on_spot(target, candidates)
    if spare is not None:
        told.append(f"{describe(spare.configuration)}: {spare.message}")
    return "; ".join(told) or "nothing that is offered and allowed costs less"


def _crowded_out(candidate: Candidate) -> bool:
    """Whether it has no room for what its own larger steps of all data-parallel ranks take."""
    configuration = candidate.placement.option.configuration  # the same on every supply
    ranks_step = configuration.data_parallel_size > 1 and configuration.max_num_batched_tokens is not None
    return ranks_step and candidate.reason in (Reason.DOES_NOT_FIT, Reason.CONTEXT_DOES_NOT_FIT)


def _spare_on_spot(target: Target, candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the same on Spot capacity, where only the replica to spare made it dearer."""
    chosen = target.configuration
    alike = replace(chosen, capacity_type=CapacityType.SPOT, node_selector={})
    return next(
        (
            candidate
            for candidate in candidates
            if interruptible(candidate.placement.supply)
            and candidate.verdict == Verdict.DOMINATED
            and replace(candidate.configuration, node_selector={}) == alike
        ),
        None,
    )


def _traded(target: Target, trade: TradeOff, currency: str) -> str:
    saved = (target.cost_per_hour - trade.target.cost_per_hour).monthly().text(2)
    fewer = target.accelerators - trade.target.accelerators
    same = trade.target.configuration.accelerator == target.configuration.accelerator
    what = describe(trade.target.configuration, trade.target.replicas)
    need = (
        f"would need {fewer} accelerator{'s' if fewer > 1 else ''} less" if same and fewer > 0 else f"would need {what}"
    )
    return (
        f"{trade.objective} p95 of {milliseconds(trade.promised)} costs {saved} {currency} a month: "
        f"{milliseconds(trade.needed)} {need}"
    )


def milliseconds(seconds: float) -> str:
    """Return a latency as people write it: ``800 ms``, ``8.5 ms``, ``1.1 s``."""
    if seconds >= 1.0:
        return f"{seconds:g} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def settings(target: Target, defaults: EngineDefaults) -> tuple[str, ...]:
    """Return why each setting of the engine departs from its default, one sentence each; empty where none does."""
    configuration = target.configuration
    told = []
    if configuration.max_num_seqs is not None and configuration.max_num_seqs < defaults.max_num_seqs:
        told.append(
            f"max_num_seqs {configuration.max_num_seqs} instead of {defaults.max_num_seqs}: the latency objective binds, "
            f"and more sequences in a step would miss it"
        )
    if configuration.max_num_seqs is not None and configuration.max_num_seqs > defaults.max_num_seqs:
        told.append(
            f"max_num_seqs {configuration.max_num_seqs} instead of {defaults.max_num_seqs}: the KV cache holds more "
            f"sequences than the default admits"
        )
    if configuration.max_num_batched_tokens is not None:
        told.append(
            f"max_num_batched_tokens {configuration.max_num_batched_tokens} instead of {defaults.max_num_batched_tokens}: "
            f"the load keeps the objectives on fewer accelerators with it"
        )
    if configuration.gpu_memory_utilization is not None:
        told.append(
            f"gpu_memory_utilization {configuration.gpu_memory_utilization:g} instead of "
            f"{defaults.gpu_memory_utilization:g}: memory binds, and what stays free holds the CUDA graphs"
        )
    if configuration.api_servers is not None:
        chunks = f" and chunks of {configuration.stream_interval} tokens" if configuration.stream_interval else ""
        told.append(
            f"{configuration.api_servers} API servers{chunks}: one API process would bind before the accelerator"
        )
    return tuple(told)


def ranks(target: Target, one_rank: MemoryFit, margins: Margins) -> str:
    """Return why accelerators are data-parallel ranks; empty where they are not.

    ``one_rank`` is what as many accelerators hold in tensor parallelism.
    """
    configuration = target.configuration
    if configuration.data_parallel_size == 1:
        return ""
    return (
        f"{configuration.data_parallel_size} data-parallel ranks share out the experts: the KV cache holds "
        f"{target.memory.kv_cache_tokens:,} tokens, where tensor parallelism over {configuration.accelerators_per_replica} "
        f"accelerators holds {max(0, one_rank.kv_cache_tokens):,} in copies; no such replica was measured, so predictions keep "
        f"the promise with {margins.ttft - 1:.0%} (TTFT) and {margins.inter_token - 1:.0%} (inter-token latency) to spare"
    )


def infeasible(candidates: Iterable[Candidate], request: PlanRequest, uncapped: Target | None) -> Infeasible:
    """Return the constraint that the candidates which came nearest to an answer fail on.

    Where only caps stand in the way that is the cap that the plan without caps breaks.
    """
    rejected = [one for one in candidates if one.verdict == Verdict.REJECTED and not one.gated]
    if not rejected:
        allowed = ", ".join(request.spec.hardware.accelerators) or "any accelerator"
        return Infeasible(
            reason=Reason.NO_PRICE,
            message=f"no price book offers {allowed}: add an offering with its hourly price to a PriceBook",
        )
    nearest = max(rejected, key=_nearness)
    if nearest.reason in _HARDWARE_REASONS:
        return _no_hardware(rejected, request) or Infeasible(reason=Reason(nearest.reason), message=nearest.message)
    if nearest.reason == Reason.OBJECTIVE_UNREACHABLE:
        what = describe(nearest.configuration)
        message = f"no allowed configuration keeps the promise; on the nearest, {what}, {nearest.message}"
        return Infeasible(reason=Reason.OBJECTIVE_UNREACHABLE, message=message)
    if nearest.reason in CAP_REASONS and uncapped is not None:
        return _capped(nearest, uncapped, request)
    return Infeasible(reason=Reason(nearest.reason), message=f"{describe(nearest.configuration)}: {nearest.message}")


def _capped(nearest: Candidate, uncapped: Target, request: PlanRequest) -> Infeasible:
    supply = next((one for one in request.supplies if offers(one, uncapped.configuration)), None)
    size = uncapped.configuration.accelerators_per_replica
    broken = check_caps(supply, size, uncapped.replicas, limits_of(request)) if supply else None
    what = describe(uncapped.configuration, uncapped.replicas)
    if broken is None:
        return Infeasible(
            reason=Reason(nearest.reason), message=f"{describe(nearest.configuration)}: {nearest.message}"
        )
    return Infeasible(reason=broken.reason, message=f"the cheapest that keeps the promise is {what}: {broken.message}")


def _no_hardware(rejected: Sequence[Candidate], request: PlanRequest) -> Infeasible | None:
    offered = {candidate.configuration.accelerator for candidate in rejected}
    missing = [name for name in request.spec.hardware.accelerators if name not in offered]
    if not missing or len(missing) < len(request.spec.hardware.accelerators):
        return None
    return Infeasible(
        reason=Reason.NO_PRICE,
        message=f"no price book offers {', '.join(missing)}: add an offering with its hourly price to a PriceBook",
    )


def _nearness(candidate: Candidate) -> tuple[int, float, int]:
    return REASON_ORDER.index(candidate.reason), candidate.closeness, -candidate.cost_floor.micros
