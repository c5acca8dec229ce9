"""The search: options from the lowest cost that they could possibly have upwards, until none can be cheaper any more.

An option's floor is what the fewest replicas cost that any setting of its engine could do with (``perf.ceiling``); it
is found in two steps, because most options already lose by the price of the replicas that are promised anyway.
An option that is judged and held back brings in the same one with other engine settings (``planning.tuning``), whose
floor is its own; so settings are only tried where they could still win.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from costpolicy.api.types import KvCacheDtype
from costpolicy.perf.latency import Binding
from costpolicy.planning.caps import at_least, check_caps
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.constraints import Question, check_placement, check_prospect
from costpolicy.planning.interruption import interruptible
from costpolicy.planning.judgement import check_call, fewest_replicas, judge, price_of, replicas_for, spare_replicas
from costpolicy.planning.options import Option, Placement
from costpolicy.planning.plan import Candidate, Rejection, Rival, Target, Verdict
from costpolicy.planning.request import Limits
from costpolicy.planning.supply import Supply
from costpolicy.planning.tuning import helpful, retuned

_Floor = tuple[int, int]
"""The least that an option could cost an hour, marginal and in full, in micro-units."""


class _Entry(NamedTuple):
    """An option that waits to be looked at; ``bounded`` once its floor knows what a replica can do at most.

    ``parent`` is the order of the option with the engine's defaults that it comes from.  Compares by cost, then order.
    """

    marginal: int
    full: int
    order: int
    parent: int
    bounded: bool
    placement: Placement

    @property
    def floor(self) -> _Floor:
        return self.marginal, self.full


class Outcome(NamedTuple):
    """What became of an option, and its floor in micro-units; ``None`` where that alone was too high."""

    placement: Placement
    floor: int
    found: Target | Rejection | None


@dataclass(slots=True)
class Search:
    """One pass over options: the best that may be applied, the best behind the gate, and what became of each.

    Ties go to the lower full price, then to what does not speculate, then to what runs already, then fewer accelerators,
    then fewer departures from the engine's defaults, then the stable order of ``options``.
    """

    question: Question
    limits: Limits
    best: Target | None = None
    gated: Target | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    _ranks: dict[bool, tuple[object, ...]] = field(default_factory=dict)
    _fresh: list[_Entry] = field(default_factory=list)
    _heap: list[_Entry] = field(default_factory=list)
    _orders: Iterator[int] = field(default_factory=count)
    _seen: set[tuple[object, ...]] = field(default_factory=set)
    _retuned: dict[tuple[Option, Binding], tuple[Option, ...]] = field(default_factory=dict)

    def run(self, placements: Iterable[Placement], best: Target | None = None) -> "Search":
        """Look at every placement; with ``best``, only for what is cheaper than that."""
        if best is not None:
            self.best, self._ranks[False] = best, best.compared_cost
        self._await(placements)
        while self._fresh or self._heap:
            entry = self._cheapest()
            if self.best is not None and entry.floor > _paid(self.best):
                # Whatever still waits has a higher floor yet.
                self.outcomes += (_dominated(one) for one in (entry, *sorted((*self._fresh, *self._heap))))
                break
            if entry.placement.option.gated and self.gated is not None and entry.floor > _paid(self.gated):
                self.outcomes.append(_dominated(entry))
            elif entry.bounded:
                self._judge(entry)
            else:
                self._bound(entry)
        return self

    def _await(self, placements: Iterable[Placement]) -> None:
        """Put every placement in line, by what the fewest replicas of it cost."""
        supply: Supply | None = None
        floors: dict[int, _Floor] = {}
        for placement in placements:
            if placement.supply is not supply:  # they come supply by supply, thousands in a few sizes
                supply, floors = placement.supply, {}
            size, order = placement.accelerators_per_replica, next(self._orders)
            if size not in floors:
                floors[size] = _floor(placement, fewest_replicas(placement.supply, self.question))
            self._fresh.append(_Entry(*floors[size], order, order, False, placement))
        self._fresh.sort(reverse=True)

    def _cheapest(self) -> _Entry:
        """Take what has the lowest floor: the end of what was not looked at yet, or the top of what came back."""
        if not self._fresh or (self._heap and self._heap[0] < self._fresh[-1]):
            return heappop(self._heap)
        return self._fresh.pop()

    def candidates(self) -> Iterator[Candidate]:
        """Yield each placement as a candidate, cheapest floor first."""
        for at, micros, found in self.outcomes:
            yield Candidate(at, micros, _compared(at, found, self.best) if isinstance(found, Target) else found)

    def _bound(self, entry: _Entry) -> None:
        """Refuse what cannot run or cannot keep the promise in any way, and raise the floor to what it must have."""
        at = entry.placement
        refused = check_placement(at, self.question)
        if refused:
            self._settle(entry, refused)
            return
        hopeless = self._hopeless(at)
        if hopeless:
            self.outcomes.append(hopeless)
            return
        refused = check_call(at, self.question)
        if refused:
            self.outcomes.append(Outcome(at, entry.full, refused))
            return
        replicas = self._bounded_replicas(at)
        refused = at_least(check_caps(at.supply, at.accelerators_per_replica, replicas, self.limits))
        if refused:
            self.outcomes.append(Outcome(at, entry.full, refused))
            return
        marginal, full = max(entry.floor, _floor(at, replicas))
        heappush(self._heap, _Entry(marginal, full, entry.order, entry.parent, True, at))

    def _hopeless(self, at: Placement) -> Outcome | None:
        """Return why no setting keeps the promise, with what the replicas that carry the load would cost all the same."""
        refused, ceiling = check_prospect(at.option, self.question), at.option.replica.ceiling
        if refused is None or ceiling is None:
            return None
        replicas = replicas_for(at.supply, self.question, ceiling.requests_per_second)
        return Outcome(at, _floor(at, replicas)[1], refused)

    def _judge(self, entry: _Entry) -> None:
        at, most = entry.placement, self._affordable(entry.placement)
        held = self._held_back(at, most) if most is not None else None
        if most is None or held is None:
            self._settle(entry, judge(at.placed, self.question, self.limits))
            return
        self.outcomes.append(Outcome(at, max(_floor(at, most + 1), entry.floor)[1], None))
        self._try_others(entry, held)

    def _affordable(self, at: Placement) -> int | None:
        """Return how many replicas cost no more than the best so far; ``None`` if there is none or they are free."""
        rivals = [one for one in (self.best, self.gated if at.option.gated else None) if one is not None]
        price = at.supply.offering.hourly.micros
        if not rivals or not price:
            return None
        marginal = min(_paid(one)[0] for one in rivals)
        return (marginal // price + at.supply.reserved_free) // at.accelerators_per_replica

    def _held_back(self, at: Placement, replicas: int) -> Binding | None:
        """Return what keeps so few replicas from carrying the demand, if something does."""
        rate = self.question.request.demand.requests_per_second
        carrying = replicas - spare_replicas(at.supply, self.question)
        if rate <= 0:
            return None
        return at.option.replica.shortfall(rate / carrying) if carrying > 0 else Binding.THROUGHPUT

    def _settle(self, entry: _Entry, found: Target | Rejection) -> None:
        """Keep what was found, and try other settings of the engine if they could still do better."""
        self.outcomes.append(Outcome(entry.placement, entry.full, found))
        if isinstance(found, Rejection):
            for held in helpful(found.reason):
                self._try_others(entry, held)
            return
        self._consider(entry, found)
        if _paid(found) > entry.floor:
            at = entry.placement
            self._try_others(entry, self._held_back(at, found.replicas - 1) or at.option.replica.capacity.binding)

    def _try_others(self, entry: _Entry, held: Binding) -> None:
        for option in self._others(entry.placement.option, held):
            key = (entry.parent, option.replica)
            if key not in self._seen:
                self._seen.add(key)
                at, order = Placement(option, entry.placement.supply), next(self._orders)
                heappush(self._heap, _Entry(entry.marginal, entry.full, order, entry.parent, False, at))

    def _others(self, option: Option, held: Binding) -> tuple[Option, ...]:
        """Return the option with other settings, which are the same wherever it is placed."""
        key = (option, held)
        if key not in self._retuned:
            self._retuned[key] = tuple(retuned(self.question.request, option, held, self.question.evaluation))
        return self._retuned[key]

    def _consider(self, entry: _Entry, found: Target) -> None:
        gated, rank = entry.placement.option.gated, _rank(found, entry.parent, self.question.request.running)
        if gated in self._ranks and rank >= self._ranks[gated]:
            return
        self._ranks[gated] = rank
        if gated:
            self.gated = found
        else:
            self.best = found

    def _bounded_replicas(self, at: Placement) -> int:
        most = at.option.replica.most_requests_per_second
        if most:
            return replicas_for(at.supply, self.question, most)
        return fewest_replicas(at.supply, self.question)


def _compared(at: Placement, found: Target, best: Target | None) -> Rival:
    if found is best:
        return Rival(found, Verdict.CHOSEN, "Cheapest", "the cheapest that keeps every constraint")
    spare = ", one replica to spare for interruptions included" if interruptible(at.supply) else ""
    cost = f"{found.cost_per_hour.text(2)} an hour{spare}"
    if at.option.gated and (best is None or cheaper(found, best)):
        told = f"{cost}, but it can alter answers: recommended only"
        return Rival(found, Verdict.DOMINATED, "NeedsQualityGate", told)
    return Rival(found, Verdict.DOMINATED, "Dearer", f"it keeps the promise for {cost}")


def cheaper(one: Target, other: Target) -> bool:
    """Whether one target is what the planner would rather pay for."""
    return one.compared_cost < other.compared_cost


def _paid(target: Target) -> tuple[int, int]:
    added, full = target.compared_cost
    return added.micros, full.micros


def _dominated(entry: _Entry) -> Outcome:
    return Outcome(entry.placement, entry.full, None)


def _floor(at: Placement, replicas: int) -> _Floor:
    return price_of(at.supply, replicas * at.accelerators_per_replica)


def _rank(found: Target, order: int, running: Configuration | None) -> tuple[object, ...]:
    configuration = found.configuration
    needs_speculation = configuration.proposer is not None  # all of them, where it is ordered
    moved = configuration != running
    return (*found.compared_cost, needs_speculation, moved, found.accelerators, *_departures(found), order)


def _departures(found: Target) -> tuple[int, int]:
    configuration = found.configuration
    return (
        int(configuration.kv_cache_dtype != KvCacheDtype.AUTO)
        + int(configuration.online_quantization)
        + int(configuration.data_parallel_size > 1),
        sum(
            setting is not None
            for setting in (
                configuration.max_num_batched_tokens,
                configuration.max_num_seqs,
                configuration.gpu_memory_utilization,
                configuration.api_servers,
                configuration.stream_interval,
                configuration.proposer,
            )
        ),
    )
