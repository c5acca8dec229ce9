"""Play a scenario: the real operator in a world, and the plain deployments that it is compared with."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from costpolicy.api.pricebook import PriceBookSpec
from costpolicy.api.reasons import Reason
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.models import models
from costpolicy.kube.kinds import COST_POLICY, PRICE_BOOK
from costpolicy.manifests.placement import SPOT_LABELS
from costpolicy.planning.configuration import Configuration
from costpolicy.simulation.attention import AttentiveOperator
from costpolicy.simulation.autoscaler import autoscaler
from costpolicy.simulation.deployed import MOST_REPLICAS, Controller, Fixed, Result, Service, Surroundings, deployed
from costpolicy.simulation.engine import profile
from costpolicy.simulation.scenario import (
    NAMESPACE,
    START,
    Event,
    Expectations,
    NodeDocument,
    PolicyDocument,
    Scenario,
    repository_of,
)
from costpolicy.simulation.serving import Interval, promise_of
from costpolicy.simulation.world import Happening, Operator, World
from costpolicy.units import parse_duration, parse_ratio

_BOOK: Final = "scenario"
_SPOT: Final = dict([next(iter(SPOT_LABELS.items()))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One policy and what else could have been deployed, on the configuration that was chosen first.

    Attributes:
        configurations: those that ran, in order.
        best: the share of requests inside the objectives if all accelerators had always been used.
    """

    policy: str
    expect: Expectations
    intervals: Sequence[Interval]
    happenings: Sequence[Happening]
    configurations: Sequence[Configuration]
    result: Result
    static_peak: Result
    autoscaler: Result
    best: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A scenario that was played."""

    scenario: Scenario
    start: datetime
    currency: str
    policies: Sequence[Compared]


def play(scenario: Scenario, operator: Callable[[World], Operator] = AttentiveOperator) -> Played:
    """Play a scenario from its beginning to its end.

    Raises:
        LookupError: it needs what the simulation does not know.
    """
    stage = _Stage(scenario, operator)
    stage.run()
    return Played(
        scenario=scenario,
        start=START,
        currency=scenario.prices.currency,
        policies=tuple(_compared(stage, policy) for policy in scenario.policies),
    )


class _Stage:
    """The world of a scenario, and what surrounded its policies when."""

    def __init__(self, scenario: Scenario, operator: Callable[[World], Operator]) -> None:
        self.scenario = scenario
        self.world = World(START, efficiency=scenario.efficiency, operator=operator)
        self.world.cluster.priority_classes = dict(scenario.priority_classes)
        self.around: list[Surroundings] = []
        self._nodes = {node.name: node for node in scenario.nodes}
        self._there: dict[str, NodeDocument] = {}
        self._price(scenario.prices)
        self._add(node.name for node in scenario.nodes if not node.later)

    def run(self) -> None:
        """Let everything happen in its time."""
        step, end = parse_duration(self.scenario.resolution), START + self.scenario.duration
        acts = [(START + parse_duration(event.at), partial(self._occur, event)) for event in self.scenario.events]
        acts += [(START + parse_duration(each.created), partial(self._create, each)) for each in self.scenario.policies]
        for at, act in sorted(acts, key=lambda entry: entry[0]):
            self.world.run(max(min(at, end) - self.world.clock.now(), timedelta(0)), step)
            if at < end:
                act()
                self._look_around()
        self.world.run(end - self.world.clock.now(), step)

    def _create(self, policy: PolicyDocument) -> None:
        self.world.traffic[NAMESPACE, policy.name] = policy.traffic.traffic(START)
        document = {
            "apiVersion": COST_POLICY.api_version,
            "kind": COST_POLICY.kind,
            "metadata": {"name": policy.name, "namespace": NAMESPACE},
            "spec": policy.spec.to_json(),
        }
        self.world.apply(document)

    def _occur(self, event: Event) -> None:
        world = self.world
        if event.prices is not None:
            self._price(event.prices)
        for name in event.announce_nodes or ():
            world.cluster.announce(name)
        for name in event.remove_nodes or ():
            if self._there.pop(name, None) is not None:
                world.cluster.remove_node(name)
        self._add(event.add_nodes or ())
        if event.metrics is not None:
            world.metrics.outage = Reason.PROMETHEUS_UNREACHABLE if event.metrics.away else None
            world.metrics.scraped = float(parse_ratio(event.metrics.scraped))
            world.metrics.missing = frozenset(event.metrics.missing)
        if event.load_time is not None:
            world.slowness = parse_duration(event.load_time)
        if event.crashing is not None:
            world.cluster.crashing = set(event.crashing)

    def _price(self, prices: PriceBookSpec) -> None:
        document = {
            "apiVersion": PRICE_BOOK.api_version,
            "kind": PRICE_BOOK.kind,
            "metadata": {"name": _BOOK},
            "spec": prices.to_json(),
        }
        self.world.apply(document)

    def _add(self, names: Iterable[str]) -> None:
        for name in names:
            node = self._there[name] = self._nodes[name]
            self.world.cluster.add_node(name, node.accelerator, node.count, **(_SPOT if node.spot else {}))

    def _look_around(self) -> None:
        stock: dict[tuple[str, bool], tuple[int, ...]] = {}
        for node in self._there.values():
            kind = node.accelerator, node.spot
            stock[kind] = (*stock.get(kind, ()), node.count)
        self.around.append(
            Surroundings(
                since=self.world.clock.now(), stock=stock, prices=self.world.prices(), slowness=self.world.slowness
            )
        )


def _compared(stage: _Stage, policy: PolicyDocument) -> Compared:
    world, key = stage.world, (NAMESPACE, policy.name)
    intervals = world.serving.intervals.get(key, [])
    ran = {moment.variant: moment.configuration for moment in world.timeline if moment.variant[:2] == key}
    configurations = tuple(ran.values())
    created = START + parse_duration(policy.created)
    around = _since(stage.around, created)
    end = START + stage.scenario.duration
    services = [_service(stage, policy, configuration) for configuration in configurations]

    def plain(controller: Controller, service: Service) -> Result:
        return deployed(service, controller, around, end)

    elsewhere = [_service(stage, policy, each) for each in _elsewhere(configurations, around)]
    step = parse_duration(stage.scenario.resolution)
    peak = services[0].replicas_for(_peak(policy, created, end, step))
    return Compared(
        policy=policy.name,
        expect=policy.expect or stage.scenario.expect,
        intervals=intervals,
        happenings=[each for each in world.happenings if each.policy == key],
        configurations=configurations,
        result=_total(intervals),
        static_peak=plain(Fixed(replicas=peak, interval=step), services[0]),
        autoscaler=plain(autoscaler(services[0], policy.spec.scaling.max_replicas), services[0]),
        best=max(plain(Fixed(replicas=MOST_REPLICAS, interval=step), each).share for each in (*services, *elsewhere)),
    )


def _service(stage: _Stage, policy: PolicyDocument, configuration: Configuration) -> Service:
    model = models().resolve(repository_of(policy.spec))
    if model is None:
        raise LookupError(f"{policy.name}: its model is not in the catalogue")
    return Service(
        configuration=configuration,
        engine=profile(model, accelerators()[configuration.accelerator], configuration, stage.scenario.efficiency),
        traffic=policy.traffic.traffic(START),
        promise=promise_of(policy.spec),
    )


def _elsewhere(ran: Sequence[Configuration], around: Sequence[Surroundings]) -> list[Configuration]:
    """Return the first configuration on all that was offered and did not run."""
    seen = {(each.accelerator, each.capacity_type) for each in ran}
    offered = {(each.accelerator.name, each.capacity_type): each for here in around for each in here.prices.offerings}
    return [
        replace(ran[0], accelerator=accelerator, capacity_type=capacity_type, resource_name=each.resource_name)
        for (accelerator, capacity_type), each in offered.items()
        if (accelerator, capacity_type) not in seen
    ]


def _since(around: Sequence[Surroundings], begin: datetime) -> list[Surroundings]:
    """Return the surroundings from a time on."""
    before = [each for each in around if each.since <= begin]
    return [replace(before[-1], since=begin), *(each for each in around if each.since > begin)]


def _peak(policy: PolicyDocument, begin: datetime, end: datetime, step: timedelta) -> float:
    """Return the highest rate of new requests."""
    curve = policy.traffic.traffic(START).curve
    return max(curve.rate(begin + step * number) for number in range((end - begin) // step))


def _total(intervals: Iterable[Interval]) -> Result:
    result = Result()
    for each in intervals:
        result.take(each)
    return result
