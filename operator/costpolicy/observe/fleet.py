"""One look at the whole fleet: a fixed number of instant queries, for one policy or a thousand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from costpolicy.api.reasons import Reason
from costpolicy.observe.ahead import rises_of
from costpolicy.observe.days import high_rate
from costpolicy.observe.observation import UNRECORDED, Figure, PolicyObservation, VariantObservation
from costpolicy.observe.past import Key, Past, by_key, read_past
from costpolicy.observe.questions import questions
from costpolicy.observe.routes import RouteKey, RouteTraffic, traffic_of
from costpolicy.observe.saturation import saturations
from costpolicy.observe.scope import Scope, parse_matchers
from costpolicy.observe.shapes import RequestShape, high_shape
from costpolicy.observe.source import MetricsSource, Missing, Sample
from costpolicy.observe.variant import Answers, VariantReading, no_series, plain_value


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveSettings:
    """How to look.

    Attributes:
        matchers: PromQL label matchers that enter every selector, such as ``cluster="prod-eu"``.
        window: how far back the percentile of demand reaches.
        rate_window: window of rates and latencies; at least four scrape intervals.
        shape_window: window of token counts and of the hit ratio.
        max_age: an engine whose newest sample is older is not acted on.
    """

    matchers: str = ""
    window: timedelta = timedelta(hours=168)
    rate_window: timedelta = timedelta(minutes=5)
    shape_window: timedelta = timedelta(hours=1)
    max_age: timedelta = timedelta(minutes=3)

    def scope(self) -> Scope:
        """Return the scope of the questions.

        Raises:
            ValueError: the matchers are not label matchers.
        """
        return Scope(
            matchers=parse_matchers(self.matchers),
            rate_window=self.rate_window,
            shape_window=self.shape_window,
            window=self.window,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetObservations:
    """Everything one cycle saw.

    Attributes:
        at: the moment all questions were asked for (UTC).
        retention: how long the source keeps samples; None if it does not say.
        operator_scraped: whether Prometheus scrapes an operator.
        rules_loaded: whether the chart's recording rules are evaluated.
        max_age: as in the settings.
        variants: the variants of each policy (namespace, name) that anything was seen of.
        answers: what was answered to each question, by namespace, policy and variant.
        past: what is recorded of past hours.
        routes: what the routers counted in a day, by route.
    """

    at: datetime
    retention: timedelta | None
    operator_scraped: bool
    rules_loaded: bool
    max_age: timedelta
    variants: Mapping[tuple[str, str], tuple[str, ...]]
    answers: Answers = field(repr=False)
    past: Past = field(repr=False)
    routes: Mapping[RouteKey, RouteTraffic] = field(default_factory=dict)

    def policies(self) -> tuple[tuple[str, str], ...]:
        """Return namespace and name of every policy that something was seen of, in order."""
        return tuple(self.variants)

    def of(self, namespace: str, policy: str) -> PolicyObservation:
        """Return what was seen of a policy; everything missing if nothing was."""
        key = (namespace, policy, "")
        span = self._span(key)
        return PolicyObservation(
            namespace=namespace,
            policy=policy,
            variants=tuple(
                self.of_variant(namespace, policy, variant) for variant in self.variants.get((namespace, policy), ())
            ),
            requests_per_second_p95=self._high_rate(key, span),
            shape_over_days=self._high_shape(key, span),
            rises=rises_of(self._samples("over_days", key)),
            span=span,
            windows=self.past.hours.get((namespace, policy), {}),
            saturations=saturations(self._samples("saturation", key)),
            costs=self.past.costs.get(key, self.past.idle),
        )

    def of_variant(self, namespace: str, policy: str, variant: str) -> VariantObservation:
        """Return what was seen of a variant; everything missing if nothing was."""
        return VariantReading(self.answers, (namespace, policy, variant), self.at, self.max_age).observation()

    def _samples(self, question: str, key: Key) -> tuple[Sample, ...]:
        return self.answers[question].get(key, ())

    def _value(self, question: str, key: Key) -> float | None:
        return plain_value(self._samples(question, key))

    def _history(self, question: str, key: Key) -> Figure:
        value = self._value(question, key)
        if value is not None:
            return value
        if not self.operator_scraped:
            return Missing(
                reason=Reason.RULES_MISSING,
                message="Prometheus does not scrape the operator, which the recording rules read: "
                "have it scraped (metrics in the chart's values)",
            )
        if not self.rules_loaded:
            return Missing(
                reason=Reason.RULES_MISSING,
                message="the chart's recording rules are not loaded into Prometheus: there is no history; "
                "have it load them (rules in the chart's values)",
            )
        return no_series("recorded demand")

    def _high_rate(self, key: Key, span: timedelta | Missing) -> Figure:
        samples = self._samples("over_days", key)
        rates = (each for each in samples if "figure" not in each.labels and "horizon" not in each.labels)
        high = high_rate(
            {each.labels.get("stretch", ""): each.value for each in rates}, None if isinstance(span, Missing) else span
        )
        return self._history("over_days", key) if high is None else high

    def _high_shape(self, key: Key, span: timedelta | Missing) -> RequestShape | Missing:
        high = high_shape(self._samples("over_days", key), None if isinstance(span, Missing) else span)
        return UNRECORDED if high is None else high

    def _span(self, key: Key) -> timedelta | Missing:
        begin = self._history("history_begin", key)
        if isinstance(begin, Missing):
            return begin
        return self.at - datetime.fromtimestamp(begin, tz=UTC)


def observe_fleet(
    source: MetricsSource, at: datetime, settings: ObserveSettings, before: Past | None = None
) -> FleetObservations:
    """Ask every question once, all for the same moment.

    ``before`` is the past that the look before has read; it only saves work.

    Raises:
        MetricsUnavailable: one of them could not be asked.  Half an answer would look like falling load.
        ValueError: the matchers are not label matchers.
    """
    scope = settings.scope()
    told = {name: source.query(text, at) for name, text in questions(scope).items()}
    past = read_past(told.pop("load_windows"), told.pop("cost_by_time"), before or Past())
    installed = told.pop("installation")
    facts = {sample.labels.get("fact") for sample in installed}
    answers = {name: by_key(samples) for name, samples in told.items()}
    return FleetObservations(
        at=at,
        retention=source.retention(),
        operator_scraped="operator" in facts,
        rules_loaded="rules" in facts,
        max_age=settings.max_age,
        variants=_variants(answers),
        answers=answers,
        past=past,
        routes=traffic_of(installed),
    )


def _variants(answers: Answers) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the variants of each policy that anything was seen of, in order."""
    variants: dict[tuple[str, str], list[str]] = {}
    for namespace, policy, variant in sorted({key for answer in answers.values() for key in answer}):
        seen = variants.setdefault((namespace, policy), [])
        if variant:
            seen.append(variant)
    return {policy: tuple(seen) for policy, seen in variants.items()}
