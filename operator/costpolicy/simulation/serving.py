"""Traffic meets what is ready: queues, readings, what was answered in time and what it cost."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from costpolicy.api.policy import CostPolicy, CostPolicySpec
from costpolicy.api.types import CapacityType
from costpolicy.catalog.prices import PriceList
from costpolicy.clock import Clock
from costpolicy.kube.gateway import POLICY_LABEL, VARIANT_LABEL, Object, ObjectRef
from costpolicy.kube.kinds import COST_POLICY, DEPLOYMENT, SERVICE
from costpolicy.manifests.record import read_record
from costpolicy.observe.exported import AcceleratorState
from costpolicy.planning.configuration import Configuration
from costpolicy.savings.ledger import Amount
from costpolicy.simulation.cluster import SimulatedCluster
from costpolicy.simulation.engine import Profile, Promise, Reading
from costpolicy.simulation.gateway import SimulatedGateway
from costpolicy.simulation.metrics import SimulatedMetrics, Variant
from costpolicy.simulation.scrape import Scrape
from costpolicy.simulation.store import Store
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.waiting_line import offered, returning, waiting
from costpolicy.units import ZERO, Money, parse_duration

Key = tuple[str, str]
"""Namespace and name of a policy."""

_SILENCE: Final = Traffic(curve=Constant(0.0))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One policy for some time: requests that came, those answered inside the objectives, and what was paid.

    Attributes:
        replicas: asked for, all variants together; ``ready`` of them answered.
    """

    at: datetime
    requests: float
    inside: float
    replicas: int
    ready: int
    cost: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class _Backend:
    """One variant as traffic meets it; ``share`` is its part of its policy's traffic, by ready replicas."""

    variant: Variant
    configuration: Configuration
    engine: Profile
    replicas: int
    ready: int
    share: float
    held: Mapping[str, int]
    cost_per_hour: Money


