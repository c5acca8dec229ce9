"""Answers to the operator's questions about simulated engines: a ``MetricsSource`` without a Prometheus."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil
from typing import Final, NamedTuple, TypeVar

from costpolicy.api.reasons import Reason
from costpolicy.observe.days import Stretch
from costpolicy.observe.fleet import ObserveSettings
from costpolicy.observe.questions import QUESTIONS
from costpolicy.observe.saturation import Saturation, described
from costpolicy.observe.source import MetricsUnavailable, Sample
from costpolicy.simulation.answers import answer
from costpolicy.simulation.costs import Costs, total
from costpolicy.simulation.history import History
from costpolicy.simulation.hours import Hours
from costpolicy.simulation.ledger import LedgerHours
from costpolicy.simulation.rises import Before, Rise
from costpolicy.simulation.saturated import Saturated
from costpolicy.simulation.scrape import Scrape
from costpolicy.simulation.shapes import Shapes
from costpolicy.units import MICROS_PER_UNIT, format_duration

T = TypeVar("T")
Variant = tuple[str, str, str]
"""Namespace, policy, variant."""

_text: Final = lru_cache(maxsize=64)(format_duration)


class Answered(NamedTuple):
    """What answers about a policy depend on; equal as long as they are equal, but for the times in them.

    Attributes:
        engines: each variant that was scraped of late, and since when it has shown the same.
        rates: quantiles of the offered load over days.
        rises: how far it rose after this time of days before.
        recorded: versions of what is recorded by the hour.
        saturated: versions of what saturated engines showed.
        outage: why no question is answered.
        missing: questions that find nothing.
    """

    engines: tuple[tuple[Variant, datetime], ...]
    rates: tuple[tuple[Stretch, float], ...]
    rises: tuple[Rise, ...]
    recorded: object
    saturated: tuple[int, ...]
    outage: Reason | None
    missing: frozenset[str]

    @property
    def is_whole(self) -> bool:
        """Whether every question is answered."""
        return self.outage is None and not self.missing


class SimulatedMetrics:
    """Implements :class:`costpolicy.observe.source.MetricsSource` from scrapes.

    Set ``outage`` to a reason, and every question fails with it; of the engines of each variant, ``scraped`` is the
    share that Prometheus sees, and questions named in ``missing`` find no series.
    """

    def __init__(self, settings: ObserveSettings) -> None:
        self._settings = settings
        self._names = {build(settings.scope()): name for name, build in QUESTIONS.items()}
        self._scrapes: dict[Variant, deque[Scrape]] = {}
        self._hours: dict[Variant, Hours] = {}
        self._history: dict[tuple[str, str], History] = {}
        self._shapes: dict[tuple[str, str], Shapes] = {}
        self._before: dict[tuple[str, str], Before] = {}
        self._saturated: dict[Variant, Saturated] = {}
        self._costs = Costs()
        self._ledger = LedgerHours()
        self._alike: dict[Variant, datetime] = {}
        self._recorded: tuple[object, tuple[Sample, ...]] | None = None
        self._costed: tuple[object, tuple[Sample, ...]] | None = None
        self.outage: Reason | None = None
        self.scraped = 1.0
        self.missing: frozenset[str] = frozenset()

    def record(self, scrapes: Mapping[Variant, Scrape]) -> None:
        """Take in one round of scrapes."""
        seen: dict[tuple[str, str], list[Scrape]] = {}
        for variant, scraped in scrapes.items():
            scrape = _partly(scraped, self.scraped)
            seen.setdefault(variant[:2], []).append(scrape)
            series = self._scrapes.setdefault(variant, deque())
            if not series or series[-1].shown != scrape.shown:
                self._alike[variant] = scrape.at
            lasted = scrape.at - series[-1].at if series else timedelta(0)
            series.append(scrape)
            _forget(series, scrape.at - self._settings.rate_window, lambda kept: kept.at)
            self._hours.setdefault(variant, Hours()).record(scrape, self._settings.window)
            if lasted and series[0] is not scrape:
                kind = (*variant[:2], scrape.kernels)
                self._saturated.setdefault(kind, Saturated()).record(series, lasted)
        self._keep(scrapes)
        if scrapes:
            at = next(iter(scrapes.values())).at
            self._costs.record(at, total({variant: scrape.cost_per_hour for variant, scrape in scrapes.items()}))
        for policy, here in seen.items():
            offered = sum(scrape.offered for scrape in here)
            self._history.setdefault(policy, History()).record(here[0].at, offered, self._settings.window)
            self._before.setdefault(policy, Before()).record(here[0].at, offered)
            served = sum(scrape.reading.served * scrape.replicas for scrape in here)
            shapes = self._shapes.setdefault(policy, Shapes())
            shapes.record(here[0].at, served, here[0].traffic, self._settings.window)

    def _keep(self, scrapes: Mapping[Variant, Scrape]) -> None:
        """Keep what was paid for in the ledger."""
        if scrapes:
            paid = ((variant[:2], scrape) for variant, scrape in scrapes.items())
            self._ledger.record(next(iter(scrapes.values())).at, paid)

    def revision(self, policy: tuple[str, str], now: datetime) -> Answered:
        """Return a value that stays equal while answers about a policy stay equal, but for the times in them."""
        settled, fresh = now - self._settings.rate_window, now - self._settings.max_age
        return Answered(
            engines=tuple(
                (variant, since if since <= settled and self._scrapes[variant][-1].at >= fresh else now)
                for variant, since in self._alike.items()
                if variant[:2] == policy and self._scrapes[variant][-1].at + self._settings.rate_window >= now
            ),
            rates=self._history[policy].quantiles() if policy in self._history else (),
            rises=self._before[policy].figures(now) if policy in self._before else (),
            recorded=(self._shapes[policy].version if policy in self._shapes else 0, self._hours_version(policy)),
            saturated=tuple(saturated.version for kind, saturated in self._saturated.items() if kind[:2] == policy),
            outage=self.outage,
            missing=self.missing,
        )

    def saturations(self, policy: tuple[str, str]) -> Mapping[str, Saturation]:
        """Return what saturated engines of a policy showed, by their kernels."""
        return described(
            {kind[2]: dict(seen.figures()) for kind, seen in self._saturated.items() if kind[:2] == policy}
        )

    def span(self, policy: tuple[str, str], now: datetime) -> timedelta:
        """Return how far back the history of a policy reaches."""
        return now - self._history[policy].begin if policy in self._history else timedelta(0)

    def series(self, variant: Variant) -> Sequence[Scrape]:
        """Return the scrapes of a variant within the window of rates, oldest first."""
        return self._scrapes.get(variant, ())

    def query(self, promql: str, at: datetime) -> tuple[Sample, ...]:
        """See :class:`MetricsSource`."""
        if self.outage is not None:
            raise MetricsUnavailable(self.outage, "simulated outage")
        name = self._names.get(promql)
        if name in self.missing:
            return ()
        match name:
            case "load_windows":
                return self._recorded_hours()
            case "cost_by_time":
                return self._priced(at)
            case None:  # the only question that names policies
                return tuple(self._ledger.samples())
            case _:
                return tuple([Sample(labels, value, at) for labels, value in self._facts(name, at)])

    def _facts(self, name: str, at: datetime) -> Iterable[tuple[dict[str, str], float]]:
        if name == "installation":
            return (({"fact": fact}, 1.0) for fact in ("operator", "rules"))
        if name == "saturation":
            return self._of_saturated()
        if name in ("over_days", "history_begin"):
            return self._of_policies(name, at)
        return self._of_variants(name, at)

    def retention(self) -> timedelta | None:
        """See :class:`MetricsSource`."""
        return 4 * self._settings.window

    def _priced(self, now: datetime) -> tuple[Sample, ...]:
        """Return what was recorded of costs: the same object until the next time that is."""
        latest = self._costs.latest(now)
        if self._costed is None or self._costed[0] != latest:
            self._costed = (latest, tuple(self._cost_by_time(now)))
        return self._costed[1]

    def _cost_by_time(self, now: datetime) -> Iterator[Sample]:
        for at, costs in self._costs.figures(now):
            yield Sample(labels={}, value=1.0, timestamp=at)
            for (namespace, policy), cost in costs.items():
                labels = {"namespace": namespace, "policy": policy, "currency": "USD"}
                yield Sample(labels=labels, value=cost.micros / MICROS_PER_UNIT, timestamp=at)

    def _recorded_hours(self) -> tuple[Sample, ...]:
        version = self._hours_version()
        if self._recorded is None or self._recorded[0] != version:
            self._recorded = (version, tuple(self._samples_of_hours()))
        return self._recorded[1]

    def _hours_version(self, policy: tuple[str, str] | None = None) -> object:
        """Return a value that stays equal while no hour of a policy, by default of any, was recorded or forgotten."""
        return tuple(
            (hours.kept[0][0], hours.kept[-1][0])
            for variant, hours in self._hours.items()
            if hours.kept and policy in (None, variant[:2])
        )

    def _samples_of_hours(self) -> Iterator[Sample]:
        for (namespace, policy, variant), hours in self._hours.items():
            labels = {"namespace": namespace, "policy": policy, "variant": variant}
            for at, figure, value in hours.figures():
                yield Sample(labels=labels | {"figure": figure}, value=value, timestamp=at)

    def _of_policies(self, name: str, at: datetime) -> Iterator[tuple[dict[str, str], float]]:
        for (namespace, policy), history in self._history.items():
            labels = {"namespace": namespace, "policy": policy}
            if name == "history_begin":
                yield labels, history.begin.timestamp()
                continue
            for stretch, value in history.quantiles():
                yield labels | {"stretch": stretch}, value
            for figure, stretch, value in self._shapes[namespace, policy].quantiles():
                yield labels | {"figure": figure, "stretch": stretch}, value
            for horizon, ago, value in self._before[namespace, policy].figures(at):
                yield labels | {"horizon": _text(horizon), "ago": _text(ago)}, value

    def _of_saturated(self) -> Iterator[tuple[dict[str, str], float]]:
        for (namespace, policy, kernels), saturated in self._saturated.items():
            for figure, value in saturated.figures():
                yield {"namespace": namespace, "policy": policy, "kernels": kernels, "figure": figure}, value

    def _of_variants(self, name: str, at: datetime) -> Iterator[tuple[dict[str, str], float]]:
        for (namespace, policy, variant), series in self._scrapes.items():
            # Prometheus looks back five minutes for the newest sample.
            if series[-1].at + self._settings.rate_window < at:
                continue
            labels = {"namespace": namespace, "policy": policy, "variant": variant}
            for extra, value in answer(name, series):
                yield labels | extra if extra else labels, value


def _partly(scrape: Scrape, share: float) -> Scrape:
    """Return what is known of a variant when only a share of its engines, rounded up, is scraped."""
    seen = ceil(scrape.replicas * share)
    if seen == scrape.replicas:
        return scrape
    return replace(scrape, replicas=seen, offered=scrape.offered * seen / scrape.replicas)


def _forget(series: deque[T], before: datetime, time: Callable[[T], datetime]) -> None:
    while time(series[0]) < before:
        series.popleft()
