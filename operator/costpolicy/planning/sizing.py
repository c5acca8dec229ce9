"""How many replicas of a configuration that already runs a demand needs, whatever else would be cheaper."""

from dataclasses import replace
from typing import Final

from costpolicy.api.reasons import Reason
from costpolicy.planning.basis import workload_of
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.constraints import Question, check_promise, check_shape, check_supply
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.judgement import replicas_for, target
from costpolicy.planning.options import Option, offers
from costpolicy.planning.plan import Rejection, Target
from costpolicy.planning.request import Limits, PlanRequest, limits_of
from costpolicy.planning.speculation import ordered
from costpolicy.planning.supply import Supply

_MANY: Final = 10**6
"""No cap."""


def size(
    request: PlanRequest, configuration: Configuration, limits: Limits, evaluation: Evaluation | None = None
) -> Target | Rejection:
    """Return the configuration with the replicas that the demand needs, as far as the limits allow.

    Limits cap growth and nothing else: never fewer than ``minReadyReplicas``, and stock never takes away what runs.

    An evaluation of the same policy is used if its requests are of the same shape, whatever their rate.

    Raises nothing; a configuration that cannot keep the promise, or whose offering is gone, is a ``Rejection``.
    """
    supply = supply_of(request, configuration)
    if supply is None:
        return Rejection(
            reason=Reason.NO_PRICE,
            message=f"no price book offers {configuration.accelerator} {configuration.capacity_type} any more",
        )
    fits = evaluation is not None and evaluation.workload == workload_of(request.demand)
    question = Question(request=request, evaluation=evaluation if evaluation and fits else Evaluation(request))
    option = _as_planned(configuration, supply, question)
    rejection = check_supply(supply, request) or check_shape(option, question) or check_promise(option, question)
    if rejection is not None:
        return rejection
    wanted = replicas_for(supply, question, option.requests_per_second)
    floor = max(request.spec.objectives.availability.min_ready_replicas, 1)
    allowed = max(min(wanted, _most(configuration, supply, limits)), floor)
    found = target(option, allowed, question)
    if isinstance(found, Rejection):  # capped below the demand: what can be said is what one busy replica does
        capacity = option.requests_per_second
        eased = replace(request, demand=replace(request.demand, requests_per_second=capacity * allowed))
        return target(option, allowed, Question(request=eased, evaluation=question.evaluation))
    return found


def _as_planned(configuration: Configuration, supply: Supply, question: Question) -> Option:
    """Return the option that a configuration was, so that of speculation no more is expected than when it was planned."""
    evaluation, accelerator = question.evaluation, supply.offering.accelerator
    option = Option(configuration=configuration, supply=supply, replica=evaluation.replica(configuration, accelerator))
    if configuration.proposer is None or ordered(question.request):
        return option
    plain = evaluation.replica(replace(configuration, proposer=None), accelerator)
    # What was measured of it may be better than what is known of the plain one: it runs, and is not given up here.
    return replace(option, plain=plain) if plain.capacity_without_inter_token else option


def supply_of(request: PlanRequest, configuration: Configuration) -> Supply | None:
    """Return the supply that a configuration was planned on, if it is still offered."""
    return next((supply for supply in request.supplies if offers(supply, configuration)), None)


def affordable(request: PlanRequest, configuration: Configuration) -> int:
    """Return how many replicas the budget and ``maxAccelerators`` allow; many where nothing prices them any more."""
    supply = supply_of(request, configuration)
    if supply is None:
        return _MANY
    return _most(configuration, supply, replace(limits_of(request), max_replicas=None))


def _most(configuration: Configuration, supply: Supply, limits: Limits) -> int:
    size_, price = configuration.accelerators_per_replica, supply.offering.hourly
    caps = [_MANY if limits.max_replicas is None else limits.max_replicas]
    if limits.max_accelerators is not None:
        caps.append(limits.max_accelerators // size_)
    if limits.hourly_budget is not None and price.micros:
        caps.append(limits.hourly_budget.micros // (price.micros * size_))
    return min(caps)
