"""What limits the number of replicas: maxReplicas, maxAccelerators, stock and budget."""

from costpolicy.api.reasons import Reason
from costpolicy.planning.plan import Rejection
from costpolicy.planning.request import Limits
from costpolicy.planning.supply import Supply
from costpolicy.units import Money

CAP_REASONS = (Reason.MAX_REPLICAS, Reason.MAX_ACCELERATORS, Reason.NO_SPARE_GPU, Reason.BUDGET_EXCEEDED)
"""Reasons that would go away with a larger cap."""


def check_caps(supply: Supply, size: int, replicas: int, limits: Limits) -> Rejection | None:
    """Return which cap this many replicas would break, if any: replicas, accelerators, stock, then budget."""
    micros = supply.offering.hourly.micros * replicas * size
    if limits.max_replicas is not None and replicas > limits.max_replicas:
        reason = Reason.MAX_REPLICAS
        message = f"{replicas} replicas are needed, spec.scaling.maxReplicas is {limits.max_replicas}"
    elif limits.max_accelerators is not None and replicas * size > limits.max_accelerators:
        reason = Reason.MAX_ACCELERATORS
        message = (
            f"{replicas * size} accelerators are needed, spec.hardware.maxAccelerators is {limits.max_accelerators}"
        )
    elif limits.stock and (short := _over_stock(supply, size, replicas)):
        reason, message = Reason.NO_SPARE_GPU, short
    elif limits.hourly_budget is not None and micros > limits.hourly_budget.micros:
        reason = Reason.BUDGET_EXCEEDED
        message = f"{Money(micros).text(2)} an hour are needed, the budget is {limits.hourly_budget.text(2)} an hour"
    else:
        return None
    return Rejection(reason=reason, message=message, closeness=-float(micros), cost=Money(micros))


def at_least(rejection: Rejection | None) -> Rejection | None:
    """Return a cap's rejection of the fewest replicas that could do, worded as the bound that it is."""
    if rejection is None:
        return None
    message = f"at least {rejection.message}"
    return Rejection(reason=rejection.reason, message=message, closeness=rejection.closeness, cost=rejection.cost)


def _over_stock(supply: Supply, size: int, replicas: int) -> str:
    placeable = supply.placeable_replicas(size)
    if placeable is None or replicas <= placeable:
        return ""
    name = supply.offering.accelerator.name
    return f"{replicas} x {size} {name} are needed, the nodes have room for {placeable} x {size}"
