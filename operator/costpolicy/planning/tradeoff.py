"""What a promise costs: the next cheaper plan, and by how much an objective would have to be relaxed for it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil, floor, log10
from typing import Final

from costpolicy.perf.ceiling import Ceiling
from costpolicy.perf.latency import Latency
from costpolicy.planning.caps import check_caps
from costpolicy.planning.constraints import Question, check_placement
from costpolicy.planning.judgement import fewest_replicas, price_of, spare_replicas, target
from costpolicy.planning.options import Option, Placement
from costpolicy.planning.plan import Target
from costpolicy.planning.replica import Replica
from costpolicy.planning.request import Limits, Objectives
from costpolicy.planning.supply import Supply

MOST_RELAXED: Final = 5.0
"""Times the promise: what needs more than that is another service, not a trade-off."""

_LOOKED_AT: Final = 24
"""Predictions that are spent on the question; candidates come in the order of how little they could ask for."""

_BUMP: Final = 1.03
"""Tried where the rounded figure is so near to what is reached that capacity, known to a thousandth, falls short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOff:
    """A cheaper target that one relaxed objective would allow.

    Attributes:
        objective: ``TTFT`` or ``inter-token latency``.
        promised: its p95 in the policy, in seconds.
        needed: the p95 that could be promised instead, margin for the prediction's error included.
        target: what would then be chosen.
    """

    objective: str
    promised: float
    needed: float
    target: Target


def trade_off(best: Target, options: Iterable[Placement], question: Question, limits: Limits) -> TradeOff | None:
    """Return the cheaper target that asks for the smallest relaxation of a single objective, if there is one.

    Args:
        best: the plan.
        options: what may be applied without the quality gate.
        question: the request and its predictions.
        limits: caps that the cheaper target has to keep too.
    """
    found: TradeOff | None = None
    rivals = sorted(_rivals(best, options, question, limits), key=lambda rival: rival[:3])
    for least, _, _, placement, replicas in rivals[:_LOOKED_AT]:
        if found is not None and least >= found.needed / found.promised:
            break
        offer = _offer(placement.placed, replicas, question, found)
        if offer is not None and (found is None or _better(offer, found)):
            found = offer
    return found


_Rival = tuple[float, int, int, Placement, int]


def _rivals(best: Target, options: Iterable[Placement], question: Question, limits: Limits) -> Iterable[_Rival]:
    """Yield what is cheaper with as many replicas as that leaves, and the least relaxation that it could need.

    Of the same replica on several supplies only the first, which the search met first because it costs least.
    """
    most = best.compared_cost[0].micros
    seen: set[Replica] = set()
    for order, placement in enumerate(options):
        supply, replica = placement.supply, placement.option.replica
        if replica in seen:
            continue
        seen.add(replica)
        size = placement.accelerators_per_replica
        replicas = _cheaper_replicas(supply, size, most)
        if replicas < fewest_replicas(supply, question):
            continue
        if check_caps(supply, size, replicas, limits) or check_placement(placement, question):
            continue
        rate = question.request.demand.requests_per_second / max(1, replicas - spare_replicas(supply, question))
        ceiling = replica.ceiling
        if ceiling is not None and rate < ceiling.requests_per_second:
            cost = price_of(supply, size * replicas)[1]
            yield _least(replica, ceiling, question), cost, order, placement, replicas


def _cheaper_replicas(supply: Supply, size: int, most: int) -> int:
    """Return how many replicas cost less than an amount (micro-units an hour); 0 where none does."""
    price = supply.offering.hourly.micros
    if not price or most <= 0:
        return 0
    replicas = ((most - 1) // price + supply.reserved_free) // size
    return replicas - int(price_of(supply, replicas * size)[0] >= most)  # interruptions are not in the price


def _least(replica: Replica, ceiling: Ceiling, question: Question) -> float:
    objectives = question.evaluation.objectives
    shares = [1.0]
    if objectives.ttft_p95 is not None:
        shares.append(ceiling.first_token * replica.margins.ttft / objectives.ttft_p95)
    if objectives.inter_token_p95 is not None:
        shares.append(ceiling.decode * replica.margins.inter_token / objectives.inter_token_p95)
    return max(shares)


def _offer(option: Option, replicas: int, question: Question, known: TradeOff | None) -> TradeOff | None:
    """Return what the option with so many replicas could promise, if that relaxes one objective and not too far.

    ``known`` relaxes one as well: what has to relax its own by more is not looked into.
    """
    objectives, margins = question.evaluation.objectives, option.replica.margins
    rate = question.request.demand.requests_per_second
    rate /= max(1, replicas - spare_replicas(option.supply, question))
    predicted = option.replica.predicted(rate)
    if not isinstance(predicted, Latency):
        return None
    reached = (
        ("TTFT", objectives.ttft_p95, predicted.ttft.p95 * margins.ttft),
        ("inter-token latency", objectives.inter_token_p95, predicted.inter_token.p95 * margins.inter_token),
    )
    missed = [(name, promised, value) for name, promised, value in reached if promised and value > promised]
    if len(missed) != 1 or missed[0][2] > MOST_RELAXED * missed[0][1]:
        return None
    name, promised, value = missed[0]
    if known is not None and _rounded_up(value) / promised > known.needed / known.promised:
        return None
    needed = _enough(option.replica, objectives, name, value, rate)
    wanted = target(option, replicas, question)
    if needed is None or not isinstance(wanted, Target):
        return None
    return TradeOff(objective=name, promised=promised, needed=needed, target=wanted)


def _enough(replica: Replica, objectives: Objectives, name: str, value: float, rate: float) -> float | None:
    """Return a round value of an objective that lets a replica be planned for a rate, ``None`` if memory or throughput
    would not.
    """
    for needed in (_rounded_up(value), _rounded_up(value * _BUMP)):
        relaxed = (
            replace(objectives, ttft_p95=needed) if name == "TTFT" else replace(objectives, inter_token_p95=needed)
        )
        if replica.capacity_within(relaxed) >= rate:
            return needed
    return None


def _better(one: TradeOff, other: TradeOff) -> bool:
    return (one.needed / one.promised, one.target.compared_cost) < (
        other.needed / other.promised,
        other.target.compared_cost,
    )


def _rounded_up(seconds: float) -> float:
    """Return two significant digits, rounded up, so that what is said could really be promised."""
    step = 10.0 ** (floor(log10(seconds)) - 1)
    return ceil(seconds / step - 1e-9) * step
