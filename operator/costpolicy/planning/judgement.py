"""One option judged: how many replicas it needs, whether that is allowed, and what it costs and reaches."""

import math

from costpolicy.api.reasons import Reason
from costpolicy.perf.latency import Latency
from costpolicy.planning.constraints import Question, check_caps, check_promise, check_shape
from costpolicy.planning.options import Option
from costpolicy.planning.plan import Rejection, Target
from costpolicy.planning.request import Limits

_SLACK = 1e-9


def judge(option: Option, question: Question, limits: Limits) -> Target | Rejection:
    """Return the option as a target with the replicas that the demand needs, or the first reason against it."""
    rejection = check_shape(option, question) or check_promise(option, question)
    if rejection:
        return rejection
    replicas = replicas_for(question, option.replica.capacity.requests_per_second)
    return check_caps(option.supply, option.configuration.tensor_parallel_size, replicas, limits) or target(
        option, replicas, question
    )


def spare_replicas(question: Question) -> int:
    """Return the replicas beyond those that carry the demand: one where two or more are promised to be ready."""
    return int(question.evaluation.objectives.min_ready_replicas > 1)


def replicas_for(question: Question, capacity: float) -> int:
    """Return the replicas of a capacity (requests a second) that carry the demand; from two, also with one missing."""
    needed = max(1, math.ceil(question.request.demand.requests_per_second / capacity - _SLACK))
    promised = question.evaluation.objectives.min_ready_replicas
    return max(needed + spare_replicas(question), promised, question.request.spec.scaling.min_replicas)


def target(option: Option, replicas: int, question: Question) -> Target | Rejection:
    """Return the option with a number of replicas, priced and predicted at each one's share of the demand."""
    predicted = option.replica.at_rate(question.request.demand.requests_per_second / replicas)
    if not isinstance(predicted, Latency):
        return Rejection(reason=Reason.OBJECTIVE_UNREACHABLE, message=f"{replicas} replicas would be saturated")
    size, offering = option.configuration.tensor_parallel_size, option.supply.offering
    return Target(
        configuration=option.configuration,
        replicas=replicas,
        cost_per_hour=offering.hourly * (replicas * size),
        marginal_cost_per_hour=offering.hourly * max(replicas * size - option.supply.reserved_free, 0),
        predicted=predicted,
        memory=option.replica.memory,
        capacity_per_replica=option.replica.capacity.requests_per_second,
    )