class Serving:
    """Sends traffic to the ready pods that each policy's Service selects; what finds none is lost.

    ``asked`` says what else a variant is asked, through its own Service, in requests per second.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        cluster: SimulatedCluster,
        metrics: SimulatedMetrics,
        prices: Callable[[], PriceList],
        profile_of: Callable[[Object], Profile],
    ) -> None:
        self._store = store
        self._gateway = SimulatedGateway(store)
        self._clock = clock
        self._cluster = cluster
        self._metrics = metrics
        self._prices = prices
        self._profile_of = profile_of
        self._waiting: dict[Variant, float] = {}
        self._returning: dict[Key, float] = {}
        self._promises: dict[Key, Promise] = {}
        self._backends: tuple[_Backend, ...] = ()
        self._seen: tuple[int, PriceList] | None = None
        self.asked: Callable[[Variant], float] = lambda _: 0.0
        self.traffic: dict[Key, Traffic] = {}
        self.timeline: list[Moment] = []
        self.intervals: dict[Key, list[Interval]] = {}

    def step(self, duration: timedelta) -> None:
        """Let clients send requests for some time."""
        self._look()
        scrapes: dict[Variant, Scrape] = {}
        for key, promise in self._promises.items():
            traffic = self.traffic.get(key, _SILENCE).at(self._clock.now())
            rate = offered(traffic, self._clock.now(), self._returning.get(key, 0.0))
            mine = [backend for backend in self._backends if backend.variant[:2] == key]
            answers = [
                (backend, self._answer(backend, traffic, rate * backend.share + self.asked(backend.variant), duration))
                for backend in mine
            ]
            scrapes |= {backend.variant: scrape for backend, scrape in answers if scrape}
            self._keep(key, promise, traffic, rate, answers, duration)
        self._metrics.record(scrapes)

    def _answer(self, backend: _Backend, traffic: Traffic, rate: float, duration: timedelta) -> Scrape | None:
        """Return what a variant shows at the end of the time; ``None`` while nothing of it is ready."""
        ready, engine = backend.ready, backend.engine
        if not ready:
            self._waiting.pop(backend.variant, None)
            return None
        before, seconds = self._waiting.get(backend.variant, 0.0), duration.total_seconds()
        asked = engine.asked(traffic)
        queue = self._waiting[backend.variant] = waiting(ready * asked.capacity, traffic, rate, before, seconds)
        return Scrape(
            at=self._clock.now(),
            held=(backend.configuration.accelerator, backend.configuration.capacity_type.value),
            kernels=backend.configuration.kernels,
            offered=rate,
            traffic=traffic,
            reading=asked.reading(rate / ready, queue / ready),
            replicas=ready,
            accelerators=backend.held,
            cost_per_hour=backend.cost_per_hour,
        )

    def _keep(
        self,
        key: Key,
        promise: Promise,
        traffic: Traffic,
        rate: float,
        answers: list[tuple[_Backend, Scrape | None]],
        duration: timedelta,
    ) -> None:
        at, inside, worst = self._clock.now(), 0.0, None
        for backend, scrape in answers:
            self.timeline.append(_moment(at, backend, rate * backend.share, scrape))
            if scrape and backend.share:
                inside += rate * backend.share * scrape.reading.share_within(promise)
                worst = scrape.reading if worst is None else max(worst, scrape.reading, key=_lateness)
        self._returning[key] = returning(traffic, at, rate, worst)
        hourly = sum((backend.cost_per_hour for backend, _ in answers), ZERO)
        self.intervals.setdefault(key, []).append(
            Interval(
                at=at,
                requests=rate * duration.total_seconds(),
                inside=inside * duration.total_seconds(),
                replicas=sum(backend.replicas for backend, _ in answers),
                ready=sum(backend.ready for backend, _ in answers if backend.share),
                cost=cost_of(hourly, duration),
            )
        )

    def _look(self) -> None:
        """See what runs, if anything changed since the last look."""
        prices = self._prices()
        if self._seen is not None and self._seen[0] == self._store.moves and self._seen[1] is prices:
            return
        self._seen = (self._store.moves, prices)
        self._backends = tuple(self._see(prices.hourly()))
        policies = (self._gateway.policy(*key) for key in self._keys())
        self._promises = {
            _key(policy): promise_of(policy.spec) for policy in policies if isinstance(policy, CostPolicy)
        }

    def _see(self, hourly: Mapping[tuple[str, CapacityType], Money]) -> Iterator[_Backend]:
        for item in list(self._store.kind(DEPLOYMENT.api_version, DEPLOYMENT.kind)):
            record = read_record(item)
            if record is None:
                continue
            configuration, ready = record.configuration, ready_of(item)
            size = configuration.accelerators_per_replica
            scheduled = sum(bool(pod["spec"].get("nodeName")) for pod in self._cluster.pods_of(item))
            states = {AcceleratorState.READY: ready * size, AcceleratorState.STARTING: (scheduled - ready) * size}
            price = hourly.get((configuration.accelerator, configuration.capacity_type), ZERO)
            yield _Backend(
                variant=variant_of(item),
                configuration=configuration,
                engine=self._profile_of(item),
                replicas=item["spec"]["replicas"],
                ready=ready,
                share=self._share(item),
                held={state: count for state, count in states.items() if count},
                cost_per_hour=price * (scheduled * size),
            )

    def _share(self, item: Object) -> float:
        """Return a variant's share of its policy's traffic: by ready pods among those that the Service selects."""
        namespace, policy, _ = variant_of(item)
        ref = ObjectRef(api_version=SERVICE.api_version, kind=SERVICE.kind, name=policy, namespace=namespace)
        service = self._store.get(ref)
        wanted = service["spec"]["selector"].items() if service else {("", "")}
        chosen = [
            other
            for other in self._store.kind(DEPLOYMENT.api_version, DEPLOYMENT.kind)
            if other["metadata"]["namespace"] == namespace
            and wanted <= other["spec"]["template"]["metadata"]["labels"].items()
        ]
        ready = sum(ready_of(other) for other in chosen)
        if not ready or variant_of(item) not in {variant_of(other) for other in chosen}:
            return 0.0
        return ready_of(item) / ready

    def _keys(self) -> Iterator[Key]:
        for item in self._store.kind(COST_POLICY.api_version, COST_POLICY.kind):
            yield item["metadata"]["namespace"], item["metadata"]["name"]


def promise_of(spec: CostPolicySpec) -> Promise:
    """Return what a policy promises to its requests."""
    ttft, inter_token = spec.objectives.ttft, spec.objectives.inter_token_latency
    return Promise(
        ttft=parse_duration(ttft.p95).total_seconds() if ttft else None,
        inter_token=parse_duration(inter_token.p95).total_seconds() if inter_token else None,
    )


@lru_cache(maxsize=1024)
def cost_of(hourly: Money, duration: timedelta) -> Amount:
    """Return what some time costs at an hourly price, exactly."""
    return Amount(hourly.micros * (duration // timedelta(microseconds=1)) * 1000)


def ready_of(deployment: Object) -> int:
    """Return the ready replicas of a Deployment."""
    count: int = deployment.get("status", {}).get("readyReplicas", 0)
    return count


def variant_of(deployment: Object) -> Variant:
    """Return the variant that a Deployment is."""
    metadata = deployment["metadata"]
    return metadata["namespace"], metadata["labels"][POLICY_LABEL], metadata["labels"][VARIANT_LABEL]


def _moment(at: datetime, backend: _Backend, rate: float, scrape: Scrape | None) -> Moment:
    return Moment(
        at=at,
        variant=backend.variant,
        configuration=backend.configuration,
        replicas=backend.replicas,
        ready=backend.ready,
        offered=rate,
        ttft_p95=scrape.reading.ttft_p95 if scrape and rate else None,
        inter_token_p95=scrape.reading.inter_token_p95 if scrape and rate else None,
        cost_per_hour=backend.cost_per_hour,
    )


def _lateness(reading: Reading) -> float:
    return reading.ttft_p95


def _key(policy: CostPolicy) -> Key:
    return policy.metadata.namespace, policy.metadata.name
