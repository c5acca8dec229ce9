"""Policies that compete for accelerators: which offering each one plans on, decided for all of them together.

Pure.  Every policy brings the cheapest plan that it has on each offering (:func:`choices_of`).  Where the accelerators
suffice for everybody's cheapest plan nobody competes, and nothing is solved.  Otherwise the allocation chooses, in this
order: every policy's floor before anybody's growth, priority before cost, cost before staying, and staying before a
move that does not pay for itself.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from costpolicy.api.types import CapacityType
from costpolicy.planning.allocation.allocate import Budget, allocate
from costpolicy.planning.allocation.problem import Allocation, Offer, Problem, Unserved, Workload
from costpolicy.planning.plan import Target
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.supply import Supply
from costpolicy.units import ZERO, Money


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What is competed for: an accelerator of a capacity type on nodes with these labels."""

    accelerator: str
    capacity_type: CapacityType
    node_labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Accelerators that the competing policies can have of a place, those that they hold included; ``None``: no limit.

    ``hourly`` is what another one costs: 0 for what is reserved and paid for anyway.
    """

    place: Place
    hourly: Money
    accelerators: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A plan that a policy has on one place.

    Attributes:
        floor: accelerators below which it must not fall: those of ``minReadyReplicas``.
        move: what going there costs an hour, spread over the payback horizon; 0 where the policy runs already.
    """

    place: Place
    target: Target
    floor: int
    move: Money = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A policy (``namespace/name``) with its priority (the higher goes first) and its choices, one a place."""

    key: str
    priority: int
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the competition leaves a policy.

    ``choice`` is ``None`` where nothing is left for it; ``growth`` is whether its choice may have all replicas that it
    wants, or only its floor.
    """

    choice: Choice | None
    growth: bool
    optimal: bool


def place_of(supply: Supply) -> Place:
    """Return the place of a supply."""
    offering = supply.offering
    labels = tuple(sorted(offering.node_selector.items()))
    return Place(offering.accelerator.name, offering.capacity_type, labels)


def stock_of(supply: Supply) -> Stock:
    """Return what there is of a supply whose free accelerators include what all competing policies hold."""
    offering, place = supply.offering, place_of(supply)
    if offering.capacity_type == CapacityType.RESERVED:
        return Stock(place=place, hourly=ZERO, accelerators=supply.reserved_free)
    return Stock(place=place, hourly=offering.hourly, accelerators=supply.placeable_replicas(1))


def choices_of(request: PlanRequest, moves: Mapping[Place, Money]) -> tuple[Choice, ...]:
    """Return the cheapest plan of a policy on each of its supplies that can keep the promise.

    ``moves``: what going to a place costs an hour; none where it is not listed.
    """
    found = []
    for supply in request.supplies:
        target = plan(replace(request, supplies=(supply,))).target
        if target is not None:
            place, ready = place_of(supply), request.spec.objectives.availability.min_ready_replicas
            floor = min(max(ready, 1), target.replicas) * target.configuration.accelerators_per_replica
            found.append(Choice(place=place, target=target, floor=floor, move=moves.get(place, ZERO)))
    return tuple(found)


def compete(contenders: Sequence[Contender], stocks: Sequence[Stock]) -> bool:
    """Return whether some accelerator does not suffice for all policies whose cheapest plan is on it."""
    hourly = {stock.place: stock.hourly for stock in stocks}
    wanted: dict[Place, int] = defaultdict(int)
    for contender in contenders:
        if (choice := _favourite(contender, hourly)) is not None:
            wanted[choice.place] += choice.target.accelerators
    return any(stock.accelerators is not None and wanted[stock.place] > stock.accelerators for stock in stocks)


def settle(contenders: Sequence[Contender], stocks: Sequence[Stock], budget: Budget) -> dict[str, Ruling]:
    """Return the ruling for every policy, by its key.

    Growth gives way before floors, that of the lowest priority first; a policy is left with nothing only where not even
    the floors of all fit.
    """
    if not compete(contenders, stocks):
        hourly = {stock.place: stock.hourly for stock in stocks}
        return {one.key: Ruling(choice=_favourite(one, hourly), growth=True, optimal=True) for one in contenders}
    giving_way = [one.key for one in sorted(contenders, key=lambda one: (one.priority, one.key))]
    fewest, most = 0, len(giving_way)
    while fewest < most:
        middle = (fewest + most) // 2
        if _everybody(_allocate(contenders, stocks, frozenset(giving_way[:middle]), budget), contenders):
            most = middle
        else:
            fewest = middle + 1
    shrunk = frozenset(giving_way[:fewest])
    return _rulings(contenders, stocks, shrunk, _allocate(contenders, stocks, shrunk, budget))


def _favourite(contender: Contender, hourly: Mapping[Place, Money]) -> Choice | None:
    def price(choice: Choice) -> tuple[Money, Place]:
        return hourly[choice.place] * choice.target.accelerators + choice.move, choice.place

    return min((choice for choice in contender.choices if choice.place in hourly), key=price, default=None)


def _allocate(
    contenders: Sequence[Contender], stocks: Sequence[Stock], shrunk: frozenset[str], budget: Budget
) -> Allocation | Unserved:
    names = _names(stocks)
    offers = tuple(Offer(name=names[one.place], hourly=one.hourly, limit=one.accelerators) for one in stocks)
    workloads = tuple(_workload(one, names, floor=one.key in shrunk) for one in contenders)
    return allocate(Problem(offers=offers, workloads=workloads), budget)


def _workload(contender: Contender, names: Mapping[Place, str], *, floor: bool) -> Workload:
    """Return a policy as a workload that needs exactly its accelerators wherever it goes, and shares them with nobody."""
    choices = [choice for choice in contender.choices if choice.place in names]
    return Workload(
        name=contender.key,
        requests_per_second=Fraction(1),
        throughput={names[one.place]: Fraction(1, one.floor if floor else one.target.accelerators) for one in choices},
        priority=contender.priority,
        pool=contender.key,
        surcharge={names[one.place]: one.move for one in choices},
    )


def _everybody(found: Allocation | Unserved, contenders: Sequence[Contender]) -> bool:
    """Return whether everybody is served who could be at all."""
    hopeless = {one.key for one in contenders if not one.choices}
    return isinstance(found, Allocation) or set(found.workloads) <= hopeless


def _names(stocks: Sequence[Stock]) -> dict[Place, str]:
    """Return a name for every place, the same whatever the order of the stocks."""
    return {place: f"{index:03}" for index, place in enumerate(sorted(stock.place for stock in stocks))}


def _rulings(
    contenders: Sequence[Contender], stocks: Sequence[Stock], shrunk: frozenset[str], found: Allocation | Unserved
) -> dict[str, Ruling]:
    best = found.allocation if isinstance(found, Unserved) else found
    names, homes = _names(stocks), {share.workload: share.accelerator for share in best.shares}
    return {
        one.key: Ruling(
            choice=next((choice for choice in one.choices if names.get(choice.place) == homes.get(one.key, "")), None),
            growth=one.key not in shrunk,
            optimal=best.optimal,
        )
        for one in contenders
    }
