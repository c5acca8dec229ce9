"""Everything together: users, traffic, cluster, metrics and the real reconciler, a step of time after
another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from costpolicy.api.policy import CostPolicy
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.models import models
from costpolicy.catalog.prices import PriceList
from costpolicy.kube.gateway import Object, ObjectRef, reference
from costpolicy.kube.kinds import COST_POLICY
from costpolicy.manifests.record import read_record
from costpolicy.manifests.weights import model_of
from costpolicy.observe.fleet import ObserveSettings
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.prices import PricesInForce
from costpolicy.reconcile.reconciler import Defaults, Reconciler
from costpolicy.simulation.clock import SimulatedClock
from costpolicy.simulation.cluster import SimulatedCluster
from costpolicy.simulation.engine import TYPICAL, Efficiency, Profile, profile
from costpolicy.simulation.examination import Exam, Examination
from costpolicy.simulation.gateway import SimulatedGateway
from costpolicy.simulation.metrics import SimulatedMetrics
from costpolicy.simulation.serving import Key, Moment, Serving, variant_of
from costpolicy.simulation.store import Store
from costpolicy.simulation.traffic import Traffic
from costpolicy.units import ZERO, Money

STEP: Final = timedelta(minutes=1)
_USER: Final = "kubectl"


class Operator(Protocol):
    """What acts on policies in a world."""

    def reconcile(self, namespace: str, name: str) -> timedelta | None:
        """See :meth:`costpolicy.reconcile.reconciler.Reconciler.reconcile`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event that the operator published about a policy, and when."""

    at: datetime
    policy: Key
    reason: str
    note: str


class World:
    """A simulated world.  ``timeline`` has a moment for each variant and step.

    Attributes:
        slowness: time that engines need on top of their usual load time.
        happenings: what the operator published, with times.
    """

    def __init__(
        self,
        start: datetime,
        *,
        defaults: Defaults | None = None,
        settings: ObserveSettings | None = None,
        efficiency: Efficiency = TYPICAL,
        operator: Callable[["World"], Operator] | None = None,
    ) -> None:
        self.settings = settings or ObserveSettings()
        self.defaults = defaults or Defaults()
        self._efficiency = efficiency
        self.clock = SimulatedClock(start)
        self.store = Store(self.clock)
        self.gateway = SimulatedGateway(self.store)
        self.cluster = SimulatedCluster(self.store, self.clock, self._load_time)
        self.metrics = SimulatedMetrics(self.settings)
        self.examination = Examination(self.store, self.clock)
        self.serving = Serving(self.store, self.clock, self.cluster, self.metrics, self.prices, self._profile)
        self.serving.asked = self.examination.asked_of
        self.slowness = timedelta(0)
        self.happenings: list[Happening] = []
        self._due: dict[Key, datetime] = {}
        self._prices = PricesInForce()
        self._employ = operator or real_operator
        self.restart_operator()

    @property
    def traffic(self) -> dict[Key, Traffic]:
        """What clients send, by policy."""
        return self.serving.traffic

    @property
    def exams(self) -> dict[tuple[str, str], Exam]:
        """What prompts there are, by namespace and name of their ConfigMap, and what engines make of them."""
        return self.examination.exams

    @property
    def timeline(self) -> list[Moment]:
        """What each variant was offered and showed."""
        return self.serving.timeline

    def restart_operator(self) -> None:
        """Start the operator anew: it keeps nothing in memory but what it can read again."""
        self._reconciler = self._employ(self)
        self._due.clear()

    def apply(self, document: Mapping[str, Any]) -> None:
        """Create a policy or price book, or replace its spec, as a user does."""
        item = {**document, "metadata": {key: value for key, value in document["metadata"].items() if key != "uid"}}
        ref = reference(item)
        live = self.store.get(ref)
        if live is None:
            self.store.create(item, _USER)
        else:
            gone = {key: None for key in live["spec"] if key not in item["spec"]}
            self.store.edit(ref, {"spec": {**gone, **item["spec"]}}, _USER)
        self._due.clear()

    def delete_policy(self, namespace: str, name: str) -> None:
        """Delete a policy, and with it what it owns."""
        api_version, kind = COST_POLICY.api_version, COST_POLICY.kind
        self.store.delete(ObjectRef(api_version=api_version, kind=kind, name=name, namespace=namespace))

    def run(self, duration: timedelta, step: timedelta = STEP) -> None:
        """Let time pass. In each step the operator acts on policies that are due, then the cluster, then
        traffic."""
        end = self.clock.now() + duration
        while self.clock.now() < end:
            passes = min(step, end - self.clock.now())
            self._operate()
            self.cluster.settle()
            self.examination.step(passes)
            self.serving.step(passes)
            self.clock.advance(passes)

    def status(self, namespace: str, name: str) -> dict[str, Any]:
        """Return the status of a policy as stored; empty before the operator has written one."""
        api_version, kind = COST_POLICY.api_version, COST_POLICY.kind
        item = self.store.get(ObjectRef(api_version=api_version, kind=kind, name=name, namespace=namespace))
        return {} if item is None else item.get("status", {})

    def bill(self, step: timedelta = STEP) -> Money:
        """Return what all accelerators cost over the timeline, each moment lasting one step."""
        total = sum((moment.cost_per_hour for moment in self.timeline), ZERO)
        return total.scaled(step // timedelta(seconds=1), 3600)

    def prices(self) -> PriceList:
        """Return the prices in force; the same object until they may be others."""
        return self._prices.of(self.gateway.price_books(), self.clock.now())

    def _operate(self) -> None:
        for item in list(self.store.kind(COST_POLICY.api_version, COST_POLICY.kind)):
            key = (item["metadata"]["namespace"], item["metadata"]["name"])
            if self._due.get(key, self.clock.now()) <= self.clock.now():
                told = len(self.gateway.published)
                again = self._reconciler.reconcile(*key)
                self._due[key] = self.clock.now() + (again or STEP)
                self.happenings += (
                    Happening(at=self.clock.now(), policy=key, reason=event.reason, note=event.note)
                    for event in self.gateway.published[told:]
                )

    def _load_time(self, item: Object) -> timedelta:
        return self._profile(item).load_time + self.slowness

    def _profile(self, item: Object) -> Profile:
        """Return how the engines of a Deployment behave.

        Raises:
            LookupError: the Deployment has no record, its policy is gone, or its model is not in the
                catalogue.
        """
        record = read_record(item)
        namespace, name, _ = variant_of(item)
        policy = self.gateway.policy(namespace, name)
        if record is None or not isinstance(policy, CostPolicy):
            raise LookupError(f"{name}: what its engines are is not known")
        repository = _repository(policy)
        model = models().resolve(repository)
        if model is None:
            raise LookupError(f"{repository} is not in the catalogue: a simulated engine needs its sizes")
        accelerator = accelerators()[record.configuration.accelerator]
        return profile(model, accelerator, record.configuration, self._efficiency)


def real_operator(world: World) -> Operator:
    """Return the operator as it is, with nothing between it and the world."""
    watch = FleetWatch(world.gateway, world.metrics, world.clock, world.settings)
    return Reconciler(world.gateway, watch, world.clock, world.defaults)


def _repository(policy: CostPolicy) -> str:
    source = model_of(policy).source.hugging_face
    return source.repository if source is not None else model_of(policy).name
