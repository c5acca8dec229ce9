"""One look at the whole fleet: a fixed number of instant queries, for one policy or a thousand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from costpolicy.api.reasons import Reason
from costpolicy.observe.ahead import rises_of
from costpolicy.observe.costs import costs_of
from costpolicy.observe.days import high_rate
from costpolicy.observe.latency import Tail, histogram
from costpolicy.observe.observation import UNRECORDED, Figure, PolicyObservation, VariantObservation
from costpolicy.observe.past import Key, Past, by_key, read_past
from costpolicy.observe.questions import questions
from costpolicy.observe.routes import RouteKey, RouteTraffic, traffic_of
from costpolicy.observe.saturation import saturations
from costpolicy.observe.scope import Scope, parse_matchers
from costpolicy.observe.shapes import RequestShape, high_shape
from costpolicy.observe.source import MetricsSource, Missing, Sample
from costpolicy.units import MICROS_PER_UNIT, Money, format_time

Answers: TypeAlias = Mapping[str, Mapping[Key, tuple[Sample, ...]]]


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
        return PolicyObservation(
            namespace=namespace,
            policy=policy,
            variants=tuple(
                self.of_variant(namespace, policy, variant) for variant in self.variants.get((namespace, policy), ())
            ),
            requests_per_second_p95=self._high_rate((namespace, policy, "")),
            shape_over_days=self._high_shape((namespace, policy, "")),
            rises=rises_of(self._samples("over_days", (namespace, policy, ""))),
            span=self._span((namespace, policy, "")),
            windows=self.past.hours.get((namespace, policy), {}),
            saturations=saturations(self._samples("saturation", (namespace, policy, ""))),
            costs=costs_of(self.past.costs.get((namespace, policy, ""), ()), self.past.costs.get(("", "", ""), ())),
        )

    def of_variant(self, namespace: str, policy: str, variant: str) -> VariantObservation:
        """Return what was seen of a variant; everything missing if nothing was."""
        key = (namespace, policy, variant)
        ttft_p50 = self._latency("ttft_buckets", key, 0.5)
        prompt, ratio = self._shape("prompt_tokens", key), self._shape("prefix_hit_ratio", key)
        absent = prompt if isinstance(prompt, Missing) else ratio
        return VariantObservation(
            namespace=namespace,
            policy=policy,
            variant=variant,
            requests_per_second=self._figure("requests_offered", key),
            finished_per_second=self._split("requests_finished", key, "finished_reason"),
            prompt_tokens=prompt,
            output_tokens=self._shape("output_tokens", key),
            answers=self._answers(key),
            cached_tokens=absent if isinstance(absent, Missing) or isinstance(prompt, Missing) else prompt * absent,
            prefix_hit_ratio=ratio,
            generated_tokens_per_second=self._figure("generated_tokens", key),
            ttft_p50=ttft_p50 if isinstance(ttft_p50, Missing) else ttft_p50.value,
            ttft=self._latency("ttft_buckets", key, 0.95),
            inter_token=self._latency("inter_token_buckets", key, 0.95),
            request_inter_token=self._latency("request_inter_token_buckets", key, 0.95),
            waiting=self._figure("waiting", key),
            running=self._figure("running", key),
            kv_cache_usage=self._figure("kv_cache_usage", key),
            kv_cache_size_tokens=self._kv_cache_size(key),
            preemptions_per_second=self._figure("preemptions", key),
            pods_up=round(self._value("pods_up", key) or 0),
            last_sample=self._last_sample(key),
            fresh=self._is_fresh(key),
            accelerators={state: round(n) for state, n in self._split("accelerators", key, "state").items()},
            cost_per_hour=self._cost(key),
        )

    def _samples(self, question: str, key: Key) -> tuple[Sample, ...]:
        return self.answers[question].get(key, ())

    def _value(self, question: str, key: Key) -> float | None:
        # What rides along in a question has a figure's name; the answer itself has none.
        plain = (sample.value for sample in self._samples(question, key) if not sample.labels.get("figure"))
        return next(plain, None)

    def _split(self, question: str, key: Key, label: str) -> dict[str, float]:
        return {sample.labels.get(label, ""): sample.value for sample in self._samples(question, key)}

    def _figure(self, question: str, key: Key) -> Figure:
        """Return a count or rate, which exists whenever its engines are scraped."""
        stale = self._stale(key)
        if stale is not None:
            return stale
        value = self._value(question, key)
        return _no_series(question) if value is None else value

    def _shape(self, question: str, key: Key) -> Figure:
        """Return a mean or quantile, which does not exist without requests."""
        figure = self._figure(question, key)
        if isinstance(figure, Missing) and self._is_fresh(key):
            return _no_requests()
        return figure

    def _answers(self, key: Key) -> Mapping[str, float]:
        """Return what else is known of answers; nothing of engines that were not seen of late."""
        found = self._split("output_tokens", key, "figure") if self._stale(key) is None else {}
        return {figure: value for figure, value in found.items() if figure}

    def _latency(self, question: str, key: Key, share: float) -> Tail | Missing:
        if self._stale(key) is None:
            buckets = histogram(self._split(question, key, "le"))
            if buckets is not None:
                return buckets.quantile(share)
        absent = self._shape(question, key)
        return absent if isinstance(absent, Missing) else _no_requests()

    def _kv_cache_size(self, key: Key) -> Figure:
        sizes = [size for size in self._split("kv_cache_size", key, "kv_cache_size_tokens") if size.isdecimal()]
        return float(min(map(int, sizes))) if sizes else _no_series("kv_cache_size_tokens")

    def _cost(self, key: Key) -> Money | Missing:
        match self._samples("cost_per_hour", key):
            case (sample,):
                return Money(round(sample.value * MICROS_PER_UNIT))
            case ():
                return _no_series("the price of its accelerators")
            case several:
                currencies = ", ".join(sample.labels.get("currency", "") for sample in several)
                return Missing(reason=Reason.NO_SAMPLES, message=f"its accelerators are priced in {currencies}")

    def _last_sample(self, key: Key) -> datetime | Missing:
        seconds = self._value("last_sample", key)
        return _no_series("engines") if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)

    def _is_fresh(self, key: Key) -> bool:
        last = self._last_sample(key)
        return not isinstance(last, Missing) and self.at - last <= self.max_age

    def _stale(self, key: Key) -> Missing | None:
        last = self._last_sample(key)
        if isinstance(last, Missing) or self._is_fresh(key):
            return None
        # A time, not an age: a message that changes with the clock would be written in every cycle.
        return Missing(
            reason=Reason.NO_SAMPLES,
            message=f"the newest sample of its engines is of {format_time(last)}: are they scraped?",
        )

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
        return _no_series("recorded demand")

    def _high_rate(self, key: Key) -> Figure:
        span = self._span(key)
        rates = (each for each in self._samples("over_days", key) if not {"figure", "horizon"} & each.labels.keys())
        high = high_rate(
            {each.labels.get("stretch", ""): each.value for each in rates}, None if isinstance(span, Missing) else span
        )
        return self._history("over_days", key) if high is None else high

    def _high_shape(self, key: Key) -> RequestShape | Missing:
        span = self._span(key)
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
    variants: dict[tuple[str, str], set[str]] = {}
    for namespace, policy, variant in (key for answer in answers.values() for key in answer):
        variants.setdefault((namespace, policy), set()).update({variant} - {""})
    return {policy: tuple(sorted(variants[policy])) for policy in sorted(variants)}


def _no_requests() -> Missing:
    return Missing(reason=Reason.NO_TRAFFIC, message="engines are scraped, and no request finished of late")


def _no_series(what: str) -> Missing:
    return Missing(reason=Reason.NO_SAMPLES, message=f"Prometheus holds no series for {what.replace('_', ' ')}")
