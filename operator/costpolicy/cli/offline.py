"""A plan without a cluster: everything offered is available, and nothing runs yet."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from costpolicy.cli.console import InputError

if TYPE_CHECKING:
    from costpolicy.api.policy import CostPolicy, TrafficSpec
    from costpolicy.catalog.prices import PriceList
    from costpolicy.planning.plan import Plan
    from costpolicy.planning.request import PlanRequest
    from costpolicy.reconcile.inputs import Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A policy, what it means, and its plan."""

    policy: "CostPolicy"
    inputs: "Inputs"
    request: "PlanRequest"
    plan: "Plan"


def plan_offline(policy: "CostPolicy", prices: "PriceList", traffic: "TrafficSpec | None" = None) -> Planned:
    """Plan a policy as if nothing ran; ``traffic`` replaces the policy's own expectation.

    Raises:
        InputError: the policy asks for something that cannot be read; the message says what to do.
    """
    from costpolicy.planning.planner import plan
    from costpolicy.reconcile.remedies import with_remedy

    inputs, request = question_offline(policy, prices, traffic)
    return Planned(policy=policy, inputs=inputs, request=request, plan=with_remedy(plan(request), prices.problems))


def question_offline(
    policy: "CostPolicy", prices: "PriceList", traffic: "TrafficSpec | None" = None
) -> "tuple[Inputs, PlanRequest]":
    """Return what the planner would be asked, and what the policy means.

    Raises:
        InputError: the policy asks for something that cannot be read; the message says what to do.
    """
    from costpolicy.api.validation import Problem
    from costpolicy.planning.demand import expected_demand
    from costpolicy.planning.request import PlanRequest
    from costpolicy.planning.supply import unlimited
    from costpolicy.reconcile.inputs import read_inputs

    inputs = read_inputs(policy)
    if isinstance(inputs, Problem):
        raise InputError(f"{policy.key}: {inputs.reason}: {inputs.message}")
    budget = policy.spec.budget
    if budget is not None and budget.currency not in ("", prices.currency):
        raise InputError(
            f"{policy.key}: CurrencyMismatch: spec.budget.currency is {budget.currency}, the prices are in {prices.currency}"
        )
    request = PlanRequest(
        spec=policy.spec,
        architecture=inputs.architecture,
        source_format=inputs.source_format,
        demand=expected_demand(traffic or policy.spec.traffic),
        supplies=unlimited(prices.offerings),
        engine=inputs.engine,
        currency=prices.currency,
    )
    return inputs, request
