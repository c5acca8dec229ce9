"""A plain deployment of one configuration: what the operator is compared with.

The same engines, nodes, prices, start times and clients as in the world (``surroundings``), and two ways to say how many
replicas there shall be: always as many as the peak needs, or as the HorizontalPodAutoscaler says.  Each has the whole
cluster for itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from costpolicy.catalog.prices import PriceList
from costpolicy.planning.configuration import Configuration
from costpolicy.savings.ledger import Amount
from costpolicy.simulation.engine import Profile, Promise, Reading
from costpolicy.simulation.serving import Interval, cost_of
from costpolicy.simulation.traffic import Traffic
from costpolicy.simulation.waiting_line import offered, returning, waiting
from costpolicy.units import ZERO, Money

MOST_REPLICAS: Final = 1000
Stock = Mapping[tuple[str, bool], tuple[int, ...]]
"""Accelerators on each node, by product and whether it may be interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What holds from a time on: accelerators in the cluster, prices, and what engines need beyond their load time."""

    since: datetime
    stock: Stock
    prices: PriceList
    slowness: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is deployed: one configuration, how its engine behaves, what its clients send and expect."""

    configuration: Configuration
    engine: Profile
    traffic: Traffic
    promise: Promise

    def placeable(self, stock: Stock) -> int:
        """Return how many replicas find accelerators."""
        spot = self.configuration.capacity_type.value == "Spot"
        nodes = stock.get((self.configuration.accelerator, spot), ())
        return sum(count // self.configuration.accelerators_per_replica for count in nodes)

    def hourly(self, here: Surroundings) -> Money:
        """Return what one replica costs an hour."""
        chosen = self.configuration
        price = here.prices.hourly().get((chosen.accelerator, chosen.capacity_type), ZERO)
        return price * chosen.accelerators_per_replica

    def alone(self, rate: float, replicas: int) -> Reading:
        """Return what one of several replicas shows while nothing waits."""
        return self.engine.reading(self.traffic, rate / replicas, 0.0)

    def replicas_for(self, rate: float) -> int:
        """Return the fewest replicas of which p95 of both latencies keeps the promise at a rate."""
        keep = (replicas for replicas in range(1, MOST_REPLICAS) if self._keeps(rate, replicas))
        return next(keep, MOST_REPLICAS)

    def _keeps(self, rate: float, replicas: int) -> bool:
        if rate / replicas > self.engine.capacity(self.traffic):
            return False
        shown, promise = self.alone(rate, replicas), self.promise
        return (promise.ttft is None or shown.ttft_p95 <= promise.ttft) and (
            promise.inter_token is None or shown.inter_token_p95 <= promise.inter_token
        )


class Controller(Protocol):
    """Says how many replicas there shall be."""

    @property
    def interval(self) -> timedelta:
        """How often it is asked."""

    def wanted(self, at: datetime, ready: int, asked: int, reading: Reading | None) -> int:
        """Return the replicas to ask for, from those that are ready, those asked for, and what the ready ones show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Always the same number."""

    replicas: int
    interval: timedelta

    def wanted(self, at: datetime, ready: int, asked: int, reading: Reading | None) -> int:
        """See :class:`Controller`."""
        del at, ready, asked, reading
        return self.replicas


@dataclass(slots=True)
class Result:
    """What became of a deployment: requests, those inside the objectives, the bill, the most replicas."""

    requests: float = 0.0
    inside: float = 0.0
    cost: Amount = field(default_factory=lambda: Amount(0))
    most_replicas: int = 0

    def take(self, interval: Interval) -> None:
        """Take in an interval."""
        self.serve(interval.requests, interval.inside, interval.replicas)
        self.cost += interval.cost

    def serve(self, requests: float, inside: float, replicas: int) -> None:
        """Take in what was asked of so many replicas, and what of it was answered inside the objectives."""
        self.requests += requests
        self.inside += inside
        self.most_replicas = max(self.most_replicas, replicas)

    @property
    def share(self) -> float:
        """Share of requests inside the objectives; of none, all are."""
        return self.inside / self.requests if self.requests else 1.0


class _Pods:
    """Replicas by the time at which they are ready."""

    def __init__(self) -> None:
        self.ready_at: list[datetime] = []
        self._all_by = datetime.min.replace(tzinfo=UTC)

    def resize(self, count: int, now: datetime, load_time: timedelta) -> None:
        """Start or stop replicas; those that were ready first stay."""
        if count == len(self.ready_at):
            return
        del self.ready_at[count:]
        self.ready_at += [now + load_time] * (count - len(self.ready_at))
        self._all_by = max(self.ready_at, default=self._all_by)

    def ready(self, now: datetime) -> int:
        """Return how many answer."""
        return len(self.ready_at) if self._all_by <= now else sum(at <= now for at in self.ready_at)


def deployed(service: Service, controller: Controller, around: Sequence[Surroundings], until: datetime) -> Result:
    """Return what becomes of a service from the first surroundings on.

    Replicas beyond those for which there are accelerators wait for them, and cost nothing meanwhile.
    """
    result, pods, reading, paid = Result(), _Pods(), None, 0
    now, queue, back, asked = around[0].since, 0.0, 0.0, 1
    ahead = list(around)
    here = ahead.pop(0)
    price, places = service.hourly(here), service.placeable(here.stock)
    engine, seconds = service.engine, controller.interval.total_seconds()
    traffic = service.traffic
    serving, met, inside = engine.asked(traffic), None, 0.0
    while now < until:
        if service.traffic.at(now) is not traffic:
            traffic = service.traffic.at(now)
            serving = engine.asked(traffic)
        while ahead and ahead[0].since <= now:
            result.cost += cost_of(price * paid, controller.interval)
            here, paid = ahead.pop(0), 0
            price, places = service.hourly(here), service.placeable(here.stock)
        asked = controller.wanted(now, pods.ready(now), asked, reading)
        pods.resize(min(asked, places), now, engine.load_time + here.slowness)
        ready, rate = pods.ready(now), offered(traffic, now, back)
        queue = waiting(ready * serving.capacity, traffic, rate, queue, seconds) if ready else 0.0
        if (serving, rate, queue, ready) != met:
            met = serving, rate, queue, ready
            reading = serving.reading(rate / ready, queue / ready) if ready else None
            inside = reading.share_within(service.promise) if reading else 0.0
        back, held = returning(traffic, now, rate, reading), len(pods.ready_at)
        result.serve(rate * seconds, rate * seconds * inside, held)
        paid += held
        now += controller.interval
    result.cost += cost_of(price * paid, controller.interval)
    return result
