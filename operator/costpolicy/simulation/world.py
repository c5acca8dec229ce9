"""Everything together: users, traffic, cluster, metrics and the real reconciler, a step of time after
another."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.models import models
from costpolicy.catalog.prices import PriceList, merge_books
from costpolicy.kube.gateway import POLICY_LABEL, VARIANT_LABEL, Object, ObjectRef, reference
from costpolicy.kube.kinds import COST_POLICY, DEPLOYMENT, PRICE_BOOK, SERVICE
from costpolicy.manifests.record import read_record
from costpolicy.manifests.weights import model_of
from costpolicy.observe.exported import AcceleratorState
from costpolicy.observe.fleet import ObserveSettings
from costpolicy.planning.configuration import Configuration
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.reconciler import Defaults, Reconciler
from costpolicy.simulation.clock import SimulatedClock
from costpolicy.simulation.cluster import SimulatedCluster
from costpolicy.simulation.engine import TYPICAL, Efficiency, Profile, profile
from costpolicy.simulation.gateway import SimulatedGateway
from costpolicy.simulation.metrics import Scrape, SimulatedMetrics, Variant
from costpolicy.simulation.store import Store
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.units import ZERO, Money

STEP: Final = timedelta(minutes=1)
_USER: Final = "kubectl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One variant at one time: what it was offered, what it showed, what it cost."""

    at: datetime
    variant: Variant
    configuration: Configuration
    replicas: int
    ready: int
    offered: float
    ttft_p95: float | None
    inter_token_p95: float | None
    cost_per_hour: Money


