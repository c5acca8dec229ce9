"""One option judged: how many replicas it needs, whether that is allowed, and what it costs and reaches."""

import math

from costpolicy.api.reasons import Reason
from costpolicy.perf.latency import Latency
from costpolicy.planning.caps import check_caps
from costpolicy.planning.constraints import Question, check_promise, check_shape
from costpolicy.planning.interruption import interruptible, wasted
from costpolicy.planning.options import Option, Placement
from costpolicy.planning.plan import Rejection, Target
from costpolicy.planning.replica import Replica
from costpolicy.planning.request import Limits
from costpolicy.planning.supply import Supply
from costpolicy.units import Money

_SLACK = 1e-9


def judge(option: Option, question: Question, limits: Limits) -> Target | Rejection:
    """Return the option as a target with the replicas that the demand needs, or the first reason against it."""
    rejection = check_shape(option, question) or check_promise(option, question)
    if rejection:
        return rejection
    rejection = check_call(Placement(option, option.supply), question)
    if rejection:
        return rejection
    replicas = replicas_for(option.supply, question, option.requests_per_second)
    size = option.configuration.accelerators_per_replica
    return (
        check_caps(option.supply, size, replicas, limits)
        or _check_need(option, replicas, question)
        or target(option, replicas, question)
    )


def check_call(placement: Placement, question: Question) -> Rejection | None:
    """Return that no setting of the engine makes speculative decoding called for, if so."""
    plain = placement.option.plain
    if plain is None:
        return None
    most = plain.capacity_without_inter_token
    if most and _needs_more(plain, replicas_for(placement.supply, question, most), placement.supply, question):
        return None
    return _needless("without speculative decoding inter-token latency does not ask for more replicas")


def _check_need(option: Option, replicas: int, question: Question) -> Rejection | None:
    """Return that speculative decoding is not called for, where no more replicas keep the promise without it.

    Where they do not, it is inter-token latency that they miss: without that promise each would carry as much
    (``Option.requests_per_second``).
    """
    if option.plain is None or _needs_more(option.plain, replicas, option.supply, question):
        return None
    return _needless(f"{replicas} replica(s) keep inter-token latency without speculative decoding")


def _needs_more(plain: Replica, replicas: int, supply: Supply, question: Question) -> bool:
    capacity = plain.capacity.requests_per_second
    return not capacity or replicas_for(supply, question, capacity) > replicas


def _needless(why: str) -> Rejection:
    return Rejection(
        reason=Reason.SPECULATION_NOT_NEEDED,
        message=f"{why}; spec.techniques.speculativeDecoding in mode Enabled orders it",
    )


def spare_replicas(supply: Supply, question: Question) -> int:
    """Return the replicas beyond those that carry the demand: one where two or more are promised to be ready, and on
    capacity that can be interrupted.
    """
    return int(question.evaluation.objectives.min_ready_replicas > 1 or interruptible(supply))


def replicas_for(supply: Supply, question: Question, capacity: float) -> int:
    """Return the replicas of a capacity (requests a second) that carry the demand, the spare one included."""
    needed = max(1, math.ceil(question.request.demand.requests_per_second / capacity - _SLACK))
    return _at_least(needed + spare_replicas(supply, question), question)


def fewest_replicas(supply: Supply, question: Question) -> int:
    """Return the replicas that are needed whatever the demand."""
    return _at_least(1 + spare_replicas(supply, question), question)


def _at_least(replicas: int, question: Question) -> int:
    spec = question.request.spec
    return max(replicas, spec.objectives.availability.min_ready_replicas, spec.scaling.min_replicas)


def price_of(supply: Supply, accelerators: int) -> tuple[int, int]:
    """Return what is compared of accelerators of a supply, in micro-units an hour: what they add to the bill,
    interruptions included, and their full price.
    """
    price = supply.offering.hourly.micros
    full = price * accelerators
    added = price * max(accelerators - supply.reserved_free, 0) if supply.reserved_free else full
    return added + wasted(supply, full), full


def target(option: Option, replicas: int, question: Question) -> Target | Rejection:
    """Return the option with a number of replicas, priced and predicted at each one's share of the demand."""
    predicted = option.replica.at_rate(question.request.demand.requests_per_second / replicas)
    if not isinstance(predicted, Latency):
        return Rejection(reason=Reason.OBJECTIVE_UNREACHABLE, message=f"{replicas} replicas would be saturated")
    accelerators = replicas * option.configuration.accelerators_per_replica
    hourly = option.supply.offering.hourly
    return Target(
        configuration=option.configuration,
        replicas=replicas,
        cost_per_hour=hourly * accelerators,
        marginal_cost_per_hour=hourly * max(accelerators - option.supply.reserved_free, 0),
        interruption_cost_per_hour=Money(wasted(option.supply, hourly.micros * accelerators)),
        predicted=predicted,
        memory=option.replica.memory,
        capacity_per_replica=option.requests_per_second,
    )
