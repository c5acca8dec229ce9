"""What was seen of one variant and of one policy at one moment."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from costpolicy.api.reasons import Reason
from costpolicy.observe.ahead import Rises
from costpolicy.observe.answers import AnswerFigure
from costpolicy.observe.costs import Costs
from costpolicy.observe.latency import Tail
from costpolicy.observe.saturation import Saturation
from costpolicy.observe.shapes import RequestShape
from costpolicy.observe.source import Missing
from costpolicy.observe.window import LoadWindow
from costpolicy.units import Money

Figure: TypeAlias = float | Missing
UNRECORDED: Final = Missing(reason=Reason.NO_SAMPLES, message="no hour of its requests is recorded")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantObservation:
    """One variant.  Rates are per second, times in seconds, ratios 0 to 1, token counts means per request.

    Attributes:
        requests_per_second: offered load: arrivals, served or not.
        finished_per_second: by vLLM's ``finished_reason``; a client that hangs up appears nowhere.
        cached_tokens: prompt tokens of a request found in the prefix cache.
        inter_token: over the steps of all requests.
        request_inter_token: over requests, of what each took a token on average after its first.
        waiting, running: requests now, over all engines.
        kv_cache_usage: mean over the replicas and the rate window, of each its fullest data-parallel rank.
        kv_cache_size_tokens: of the smallest engine, which is one data-parallel rank; vLLM 0.25 and newer.
        pods_up: pods scraped successfully; fewer than the ready ones means that load is under-read.
        last_sample: time of the newest sample of an engine.
        fresh: whether that is recent enough to act on.
        accelerators: held now, by :class:`costpolicy.observe.exported.AcceleratorState`.
        cost_per_hour: of all accelerators held, whatever they are doing.
        answers: by :class:`costpolicy.observe.answers.AnswerFigure`, what engines export.
    """

    namespace: str
    policy: str
    variant: str
    requests_per_second: Figure
    finished_per_second: Mapping[str, float]
    prompt_tokens: Figure
    output_tokens: Figure
    cached_tokens: Figure
    prefix_hit_ratio: Figure
    generated_tokens_per_second: Figure
    ttft_p50: Figure
    ttft: Tail | Missing
    inter_token: Tail | Missing
    request_inter_token: Tail | Missing
    waiting: Figure
    running: Figure
    kv_cache_usage: Figure
    kv_cache_size_tokens: Figure
    preemptions_per_second: Figure
    pods_up: int
    last_sample: datetime | Missing
    fresh: bool
    accelerators: Mapping[str, int]
    cost_per_hour: Money | Missing
    answers: Mapping[str, float] = field(default_factory=dict)

    def answer(self, figure: AnswerFigure) -> Figure:
        """Return what is known of answers."""
        found = self.answers.get(figure)
        return self._unanswered() if found is None else found

    def _unanswered(self) -> Missing:
        if isinstance(self.output_tokens, Missing):
            return self.output_tokens
        return Missing(reason=Reason.NO_SAMPLES, message="its engines do not export limits and answers by length")

    @property
    def ttft_p95(self) -> Figure:
        """Interpolated 95th percentile of the time to first token; :attr:`ttft` says how exact it is."""
        return self.ttft if isinstance(self.ttft, Missing) else self.ttft.value

    @property
    def inter_token_p95(self) -> Figure:
        """Interpolated 95th percentile of the inter-token latency; :attr:`inter_token` says how exact."""
        return self.inter_token if isinstance(self.inter_token, Missing) else self.inter_token.value

    def per_token(self, *, speculates: bool) -> Tail | Missing:
        """Return the inter-token latency: where steps may yield several tokens that over requests, if any finished."""
        of_requests = self.request_inter_token
        return of_requests if speculates and isinstance(of_requests, Tail) else self.inter_token


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyObservation:
    """One policy: its variants together.  Units as in :class:`VariantObservation`.

    Attributes:
        requests_per_second_p95: 95th percentile of the offered five-minute rates, of which recent days weigh more
            (:mod:`costpolicy.observe.days`).
        shape_over_days: what its requests were like, weighed in the same way (:mod:`costpolicy.observe.shapes`).
        rises: how far the rate rose in the minutes to come on days before (:mod:`costpolicy.observe.ahead`).
        span: how far back, within the window, that history reaches.
        windows: recorded hours of each variant that was seen in the window, whether or not it still runs.
        saturations: what saturated engines served, by what their kernels depend on (``Configuration.kernels``).
        costs: of all its accelerators an hour, over the last week; times of which nothing is known are absent.
    """

    namespace: str
    policy: str
    variants: tuple[VariantObservation, ...]
    requests_per_second_p95: Figure
    span: timedelta | Missing
    shape_over_days: RequestShape | Missing = UNRECORDED
    rises: Rises = field(default_factory=dict)
    windows: Mapping[str, tuple[LoadWindow, ...]] = field(default_factory=dict)
    saturations: Mapping[str, Saturation] = field(default_factory=dict)
    costs: Costs = field(default_factory=dict)

    @property
    def fresh(self) -> bool:
        """Whether engines were seen recently, and none of them only long ago."""
        seen = [variant for variant in self.variants if not isinstance(variant.last_sample, Missing)]
        return bool(seen) and all(variant.fresh for variant in seen)

    @property
    def requests_per_second(self) -> Figure:
        """Offered load of all variants together, including one that has just gone."""
        return self._sum(lambda variant: variant.requests_per_second)

    @property
    def waiting(self) -> Figure:
        """Requests queued now."""
        return self._sum(lambda variant: variant.waiting)

    @property
    def running(self) -> Figure:
        """Requests in execution batches now."""
        return self._sum(lambda variant: variant.running)

    @property
    def generated_tokens_per_second(self) -> Figure:
        """Tokens generated per second, for whomever."""
        return self._sum(lambda variant: variant.generated_tokens_per_second)

    @property
    def prompt_tokens(self) -> Figure:
        """Mean prompt tokens of a request, weighted by each variant's load."""
        return self._mean(lambda variant: variant.prompt_tokens)

    @property
    def output_tokens(self) -> Figure:
        """Mean generated tokens of a request, weighted by each variant's load."""
        return self._mean(lambda variant: variant.output_tokens)

    def answer(self, figure: AnswerFigure) -> Figure:
        """Return what is known of answers, weighted by each variant's load."""
        return self._mean(lambda variant: variant.answer(figure))

    @property
    def cut_share(self) -> Figure:
        """Share of finished requests that were cut at their limit."""
        finished = [variant.finished_per_second for variant in self.variants]
        rate = sum(sum(by_reason.values()) for by_reason in finished)
        if rate > 0:
            return sum(by_reason.get("length", 0.0) for by_reason in finished) / rate
        return self._absence(lambda variant: variant.output_tokens)

    @property
    def cached_tokens(self) -> Figure:
        """Mean cached prompt tokens of a request, weighted by each variant's load."""
        return self._mean(lambda variant: variant.cached_tokens)

    @property
    def prefix_hit_ratio(self) -> Figure:
        """Share of prompt tokens found in the prefix cache, weighted by each variant's load."""
        return self._mean(lambda variant: variant.prefix_hit_ratio)

    @property
    def ttft_p50(self) -> Figure:
        """Median time to first token of the slowest variant."""
        return self._worst(lambda variant: variant.ttft_p50)

    @property
    def ttft_p95(self) -> Figure:
        """95th percentile of the time to first token of the slowest variant."""
        return self._worst(lambda variant: variant.ttft_p95)

    @property
    def inter_token_p95(self) -> Figure:
        """95th percentile of the inter-token latency of the slowest variant."""
        return self._worst(lambda variant: variant.inter_token_p95)

    @property
    def kv_cache_usage(self) -> Figure:
        """Share of the KV cache in use, of the fullest variant."""
        return self._worst(lambda variant: variant.kv_cache_usage)

    @property
    def pods_up(self) -> int:
        """Pods scraped successfully."""
        return sum(variant.pods_up for variant in self.variants)

    @property
    def cost_per_hour(self) -> Money | Missing:
        """Cost of all accelerators held; missing if that of one variant is."""
        total = Money(0)
        for variant in self.variants:
            match variant.cost_per_hour:
                case Missing() as missing:
                    return missing
                case cost:
                    total += cost
        return total if self.variants else _unseen()

    def keeps_ttft(self, objective: timedelta) -> bool | Missing:
        """Return whether every variant with traffic keeps the objective for the time to first token."""
        return _all_keep((variant.ttft for variant in self.variants), objective)

    def keeps_inter_token(self, objective: timedelta, speculating: Container[str] = ()) -> bool | Missing:
        """Return whether every variant with traffic keeps the objective for the inter-token latency.

        Args:
            objective: its 95th percentile.
            speculating: variants whose steps yield several tokens.  Theirs is the 95th percentile over requests, which
                is what a plan predicts; where no request finished, that of steps, which is longer.
        """
        return _all_keep(
            (variant.per_token(speculates=variant.variant in speculating) for variant in self.variants), objective
        )

    def only_steps(self, speculating: Container[str]) -> bool:
        """Return whether of a variant that speculates only the latency of its steps is known."""
        return any(
            one.variant in speculating
            and isinstance(one.inter_token, Tail)
            and isinstance(one.request_inter_token, Missing)
            for one in self.variants
        )

    def _present(self, figure: Callable[[VariantObservation], Figure]) -> list[float]:
        return [value for value in map(figure, self.variants) if not isinstance(value, Missing)]

    def _absence(self, figure: Callable[[VariantObservation], Figure]) -> Missing:
        absent = [value for value in map(figure, self.variants) if isinstance(value, Missing)]
        return absent[0] if absent else _unseen()

    def _sum(self, figure: Callable[[VariantObservation], Figure]) -> Figure:
        if any(not isinstance(variant.last_sample, Missing) and not variant.fresh for variant in self.variants):
            return self._absence(figure)
        values = self._present(figure)
        return sum(values) if values else self._absence(figure)

    def _worst(self, figure: Callable[[VariantObservation], Figure]) -> Figure:
        values = self._present(figure)
        return max(values) if values else self._absence(figure)

    def _mean(self, figure: Callable[[VariantObservation], Figure]) -> Figure:
        pairs = [
            (value, rate)
            for value, rate in ((figure(variant), variant.requests_per_second) for variant in self.variants)
            if not isinstance(value, Missing) and not isinstance(rate, Missing)
        ]
        weight = sum(rate for _, rate in pairs)
        if weight > 0:
            return sum(value * rate for value, rate in pairs) / weight
        return self._worst(figure)


def _all_keep(tails: Iterable[Tail | Missing], objective: timedelta) -> bool | Missing:
    answers = [tail if isinstance(tail, Missing) else tail.keeps(objective) for tail in tails]
    if False in answers:
        return False
    absent = [answer for answer in answers if isinstance(answer, Missing)]
    silent = [answer for answer in absent if answer.reason is Reason.RESOLUTION_TOO_COARSE]
    if silent or not answers or len(absent) == len(answers):
        return next(iter([*silent, *absent]), _unseen())
    return True


def _unseen() -> Missing:
    return Missing(
        reason=Reason.NO_SAMPLES,
        message="Prometheus holds no series of this policy: are its pods scraped, and do the matchers fit?",
    )
