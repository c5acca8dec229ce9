"""The search: options from the lowest cost that they could possibly have upwards, until none can be cheaper any more.

An option's floor is what the fewest replicas cost that any setting of its engine could do with (``perf.ceiling``); it
is found in two steps, because most options already lose by the price of the replicas that are promised anyway.
An option that is judged and held back brings in the same one with other engine settings (``planning.tuning``), whose
floor is its own; so settings are only tried where they could still win.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from costpolicy.api.types import KvCacheDtype
from costpolicy.perf.latency import Binding
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.constraints import Question, at_least, check_caps, check_prospect, check_shape
from costpolicy.planning.interruption import interruptible
from costpolicy.planning.judgement import fewest_replicas, judge, price_of, replicas_for, spare_replicas
from costpolicy.planning.options import Option
from costpolicy.planning.plan import Candidate, Rejection, Target, Verdict
from costpolicy.planning.request import Limits
from costpolicy.planning.tuning import helpful, retuned
from costpolicy.units import Money

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
    option: Option

    @property
    def floor(self) -> _Floor:
        return self.marginal, self.full


class Outcome(NamedTuple):
    """What became of an option, and its floor in micro-units; ``None`` where that alone was too high."""

    option: Option
    floor: int
    found: Target | Rejection | None


@dataclass(slots=True)
class Search:
    """One pass over options: the best that may be applied, the best behind the gate, and what became of each.

    Ties go to the lower full price, then to what runs already, then fewer accelerators, then fewer departures from the
    engine's defaults, then the stable order of ``options``.
    """

    question: Question
    limits: Limits
    best: Target | None = None
    gated: Target | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    _ranks: dict[bool, tuple[object, ...]] = field(default_factory=dict)
    _heap: list[_Entry] = field(default_factory=list)
    _orders: Iterator[int] = field(default_factory=count)
    _seen: set[tuple[object, ...]] = field(default_factory=set)

    def run(self, options: Iterable[Option], best: Target | None = None) -> "Search":
        """Look at every option; with ``best``, only for what is cheaper than that."""
        if best is not None:
            self.best, self._ranks[False] = best, best.compared_cost
        supply, fewest = None, 0
        for option in options:
            if option.supply is not supply:  # options come supply by supply
                supply, fewest = option.supply, fewest_replicas(option.supply, self.question)
            order = next(self._orders)
            marginal, full = _floor(option, fewest)
            self._heap.append(_Entry(marginal, full, order, order, False, option))
        heapify(self._heap)
        while self._heap:
            entry = heappop(self._heap)
            if self.best is not None and entry.floor > _paid(self.best):
                # Whatever still waits has a higher floor yet.
                self.outcomes += (_dominated(one) for one in (entry, *sorted(self._heap)))
                break
            if entry.option.gated and self.gated is not None and entry.floor > _paid(self.gated):
                self.outcomes.append(_dominated(entry))
            elif entry.bounded:
                self._judge(entry)
            else:
                self._bound(entry)
        return self

    def candidates(self) -> Iterator[Candidate]:
        """Yield each option as a candidate, cheapest floor first."""
        told: dict[int, tuple[Money, str]] = {}
        for option, micros, found in self.outcomes:
            if found is not None:
                yield _candidate(option, Money(micros), found, self.best)
                continue
            if micros not in told:
                told[micros] = Money(micros), f"it would cost at least {Money(micros).text(2)} an hour"
            floor, message = told[micros]
            if interruptible(option.supply):
                message = f"{message} with one replica to spare for interruptions"
            yield Candidate(
                configuration=option.configuration,
                verdict=Verdict.DOMINATED,
                reason="Dearer",
                message=message,
                cost_floor=floor,
                gated=option.gated,
            )

    def _bound(self, entry: _Entry) -> None:
        """Refuse what cannot run or cannot keep the promise in any way, and raise the floor to what it must have."""
        option = entry.option
        refused = check_shape(option, self.question)
        if refused:
            self._settle(entry, refused)
            return
        refused = self._hopeless(option)
        if refused:
            self.outcomes.append(Outcome(option, entry.full, refused))
            return
        replicas = self._bounded_replicas(option)
        size = option.configuration.tensor_parallel_size
        refused = at_least(check_caps(option.supply, size, replicas, self.limits))
        if refused:
            self.outcomes.append(Outcome(option, entry.full, refused))
            return
        marginal, full = max(entry.floor, _floor(option, replicas))
        heappush(self._heap, _Entry(marginal, full, entry.order, entry.parent, True, option))

    def _hopeless(self, option: Option) -> Rejection | None:
        """Return why no setting keeps the promise, with what the replicas that carry the load would cost all the same."""
        refused, ceiling = check_prospect(option, self.question), option.replica.ceiling
        if refused is None or ceiling is None:
            return refused
        replicas = replicas_for(option.supply, self.question, ceiling.requests_per_second)
        cost = Money(_floor(option, replicas)[1])
        return Rejection(reason=refused.reason, message=refused.message, closeness=refused.closeness, cost=cost)

    def _judge(self, entry: _Entry) -> None:
        option, most = entry.option, self._affordable(entry.option)
        held = self._held_back(option, most) if most is not None else None
        if most is None or held is None:
            self._settle(entry, judge(option, self.question, self.limits))
            return
        self.outcomes.append(Outcome(option, max(_floor(option, most + 1), entry.floor)[1], None))
        self._try_others(entry, held)

    def _affordable(self, option: Option) -> int | None:
        """Return how many replicas cost no more than the best so far; ``None`` if there is none or they are free."""
        rivals = [one for one in (self.best, self.gated if option.gated else None) if one is not None]
        price, supply = option.supply.offering.hourly.micros, option.supply
        if not rivals or not price:
            return None
        marginal = min(_paid(one)[0] for one in rivals)
        return (marginal // price + supply.reserved_free) // option.configuration.tensor_parallel_size

    def _held_back(self, option: Option, replicas: int) -> Binding | None:
        """Return what keeps so few replicas from carrying the demand, if something does."""
        rate = self.question.request.demand.requests_per_second
        carrying = replicas - spare_replicas(option.supply, self.question)
        if rate <= 0:
            return None
        return option.replica.shortfall(rate / carrying) if carrying > 0 else Binding.THROUGHPUT

    def _settle(self, entry: _Entry, found: Target | Rejection) -> None:
        """Keep what was found, and try other settings of the engine if they could still do better."""
        self.outcomes.append(Outcome(entry.option, entry.full, found))
        if isinstance(found, Rejection):
            for held in helpful(found.reason):
                self._try_others(entry, held)
            return
        self._consider(entry, found)
        if _paid(found) > entry.floor:
            held = self._held_back(entry.option, found.replicas - 1) or entry.option.replica.capacity.binding
            self._try_others(entry, held)

    def _try_others(self, entry: _Entry, held: Binding) -> None:
        for option in retuned(self.question.request, entry.option, held, self.question.evaluation):
            key = (entry.parent, option.replica)
            if key not in self._seen:
                self._seen.add(key)
                order = next(self._orders)
                heappush(self._heap, _Entry(entry.marginal, entry.full, order, entry.parent, False, option))

    def _consider(self, entry: _Entry, found: Target) -> None:
        gated, rank = entry.option.gated, _rank(found, entry.parent, self.question.request.running)
        if gated in self._ranks and rank >= self._ranks[gated]:
            return
        self._ranks[gated] = rank
        if gated:
            self.gated = found
        else:
            self.best = found

    def _bounded_replicas(self, option: Option) -> int:
        most = option.replica.most_requests_per_second
        if most:
            return replicas_for(option.supply, self.question, most)
        return fewest_replicas(option.supply, self.question)


def _candidate(option: Option, floor: Money, found: Target | Rejection, best: Target | None) -> Candidate:
    if isinstance(found, Rejection):
        return Candidate(
            configuration=option.configuration,
            verdict=Verdict.REJECTED,
            reason=found.reason,
            message=found.message,
            cost_floor=found.cost or floor,
            closeness=found.closeness,
            gated=option.gated,
        )
    verdict, reason, message = _verdict(option, found, best)
    return Candidate(
        configuration=option.configuration,
        verdict=verdict,
        reason=reason,
        message=message,
        cost_floor=floor,
        gated=option.gated,
        target=found,
    )


def _verdict(option: Option, found: Target, best: Target | None) -> tuple[Verdict, str, str]:
    if found is best:
        return Verdict.CHOSEN, "Cheapest", "the cheapest that keeps every constraint"
    spare = ", one replica to spare for interruptions included" if interruptible(option.supply) else ""
    cost = f"{found.cost_per_hour.text(2)} an hour{spare}"
    if option.gated and (best is None or cheaper(found, best)):
        return Verdict.DOMINATED, "NeedsQualityGate", f"{cost}, but it can alter answers: recommended only"
    return Verdict.DOMINATED, "Dearer", f"it keeps the promise for {cost}"


def cheaper(one: Target, other: Target) -> bool:
    """Whether one target is what the planner would rather pay for."""
    return one.compared_cost < other.compared_cost


def _paid(target: Target) -> tuple[int, int]:
    added, full = target.compared_cost
    return added.micros, full.micros


def _dominated(entry: _Entry) -> Outcome:
    return Outcome(entry.option, entry.full, None)


def _floor(option: Option, replicas: int) -> _Floor:
    return price_of(option.supply, replicas * option.configuration.tensor_parallel_size)


def _rank(found: Target, order: int, running: Configuration | None) -> tuple[object, ...]:
    return (*found.compared_cost, found.configuration != running, found.accelerators, *_departures(found), order)


def _departures(found: Target) -> tuple[int, int]:
    configuration = found.configuration
    return (
        int(configuration.kv_cache_dtype != KvCacheDtype.AUTO) + int(configuration.online_quantization),
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