class World:
    """A simulated world.  ``timeline`` has a moment for each variant and step."""

    def __init__(
        self,
        start: datetime,
        *,
        defaults: Defaults | None = None,
        settings: ObserveSettings | None = None,
        efficiency: Efficiency = TYPICAL,
    ) -> None:
        self._settings = settings or ObserveSettings()
        self._defaults = defaults or Defaults()
        self._efficiency = efficiency
        self.clock = SimulatedClock(start)
        self.store = Store(self.clock)
        self.gateway = SimulatedGateway(self.store)
        self.cluster = SimulatedCluster(self.store, self.clock, lambda item: self._profile(item).load_time)
        self.metrics = SimulatedMetrics(self._settings)
        self.traffic: dict[tuple[str, str], Traffic] = {}
        self.timeline: list[Moment] = []
        self._backlog: dict[Variant, float] = {}
        self._due: dict[tuple[str, str], datetime] = {}
        self.restart_operator()

    def restart_operator(self) -> None:
        """Start the operator anew: it keeps nothing in memory but what it can read again."""
        watch = FleetWatch(self.gateway, self.metrics, self.clock, self._settings)
        self._reconciler = Reconciler(self.gateway, watch, self.clock, self._defaults)
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
            self._operate()
            self.cluster.settle()
            self._serve(step)
            self.clock.advance(min(step, end - self.clock.now()))

    def status(self, namespace: str, name: str) -> dict[str, Any]:
        """Return the status of a policy as stored; empty before the operator has written one."""
        api_version, kind = COST_POLICY.api_version, COST_POLICY.kind
        item = self.store.get(ObjectRef(api_version=api_version, kind=kind, name=name, namespace=namespace))
        return {} if item is None else item.get("status", {})

    def bill(self, step: timedelta = STEP) -> Money:
        """Return what all accelerators cost over the timeline, each moment lasting one step."""
        total = sum((moment.cost_per_hour for moment in self.timeline), ZERO)
        return total.scaled(step // timedelta(seconds=1), 3600)

    def _operate(self) -> None:
        for item in list(self.store.kind(COST_POLICY.api_version, COST_POLICY.kind)):
            key = (item["metadata"]["namespace"], item["metadata"]["name"])
            if self._due.get(key, self.clock.now()) <= self.clock.now():
                again = self._reconciler.reconcile(*key)
                self._due[key] = self.clock.now() + (again or STEP)

    def _serve(self, step: timedelta) -> None:
        """Send one step's traffic to the ready pods that the policy's Service selects; what finds none is
        lost."""
        prices = self._prices()
        scrapes: dict[Variant, Scrape] = {}
        for item in list(self.store.kind(DEPLOYMENT.api_version, DEPLOYMENT.kind)):
            record = read_record(item)
            if record is None:
                continue
            variant = _variant(item)
            rate, ready = self._rate(item), _ready(item)
            cost, held = self._held(item, record.configuration, prices)
            scrape = None
            if ready:
                scrape = self._scrape(item, rate, step, cost, held)
                scrapes[variant] = scrape
            moment = Moment(
                at=self.clock.now(),
                variant=variant,
                configuration=record.configuration,
                replicas=item["spec"]["replicas"],
                ready=ready,
                offered=rate,
                ttft_p95=scrape.reading.ttft_p95 if scrape and rate else None,
                inter_token_p95=scrape.reading.inter_token_p95 if scrape and rate else None,
                cost_per_hour=cost,
            )
            self.timeline.append(moment)
        self.metrics.record(scrapes)

    def _scrape(self, item: Object, rate: float, step: timedelta, cost: Money, held: Mapping[str, int]) -> Scrape:
        variant, ready, traffic = _variant(item), _ready(item), self._traffic(item)
        engine = self._profile(item)
        queue = self._backlog.get(variant, 0.0) + (rate - ready * engine.capacity(traffic)) * step.total_seconds()
        self._backlog[variant] = max(queue, 0.0)
        return Scrape(
            at=self.clock.now(),
            offered=rate,
            traffic=traffic,
            reading=engine.reading(traffic, rate / ready, self._backlog[variant] / ready),
            replicas=ready,
            accelerators=held,
            cost_per_hour=cost,
        )

    def _traffic(self, item: Object) -> Traffic:
        return self.traffic.get(_variant(item)[:2], _SILENCE)

    def _rate(self, item: Object) -> float:
        """Return a variant's share of its policy's traffic: by ready pods among those that the Service
        selects."""
        namespace, policy, _ = _variant(item)
        ref = ObjectRef(api_version=SERVICE.api_version, kind=SERVICE.kind, name=policy, namespace=namespace)
        service = self.store.get(ref)
        wanted = service["spec"]["selector"].items() if service else {("", "")}
        chosen = [
            other
            for other in self.store.kind(DEPLOYMENT.api_version, DEPLOYMENT.kind)
            if other["metadata"]["namespace"] == namespace
            and wanted <= other["spec"]["template"]["metadata"]["labels"].items()
        ]
        ready = sum(_ready(other) for other in chosen)
        if not ready or _variant(item) not in {_variant(other) for other in chosen}:
            return 0.0
        return self._traffic(item).curve.rate(self.clock.now()) * _ready(item) / ready

    def _held(self, item: Object, configuration: Configuration, prices: PriceList) -> tuple[Money, Mapping[str, int]]:
        """Return what a variant's scheduled pods cost an hour, and what their accelerators are doing."""
        scheduled = sum(bool(pod["spec"].get("nodeName")) for pod in self.cluster.pods_of(item))
        size, ready = configuration.accelerators_per_replica, _ready(item)
        price = next(
            (
                offering.hourly
                for offering in prices.offerings
                if (offering.accelerator.name, offering.capacity_type)
                == (configuration.accelerator, configuration.capacity_type)
            ),
            ZERO,
        )
        states = {AcceleratorState.READY: ready * size, AcceleratorState.STARTING: (scheduled - ready) * size}
        return price * (scheduled * size), {state: count for state, count in states.items() if count}

    def _prices(self) -> PriceList:
        books = [PriceBook.model_validate(item) for item in self.store.kind(PRICE_BOOK.api_version, PRICE_BOOK.kind)]
        return merge_books(books, self.clock.now())

    def _profile(self, item: Object) -> Profile:
        """Return how the engines of a Deployment behave.

        Raises:
            LookupError: the Deployment has no record, its policy is gone, or its model is not in the
                catalogue.
        """
        record = read_record(item)
        namespace, name, _ = _variant(item)
        policy = self.gateway.policy(namespace, name)
        if record is None or not isinstance(policy, CostPolicy):
            raise LookupError(f"{name}: what its engines are is not known")
        repository = _repository(policy)
        model = models().resolve(repository)
        if model is None:
            raise LookupError(f"{repository} is not in the catalogue: a simulated engine needs its sizes")
        accelerator = accelerators()[record.configuration.accelerator]
        return profile(model, accelerator, record.configuration, self._efficiency)


_SILENCE: Final = Traffic(curve=Constant(0.0))


def _repository(policy: CostPolicy) -> str:
    source = model_of(policy).source.hugging_face
    return source.repository if source is not None else model_of(policy).name


def _ready(deployment: Object) -> int:
    count: int = deployment.get("status", {}).get("readyReplicas", 0)
    return count


def _variant(deployment: Object) -> Variant:
    metadata = deployment["metadata"]
    return metadata["namespace"], metadata["labels"][POLICY_LABEL], metadata["labels"][VARIANT_LABEL]
