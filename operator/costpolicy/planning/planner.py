"""The planner: what is offered and allowed, the search for the cheapest that keeps the promise, and the answer."""

from collections.abc import Sequence
from dataclasses import replace

from costpolicy.api.reasons import Reason
from costpolicy.planning.caps import CAP_REASONS
from costpolicy.planning.constraints import Question, check_supply
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.explain import infeasible, ranks, settings, why_not_cheaper
from costpolicy.planning.options import Placement, offers, options_on, placements
from costpolicy.planning.plan import Candidate, Plan, Rejection, Target
from costpolicy.planning.request import UNCAPPED, PlanRequest, limits_of
from costpolicy.planning.search import Search, cheaper
from costpolicy.planning.sizing import size
from costpolicy.planning.speculation import described
from costpolicy.planning.supply import Supply
from costpolicy.planning.tradeoff import TradeOff, trade_off


def plan(request: PlanRequest, evaluation: Evaluation | None = None) -> Plan:
    """Return the cheapest target for a request, what the quality gate could add, and why nothing is cheaper.

    An evaluation of the same request may be given, to ask more of it afterwards (``sizing``).
    """
    question = Question(request=request, evaluation=evaluation or Evaluation(request))
    allowed, refused = _split_supplies(request, question.evaluation)
    found = _searched(question, allowed, gate=True)
    candidates = (*refused, *found.candidates())
    uncapped, best = _uncapped(question, found), _best(question, found)
    return Plan(
        demand=request.demand,
        target=best,
        recommended=found.gated if found.gated and (best is None or cheaper(found.gated, best)) else None,
        uncapped=uncapped,
        settings=_settings(question, best),
        why_not_cheaper=why_not_cheaper(best, candidates, _trade_off(question, found), request.currency),
        infeasible=None if best else infeasible(candidates, request, uncapped),
        candidates=candidates,
    )


def cheapest(request: PlanRequest) -> Target | None:
    """Return the target of :func:`plan` alone, where nobody asks why.

    What the quality gate could add is never the target, and most of the work of a plan: it is not looked at.
    """
    question = Question(request=request, evaluation=Evaluation(request))
    allowed = [supply for supply in _in_order(request) if check_supply(supply, request) is None]
    return _best(question, _searched(question, allowed, gate=False))


def _searched(question: Question, supplies: Sequence[Supply], *, gate: bool) -> Search:
    request, evaluation = question.request, question.evaluation
    return Search(question, limits_of(request)).run(placements(request, supplies, evaluation, gate=gate))


def _best(question: Question, found: Search) -> Target | None:
    return found.best or _within_means(question, found)


def _within_means(question: Question, now: Search) -> Target | None:
    """Return what serves best where something runs and nothing that carries the load is within the budget: the cheapest
    that does, with as many replicas as the budget allows, and as many as are promised at least.
    """
    request, limits = question.request, limits_of(question.request)
    if request.running is None or limits.hourly_budget is None:
        return None
    placed = [
        outcome.placement
        for outcome in now.outcomes
        if isinstance(outcome.found, Rejection)
        and outcome.found.reason is Reason.BUDGET_EXCEEDED
        and not outcome.placement.option.gated
    ]
    dear = Search(question, replace(limits, hourly_budget=None)).run(placed).best if placed else None
    found = size(request, dear.configuration, limits, question.evaluation) if dear else None
    return found if isinstance(found, Target) else None


def _trade_off(question: Question, found: Search) -> TradeOff | None:
    if found.best is None:
        return None
    applicable = (
        one.placement for one in found.outcomes if not one.placement.option.gated and one.placement.option.plain is None
    )
    return trade_off(found.best, applicable, question, limits_of(question.request))


def _settings(question: Question, best: Target | None) -> tuple[str, ...]:
    if best is None:
        return ()
    configuration = best.configuration
    supply = next(one for one in question.request.supplies if offers(one, configuration))
    evaluation, accelerator = question.evaluation, supply.offering.accelerator
    plain = evaluation.replica(replace(configuration, proposer=None), accelerator)
    rate = question.request.demand.requests_per_second / best.replicas
    replica = evaluation.replica(configuration, accelerator)
    margin = replica.margins.inter_token
    speculates = described(configuration, question.request, plain.at_rate(rate), best.predicted, margin)
    undivided = replace(
        configuration, tensor_parallel_size=configuration.accelerators_per_replica, data_parallel_size=1
    )
    shared_out = ranks(best, evaluation.replica(undivided, accelerator).memory, replica.margins)
    return tuple(one for one in (*settings(best, replica.defaults), speculates, shared_out) if one)


def _uncapped(question: Question, now: Search) -> Target | None:
    """Return the best without caps: that with them, or what only a cap refused."""
    capped: list[Placement] = [
        outcome.placement
        for outcome in now.outcomes
        if isinstance(outcome.found, Rejection)
        and outcome.found.reason in CAP_REASONS
        and not outcome.placement.option.gated
    ]
    return Search(question, UNCAPPED).run(capped, now.best).best if capped else now.best


def _split_supplies(request: PlanRequest, evaluation: Evaluation) -> tuple[list[Supply], list[Candidate]]:
    allowed, refused = [], []
    for supply in _in_order(request):
        rejection = check_supply(supply, request)
        if rejection is None:
            allowed.append(supply)
            continue
        smallest = next(options_on(request, supply, evaluation, gate=False))
        refused.append(Candidate(Placement(smallest, supply), supply.offering.hourly.micros, rejection))
    return allowed, refused


def _in_order(request: PlanRequest) -> list[Supply]:
    return sorted(request.supplies, key=_supply_order)


def _supply_order(supply: Supply) -> tuple[int, str, str]:
    offering = supply.offering
    return offering.hourly.micros, offering.accelerator.name, offering.capacity_type
