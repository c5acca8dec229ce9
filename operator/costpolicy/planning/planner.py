"""The planner: judge every option, let the cheapest that keeps the promise win, keep a reason for every other.

Options are judged from the lowest cost that they could possibly have (``cost_floor``) upwards, so that most of
them are seen to be dearer than the best found without a prediction; they stay in the answer as Dominated.
Ties go to the lower full price, then to what runs already, then fewer accelerators, then fewer departures from the
engine's defaults, then the stable order of ``options``.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from costpolicy.api.reasons import Reason
from costpolicy.api.types import KvCacheDtype
from costpolicy.perf.latency import Binding, Latency
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.constraints import (
    CAP_REASONS,
    Question,
    check_caps,
    check_promise,
    check_shape,
    check_supply,
)
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.explain import infeasible, why_not_cheaper
from costpolicy.planning.options import Option, options, other_batches
from costpolicy.planning.plan import Candidate, Plan, Rejection, Target, Verdict
from costpolicy.planning.request import UNCAPPED, Limits, PlanRequest, limits_of
from costpolicy.planning.supply import Supply
from costpolicy.units import Money

_LATENCY_BOUND = (Binding.TTFT, Binding.INTER_TOKEN)


def plan(request: PlanRequest, evaluation: Evaluation | None = None) -> Plan:
    """Return the cheapest target for a request, what the quality gate could add, and why nothing is cheaper.

    An evaluation of the same request may be given, to ask more of it afterwards (``sizing``).
    """
    question = Question(request=request, evaluation=evaluation or Evaluation(request))
    limits = limits_of(request)
    allowed, refused = _split_supplies(request)
    found = _search(question, options(request, allowed, gate=True), limits)
    candidates = (*refused, *found.judged())
    return Plan(
        demand=request.demand,
        target=found.best,
        recommended=found.gated if found.gated and (found.best is None or _cheaper(found.gated, found.best)) else None,
        uncapped=_uncapped(question, allowed, found),
        why_not_cheaper=why_not_cheaper(found.best, candidates, request.currency),
        infeasible=None if found.best else infeasible(candidates, request),
        candidates=candidates,
    )


@dataclass(slots=True)
class _Search:
    """One pass over options: the best that may be applied, the best behind the gate, and what became of each."""

    best: Target | None = None
    gated: Target | None = None
    ranks: dict[bool, tuple[object, ...]] = field(default_factory=dict)
    outcomes: list[tuple[Option, Money, Target | Rejection | None]] = field(default_factory=list)

    def consider(self, option: Option, found: Target, rank: tuple[object, ...]) -> None:
        """Keep a target if it is the best of its kind so far."""
        if option.gated in self.ranks and rank >= self.ranks[option.gated]:
            return
        self.ranks[option.gated] = rank
        if option.gated:
            self.gated = found
        else:
            self.best = found

    def judged(self) -> Iterator[Candidate]:
        """Yield each option as a candidate, cheapest floor first."""
        for option, floor, outcome in self.outcomes:
            verdict, reason, message = self._verdict(option, floor, outcome)
            rejected = outcome if isinstance(outcome, Rejection) else None
            yield Candidate(
                configuration=option.configuration,
                verdict=verdict,
                reason=reason,
                message=message,
                cost_floor=(rejected.cost if rejected else None) or floor,
                closeness=rejected.closeness if rejected else 0.0,
                gated=option.gated,
                target=outcome if isinstance(outcome, Target) else None,
            )

    def _verdict(self, option: Option, floor: Money, outcome: Target | Rejection | None) -> tuple[Verdict, str, str]:
        if isinstance(outcome, Rejection):
            return Verdict.REJECTED, outcome.reason, outcome.message
        if outcome is None:
            return Verdict.DOMINATED, "Dearer", f"it would cost at least {floor.text(2)} an hour"
        if outcome is self.best:
            return Verdict.CHOSEN, "Cheapest", "the cheapest that keeps every constraint"
        cost = outcome.cost_per_hour.text(2)
        if option.gated and (self.best is None or _cheaper(outcome, self.best)):
            return Verdict.DOMINATED, "NeedsQualityGate", f"{cost} an hour, but it can alter answers: recommended only"
        return Verdict.DOMINATED, "Dearer", f"it keeps the promise for {cost} an hour"


def _search(question: Question, found: Iterable[Option], limits: Limits) -> _Search:
    search = _Search()
    priced = sorted(((_floor(option, question), index, option) for index, option in enumerate(found)), key=_by_floor)
    for (marginal, cost), index, option in priced:
        if search.best is not None and marginal > search.best.marginal_cost_per_hour:
            search.outcomes.append((option, cost, None))
            continue
        for variant in _variants(option, question, search, cost):
            outcome = judge(variant, question, limits)
            search.outcomes.append((variant, cost, outcome))
            if isinstance(outcome, Target):
                search.consider(variant, outcome, _rank(outcome, index, question.request.running))
    return search


def _uncapped(question: Question, allowed: Iterable[Supply], now: _Search) -> Target | None:
    """Return the best without caps; where no cap refused anything, that is the best with them."""
    if not any(isinstance(outcome, Rejection) and outcome.reason in CAP_REASONS for _, _, outcome in now.outcomes):
        return now.best
    return _search(question, options(question.request, allowed, gate=False), UNCAPPED).best


def _variants(option: Option, question: Question, search: _Search, floor: Money) -> Iterator[Option]:
    """Yield the option and, only where latency binds at the engine's defaults, the option with other batch sizes."""
    yield option
    last = search.outcomes[-1][2]
    strained = (
        isinstance(last, Target)
        and last.cost_per_hour > floor
        and question.evaluation.capacity(option).binding in _LATENCY_BOUND
    )
    missed = isinstance(last, Rejection) and last.reason == Reason.OBJECTIVE_UNREACHABLE
    # A request that is alone and misses its objective is only helped by finishing its prompt in fewer steps.
    if strained or (
        missed and question.request.demand.prompt_tokens > question.evaluation.shape(option).max_num_batched_tokens
    ):
        yield from other_batches(question.request, option)


