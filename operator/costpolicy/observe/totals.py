"""What engines counted over a span of time, by model: from expositions saved to files, or from a Prometheus.

An exposition holds an engine's whole life; a second one of the same engine, saved earlier, is subtracted.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.scope import promql_duration
from costpolicy.observe.source import MetricsSource


class Kind(StrEnum):
    """How a series becomes the figure of a span."""

    GROWTH = "growth"
    """A counter: by how much it grew."""
    CHANGE = "change"
    """A gauge: by how much it is higher at the end; of a whole life its last value."""
    LEVEL = "level"
    """A gauge: the mean of Prometheus, the last value of an exposition; of several engines the highest."""


class Series(NamedTuple):
    """A series that is read, by the name of its samples, and the label that splits it."""

    kind: Kind = Kind.GROWTH
    split: str = ""


def _histogram(metric: EngineMetric, *, buckets: bool = False) -> dict[str, Series]:
    sums = {f"{metric}_sum": Series(), f"{metric}_count": Series()}
    return sums | ({f"{metric}_bucket": Series(split="le")} if buckets else {})


SERIES: Final[Mapping[str, Series]] = {
    **_histogram(EngineMetric.TTFT),
    **_histogram(EngineMetric.REQUEST_PROMPT_TOKENS),
    **_histogram(EngineMetric.REQUEST_OUTPUT_TOKENS, buckets=True),
    **_histogram(EngineMetric.REQUEST_LIMIT, buckets=True),
    **_histogram(EngineMetric.REQUEST_COMPUTED_TOKENS),
    **_histogram(EngineMetric.END_TO_END_TIME),
    **_histogram(EngineMetric.QUEUE_TIME),
    **_histogram(EngineMetric.INFERENCE_TIME),
    **_histogram(EngineMetric.INTER_TOKEN),
    EngineMetric.PROMPT_TOKENS: Series(),
    EngineMetric.PREFIX_HITS: Series(),
    EngineMetric.GENERATED_TOKENS: Series(),
    EngineMetric.FINISHED: Series(split="finished_reason"),
    EngineMetric.PREEMPTIONS: Series(),
    EngineMetric.PROPOSED_TOKENS: Series(),
    EngineMetric.ACCEPTED_TOKENS: Series(),
    EngineMetric.RUNNING: Series(Kind.CHANGE),
    EngineMetric.WAITING: Series(Kind.LEVEL),
    EngineMetric.KV_CACHE_USAGE: Series(Kind.LEVEL),
}


class Model(NamedTuple):
    """A served model; the namespace is empty where nothing says it, as in an exposition."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the engines of one model counted, all together.

    Attributes:
        engines: how many; data-parallel ranks are engines.
        values: by sample name, then by the label that splits it (empty where none does); a series that no engine exports
            is absent.
        prefix_caching: whether they share prefixes; ``None``: they do not say, or not all the same.
    """

    engines: int
    values: Mapping[str, Mapping[str, float]]
    prefix_caching: bool | None = None

    def value(self, name: str) -> float | None:
        """Return a series that nothing splits; ``None``: no engine exports it."""
        found = self.values.get(name)
        return None if found is None else sum(found.values())


@dataclass(slots=True)
class _Tally:
    engines: int = 0
    values: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    caching: set[str] = field(default_factory=set)

    def take(self, name: str, split: str, value: float) -> None:
        of = self.values[name]
        of[split] = max(of[split], value) if SERIES[name].kind is Kind.LEVEL else of[split] + value

    def totals(self) -> Totals:
        said = {one.lower() == "true" for one in self.caching}
        caching = said.pop() if len(said) == 1 else None
        values = {name: dict(of) for name, of in self.values.items()}
        return Totals(engines=self.engines, values=values, prefix_caching=caching)


class ExpositionError(ValueError):
    """A text that is no Prometheus exposition, or one of something else than vLLM."""


def totals_of_expositions(texts: Iterable[str], earlier: Iterable[str] = ()) -> Mapping[Model, Totals]:
    """Return what the engines of some expositions counted, less what they had counted earlier.

    Args:
        texts: one exposition for each API process, as ``/metrics`` answers.
        earlier: of the same processes.  One whose counters were higher then has restarted since: its life counts.

    Raises:
        ExpositionError: see there.
    """
    now, before = _lives(texts), _lives(earlier)
    found: dict[Model, Totals] = {}
    for model, tally in now.items():
        base = before.get(model)
        if base is not None and not _restarted(tally, base):
            _subtract(tally, base)
        found[model] = tally.totals()
    return found


def _lives(texts: Iterable[str]) -> dict[Model, _Tally]:
    tallies: dict[Model, _Tally] = defaultdict(_Tally)
    for text in texts:
        samples = list(_samples(text))
        models = {labels["model_name"] for name, labels, _ in samples if name == EngineMetric.RUNNING}
        if not models:
            raise ExpositionError("holds no series of vLLM: save what /metrics of an engine answers")
        for name, labels, value in samples:
            if name in SERIES:
                tallies[Model("", labels.get("model_name", ""))].take(name, labels.get(SERIES[name].split, ""), value)
            if name == EngineMetric.RUNNING:
                tallies[Model("", labels["model_name"])].engines += 1
            if name == EngineMetric.CACHE_CONFIG and len(models) == 1:
                tallies[Model("", *models)].caching.add(labels.get("enable_prefix_caching", ""))
    return tallies


def _samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                yield sample.name, sample.labels, sample.value
    except (ValueError, KeyError, IndexError) as error:
        raise ExpositionError(f"is no Prometheus exposition: {error}") from error


def _restarted(now: _Tally, before: _Tally) -> bool:
    return any(
        now.values[name][split] < value
        for name, of in before.values.items()
        if SERIES[name].kind is Kind.GROWTH
        for split, value in of.items()
    )


def _subtract(now: _Tally, before: _Tally) -> None:
    for name, of in before.values.items():
        if SERIES[name].kind is not Kind.LEVEL:
            for split, value in of.items():
                now.values[name][split] -= value


def totals_of_prometheus(source: MetricsSource, at: datetime, window: timedelta) -> Mapping[Model, Totals]:
    """Return what all engines that a Prometheus scrapes counted in the window before a moment.

    Each engine counts once, whoever scrapes it.  One question a series: for people, not for every cycle of an operator.

    Raises:
        MetricsUnavailable: a question could not be asked.
    """
    tallies: dict[Model, _Tally] = defaultdict(_Tally)
    for name, series in SERIES.items():
        for sample in source.query(_question(name, series, promql_duration(window)), at):
            tallies[_model(sample.labels)].take(name, sample.labels.get(series.split, ""), sample.value)
    for sample in source.query(f"count by (namespace, model_name) ({_each(EngineMetric.RUNNING, '')})", at):
        tallies[_model(sample.labels)].engines = round(sample.value)
    for sample in source.query(_caching(), at):
        tallies[_model(sample.labels)].caching.add(sample.labels.get("enable_prefix_caching", ""))
    return {model: tally.totals() for model, tally in tallies.items() if tally.engines}


def _model(labels: Mapping[str, str]) -> Model:
    return Model(labels.get("namespace", ""), labels.get("model_name", ""))


def _each(expression: str, split: str) -> str:
    labels = ", ".join(filter(None, ("namespace", "model_name", "instance", "engine", split)))
    return f"max by ({labels}) ({expression})"


def _question(name: str, series: Series, window: str) -> str:
    labels = ", ".join(filter(None, ("namespace", "model_name", series.split)))
    match series.kind:
        case Kind.GROWTH:
            return f"sum by ({labels}) ({_each(f'increase({name}[{window}])', series.split)})"
        case Kind.CHANGE:
            now, then = (f"sum by ({labels}) ({_each(moment, '')})" for moment in (name, f"{name} offset {window}"))
            return f"{now} - ({then} or {now} * 0)"
        case Kind.LEVEL:
            return f"max by ({labels}) (avg_over_time({name}[{window}]))"


def _caching() -> str:
    """Ask which model's engines share prefixes; their configuration carries no name of a model."""
    config = f"max by (namespace, instance, engine, enable_prefix_caching) ({EngineMetric.CACHE_CONFIG})"
    named = f"{_each(EngineMetric.RUNNING, '')} * 0 + 1"
    joined = f"{config} * on (namespace, instance, engine) group_left (model_name) ({named})"
    return f"count by (namespace, model_name, enable_prefix_caching) ({joined})"
