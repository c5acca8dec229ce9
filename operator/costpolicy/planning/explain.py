"""The planner's answer in words: why nothing is cheaper, and why nothing is possible."""

from collections.abc import Iterable, Sequence

from costpolicy.api.reasons import Reason
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.constraints import CAP_REASONS, REASON_ORDER, check_caps
from costpolicy.planning.options import offers
from costpolicy.planning.plan import Candidate, Infeasible, Target, Verdict
from costpolicy.planning.request import PlanRequest, limits_of

_HARDWARE_REASONS = (Reason.ACCELERATOR_NOT_ALLOWED, Reason.CAPACITY_TYPE_NOT_ALLOWED, Reason.NO_NODES)


def describe(configuration: Configuration, replicas: int = 1) -> str:
    """Return a configuration as people say it: ``2 x 4 nvidia-h100-80gb, fp8 weights, fp8 KV cache``."""
    size = configuration.tensor_parallel_size
    count = f"{replicas} x {size}" if replicas > 1 and size > 1 else f"{replicas * size}"
    kv_cache = "" if configuration.kv_cache_dtype == "auto" else f", {configuration.kv_cache_dtype} KV cache"
    batch = f", {configuration.max_num_batched_tokens} tokens a step" if configuration.max_num_batched_tokens else ""
    spot = "" if configuration.capacity_type == "OnDemand" else f" {configuration.capacity_type}"
    return f"{count} {configuration.accelerator}{spot}, {configuration.weights} weights{kv_cache}{batch}"


def why_not_cheaper(target: Target | None, candidates: Sequence[Candidate], currency: str) -> str:
    """Return which constraint keeps the nearest cheaper candidate out, and what that costs a month."""
    if target is None:
        return ""
    cheaper = [
        candidate
        for candidate in candidates
        if candidate.verdict == Verdict.REJECTED
        and not candidate.gated
        and candidate.reason not in _HARDWARE_REASONS  # whether it would do was never asked
        and candidate.cost_floor < target.cost_per_hour
    ]
    if not cheaper:
        return "nothing that is offered and allowed costs less"
    nearest = max(cheaper, key=_nearness)
    saved = (target.cost_per_hour - nearest.cost_floor).monthly().text(2)
    return f"{describe(nearest.configuration)} would save {saved} {currency} a month, but {nearest.message}"


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
    if nearest.reason in CAP_REASONS and uncapped is not None:
        return _capped(nearest, uncapped, request)
    return Infeasible(reason=Reason(nearest.reason), message=f"{describe(nearest.configuration)}: {nearest.message}")


def _capped(nearest: Candidate, uncapped: Target, request: PlanRequest) -> Infeasible:
    supply = next((one for one in request.supplies if offers(one, uncapped.configuration)), None)
    size = uncapped.configuration.tensor_parallel_size
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