def judge(option: Option, question: Question, limits: Limits) -> Target | Rejection:
    """Return the option as a target with the replicas that the demand needs, or the first reason against it."""
    rejection = check_shape(option, question) or check_promise(option, question)
    if rejection:
        return rejection
    replicas = replicas_for(option, question)
    return check_caps(option, replicas, limits) or target(option, replicas, question)


def replicas_for(option: Option, question: Question) -> int:
    """Return the replicas that carry the demand inside the objectives; from two, also with one of them missing."""
    objectives = question.evaluation.objectives
    capacity = question.evaluation.capacity(option).requests_per_second
    needed = max(1, math.ceil(question.request.demand.requests_per_second / capacity - 1e-9))
    if objectives.min_ready_replicas > 1:
        needed += 1
    return max(needed, objectives.min_ready_replicas, question.request.spec.scaling.min_replicas)


def target(option: Option, replicas: int, question: Question) -> Target | Rejection:
    """Return the option with a number of replicas, priced and predicted at each one's share of the demand."""
    predicted = question.evaluation.at_rate(option, question.request.demand.requests_per_second / replicas)
    if not isinstance(predicted, Latency):
        return Rejection(reason=Reason.OBJECTIVE_UNREACHABLE, message=f"{replicas} replicas would be saturated")
    size = option.configuration.tensor_parallel_size
    return Target(
        configuration=option.configuration,
        replicas=replicas,
        cost_per_hour=option.supply.offering.hourly * (replicas * size),
        marginal_cost_per_hour=_marginal(option.supply, replicas * size),
        predicted=predicted,
        memory=question.evaluation.memory(option),
        capacity_per_replica=question.evaluation.capacity(option).requests_per_second,
    )


def _split_supplies(request: PlanRequest) -> tuple[list[Supply], list[Candidate]]:
    allowed, refused = [], []
    for supply in sorted(request.supplies, key=_supply_order):
        rejection = check_supply(supply, request)
        if rejection is None:
            allowed.append(supply)
            continue
        smallest = next(iter(options(request, [supply], gate=False)))
        refused.append(
            Candidate(
                configuration=smallest.configuration,
                verdict=Verdict.REJECTED,
                reason=rejection.reason,
                message=rejection.message,
                cost_floor=supply.offering.hourly,
            )
        )
    return allowed, refused


def _floor(option: Option, question: Question) -> tuple[Money, Money]:
    """Return the least marginal and full cost an hour that an option could have: the replicas of a cheap bound."""
    spec, size = question.request.spec, option.configuration.tensor_parallel_size
    most = question.evaluation.most_requests_per_second(option)
    carried = math.ceil(question.request.demand.requests_per_second / most - 1e-9) if most else 1
    replicas = max(carried, 1, spec.objectives.availability.min_ready_replicas, spec.scaling.min_replicas)
    return _marginal(option.supply, replicas * size), option.supply.offering.hourly * (replicas * size)


def _marginal(supply: Supply, accelerators: int) -> Money:
    return supply.offering.hourly * max(accelerators - supply.reserved_free, 0)


def _rank(found: Target, index: int, running: Configuration | None) -> tuple[object, ...]:
    return (*_cost(found), found.configuration != running, found.accelerators, *_departures(found), index)


def _departures(found: Target) -> tuple[int, int]:
    configuration = found.configuration
    return (
        int(configuration.kv_cache_dtype != KvCacheDtype.AUTO) + int(configuration.online_quantization),
        int(configuration.max_num_batched_tokens is not None) + int(configuration.max_num_seqs is not None),
    )


def _cost(found: Target) -> tuple[Money, Money]:
    return found.marginal_cost_per_hour, found.cost_per_hour


def _cheaper(one: Target, other: Target) -> bool:
    return _cost(one) < _cost(other)


def _by_floor(entry: tuple[tuple[Money, Money], int, Option]) -> tuple[Money, Money, int]:
    (marginal, cost), index, _ = entry
    return marginal, cost, index


def _supply_order(supply: Supply) -> tuple[int, str, str]:
    offering = supply.offering
    return offering.hourly.micros, offering.accelerator.name, offering.capacity_type
