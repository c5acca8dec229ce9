"""One variant, read from the answers of one cycle."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from costpolicy.api.reasons import Reason
from costpolicy.observe.latency import Histogram, Tail, histogram
from costpolicy.observe.observation import Figure, VariantObservation
from costpolicy.observe.past import Key
from costpolicy.observe.source import Missing, Sample
from costpolicy.units import MICROS_PER_UNIT, Money, format_time

Answers: TypeAlias = Mapping[str, Mapping[Key, tuple[Sample, ...]]]
"""What was answered to each question, by namespace, policy and variant."""


class VariantReading:
    """What the answers say of one variant; whether its engines were seen of late is found out once.

    Args:
        answers: of one cycle.
        key: namespace, policy and variant.
        at: the moment all questions were asked for (UTC).
        max_age: an engine whose newest sample is older is not acted on.
    """

    __slots__ = ("_answers", "_fresh", "_key", "_last", "_stale")

    def __init__(self, answers: Answers, key: Key, at: datetime, max_age: timedelta) -> None:
        self._answers = answers
        self._key = key
        self._last = self._last_sample()
        self._fresh = not isinstance(self._last, Missing) and at - self._last <= max_age
        self._stale = None if self._fresh or isinstance(self._last, Missing) else _not_seen_since(self._last)

    def observation(self) -> VariantObservation:
        """Return what was seen of the variant; everything missing if nothing was."""
        namespace, policy, variant = self._key
        prompt, ratio = self._shape("prompt_tokens"), self._shape("prefix_hit_ratio")
        absent = prompt if isinstance(prompt, Missing) else ratio
        ttft = self._histogram("ttft_buckets")
        ttft_p50 = _quantile(ttft, 0.5)
        return VariantObservation(
            namespace=namespace,
            policy=policy,
            variant=variant,
            requests_per_second=self._figure("requests_offered"),
            finished_per_second=self._split("requests_finished", "finished_reason"),
            prompt_tokens=prompt,
            output_tokens=self._shape("output_tokens"),
            answers=self._figures_of_answers(),
            cached_tokens=absent if isinstance(absent, Missing) or isinstance(prompt, Missing) else prompt * absent,
            prefix_hit_ratio=ratio,
            generated_tokens_per_second=self._figure("generated_tokens"),
            ttft_p50=ttft_p50 if isinstance(ttft_p50, Missing) else ttft_p50.value,
            ttft=_quantile(ttft, 0.95),
            inter_token=_quantile(self._histogram("inter_token_buckets"), 0.95),
            request_inter_token=_quantile(self._histogram("request_inter_token_buckets"), 0.95),
            waiting=self._figure("waiting"),
            running=self._figure("running"),
            kv_cache_usage=self._figure("kv_cache_usage"),
            kv_cache_size_tokens=self._kv_cache_size(),
            preemptions_per_second=self._figure("preemptions"),
            pods_up=round(self._value("pods_up") or 0),
            last_sample=self._last,
            fresh=self._fresh,
            accelerators={state: round(n) for state, n in self._split("accelerators", "state").items()},
            cost_per_hour=self._cost(),
        )

    def _samples(self, question: str) -> tuple[Sample, ...]:
        return self._answers[question].get(self._key, ())

    def _value(self, question: str) -> float | None:
        return plain_value(self._samples(question))

    def _split(self, question: str, label: str) -> dict[str, float]:
        return {sample.labels.get(label, ""): sample.value for sample in self._samples(question)}

    def _figure(self, question: str) -> Figure:
        """Return a count or rate, which exists whenever its engines are scraped."""
        if self._stale is not None:
            return self._stale
        value = self._value(question)
        return no_series(question) if value is None else value

    def _shape(self, question: str) -> Figure:
        """Return a mean or quantile, which does not exist without requests."""
        figure = self._figure(question)
        return no_requests() if isinstance(figure, Missing) and self._fresh else figure

    def _figures_of_answers(self) -> Mapping[str, float]:
        """Return what else is known of answers; nothing of engines that were not seen of late."""
        found = self._split("output_tokens", "figure") if self._stale is None else {}
        return {figure: value for figure, value in found.items() if figure}

    def _histogram(self, question: str) -> Histogram | Missing:
        if self._stale is None:
            buckets = histogram(self._split(question, "le"))
            if buckets is not None:
                return buckets
        absent = self._shape(question)
        return absent if isinstance(absent, Missing) else no_requests()

    def _kv_cache_size(self) -> Figure:
        sizes = [size for size in self._split("kv_cache_size", "kv_cache_size_tokens") if size.isdecimal()]
        return float(min(map(int, sizes))) if sizes else no_series("kv_cache_size_tokens")

    def _cost(self) -> Money | Missing:
        match self._samples("cost_per_hour"):
            case (sample,):
                return Money(round(sample.value * MICROS_PER_UNIT))
            case ():
                return no_series("the price of its accelerators")
            case several:
                currencies = ", ".join(sample.labels.get("currency", "") for sample in several)
                return Missing(reason=Reason.NO_SAMPLES, message=f"its accelerators are priced in {currencies}")

    def _last_sample(self) -> datetime | Missing:
        seconds = self._value("last_sample")
        return no_series("engines") if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def plain_value(samples: tuple[Sample, ...]) -> float | None:
    """Return the value of an answer itself: what rides along in a question has a figure's name, the answer has none."""
    for sample in samples:
        if not sample.labels.get("figure"):
            return sample.value
    return None


def no_series(what: str) -> Missing:
    """Return that there is no series."""
    return Missing(reason=Reason.NO_SAMPLES, message=f"Prometheus holds no series for {what.replace('_', ' ')}")


def no_requests() -> Missing:
    """Return that there are engines, and no requests."""
    return Missing(reason=Reason.NO_TRAFFIC, message="engines are scraped, and no request finished of late")


def _not_seen_since(last: datetime) -> Missing:
    # A time, not an age: a message that changes with the clock would be written in every cycle.
    return Missing(
        reason=Reason.NO_SAMPLES,
        message=f"the newest sample of its engines is of {format_time(last)}: are they scraped?",
    )


def _quantile(found: Histogram | Missing, share: float) -> Tail | Missing:
    return found if isinstance(found, Missing) else found.quantile(share)
