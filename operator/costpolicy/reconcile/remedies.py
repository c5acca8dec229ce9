"""What the user can do about a plan that does not exist: the planner says what is wrong, this adds the way out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from costpolicy.api.reasons import Reason
from costpolicy.planning.plan import Plan

REMEDIES: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.OBJECTIVE_UNREACHABLE: "ease spec.objectives, or allow and offer faster accelerators",
        Reason.DOES_NOT_FIT: "allow and offer accelerators with more memory, or more of them on a node",
        Reason.BUDGET_EXCEEDED: "raise spec.budget, or ease spec.objectives",
        Reason.MAX_ACCELERATORS: "raise spec.hardware.maxAccelerators, or allow larger accelerators",
        Reason.MAX_REPLICAS: "raise spec.scaling.maxReplicas, or allow faster accelerators",
    }
)
"""Only reasons whose sentence, which the planner makes of figures, does not name the way out itself."""


def with_remedy(plan: Plan, price_problems: Sequence[str]) -> Plan:
    """Return the plan; where there is none, with what to do, and what is wrong with the price books if one is missed."""
    if plan.infeasible is None:
        return plan
    reason, parts = plan.infeasible.reason, [plan.infeasible.message]
    if reason is Reason.NO_PRICE:
        parts += price_problems[:1]
    if reason in REMEDIES:
        parts.append(REMEDIES[reason])
    return replace(plan, infeasible=replace(plan.infeasible, message="; ".join(parts)))
