"""What a deployment's own measurements say about the predictions for it: corrections, and the margins they leave.

A window compares what was observed with what is predicted at the same load.  ``ln(observed / predicted)`` of a
deployment is taken as a constant of its own plus what varies from window to window; the family's uncertainty
(:mod:`costpolicy.perf.uncertainty`) is the prior of both, each with half of its variance.  The constant is updated
by the conjugate normal rule.  Three things keep evidence from being overrated:

* Windows of one deployment are not independent: their effective number under a correlation that fades as
  ``exp(-gap / CORRELATION_TIME)`` is ``1 + sum(tanh(gap / (2 * CORRELATION_TIME)))``, the sum of the weights of the
  best linear estimate of a constant under such noise.
* A window that lies far from the others is moved to the edge of what is usual (Huber's rule), so that one wild
  window moves little; the prior counts as one more window when the middle is sought.
* What varies is never taken as less than what repeats of one measurement vary by.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from math import exp, log, sqrt, tanh
from typing import Final

from costpolicy.perf.uncertainty import QUANTILE, LogError, Margins, Uncertainty

TTFT_FLOOR: Final = 0.035
"""Standard deviation of the log of TTFT over repeats: 3 to 4 % (pairs of published rows that differ only in the output
length, 42 pairs)."""

INTER_TOKEN_FLOOR: Final = 0.015
"""The same of inter-token latency: 1 to 2 %."""

TTFT_VARIATION: Final = 1.0
"""Coefficient of variation of TTFT over the requests of a window (p95 over median is 1.5 to 3.2, median 2.2)."""

INTER_TOKEN_VARIATION: Final = 0.3
"""Coefficient of variation of the inter-token latency over requests, widely taken (p95 over median 1.02 to 1.26)."""

CORRELATION_TIME: Final = timedelta(hours=6)
"""Time in which the error of a window is forgotten: about half a working day, set by hand.  24 windows of an hour, seven
hours apart, count as 13."""

MIN_REQUESTS: Final = 20
"""A window with fewer requests says nothing: the mean of so few has a skewed logarithm."""

CONFIDENT: Final = 0.75
"""From this confidence on a calibration may narrow a margin; below it may only widen it.  About three independent
windows, which is a day and a half of windows seven hours apart."""

_MOST: Final = 3.0
"""A window is off by at most this factor, up or down: beyond it something is broken or overloaded, which no correction
of a prediction describes."""

PRIOR_WINDOWS: Final = 4.0
"""Effective windows that the prior of what varies is worth."""

_USUAL: Final = 2.5
"""Standard deviations from the middle at which a window is clipped."""

_UNSURE: Final = 1.0 - CONFIDENT + 1e-6
"""Share of the prior's variance at which confidence is just too little to narrow a margin."""

_LEAST_VARIANCE: Final = 1e-6
_TIE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One window: mean latencies observed over those predicted at the window's own load; ``None`` is not known.

    Attributes:
        at: end of the window.
        requests: how many requests the means are of, over all replicas.
    """

    at: datetime
    requests: float
    ttft: float | None
    inter_token: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is believed of one latency of one deployment.  Means and variances are of ``ln(observed / predicted)``.

    Attributes:
        floor: standard deviation that repeats of one measurement have.
        mean: of the deployment's own constant; ``variance`` is how well that is known.
        varies: variance from window to window.
        prior_variance: of the constant, before anything was measured.
    """

    prior: LogError
    floor: float
    mean: float
    variance: float
    varies: float
    prior_variance: float

    @property
    def factor(self) -> float:
        """What a prediction is multiplied by to be the best estimate."""
        return exp(self.mean)

    @property
    def margin(self) -> float:
        """What the corrected prediction is multiplied by to be a promise; at least that of the floor."""
        return exp(QUANTILE * sqrt(self.variance + self.varies))

    @property
    def confidence(self) -> float:
        """Share of the prior's variance that the evidence removed, 0 to 1."""
        return 1.0 - self.variance / self.prior_variance

    @property
    def allowance(self) -> float:
        """What a prediction is multiplied by where a plan relies on it.

        With little confidence at least the prior's margin, so that a few windows can only widen it.  Never less than
        the floor's margin: a deployment that is faster than predicted at the load it has seen need not be at a
        higher one, so no plan relies on it.
        """
        own = max(self.factor * self.margin, exp(QUANTILE * self.floor))
        return own if self.confidence >= CONFIDENT else max(own, self.prior.margin)

    def inherited(self) -> "Correction":
        """Return what this says about the same engine with other settings: the same, but too little to narrow a margin.

        So none of them looks better than the measured one only because it was not measured.
        """
        return replace(self, variance=max(self.variance, _UNSURE * self.prior_variance))

    def transferred(self, prior: LogError, correlation: float) -> "Correction":
        """Return what this says about another deployment whose constant correlates with this one's (0 to 1)."""
        start = correction(prior, self.floor, ())
        scale = correlation * sqrt(start.prior_variance / self.prior_variance)
        return Correction(
            prior=prior,
            floor=self.floor,
            mean=prior.bias + scale * (self.mean - self.prior.bias),
            variance=start.prior_variance * (1.0 - correlation**2 * self.confidence),
            varies=start.varies,
            prior_variance=start.prior_variance,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What is believed of a deployment's latencies, and what it rests on.

    Attributes:
        kv_factor: KV-cache tokens that the engine reported over those predicted; ``None``: it did not say.
        saturation: requests that saturated replicas served over those predicted, at most 1; ``None``: none was seen.
        samples: windows that were used.
        reason: what it rests on, in words.
    """

    ttft: Correction
    inter_token: Correction
    kv_factor: float | None
    samples: int
    reason: str
    saturation: float | None = None

    @property
    def confidence(self) -> float:
        """Confidence in the less well known of both latencies, 0 to 1."""
        return min(self.ttft.confidence, self.inter_token.confidence)

    @property
    def margins(self) -> Margins:
        """What predictions are multiplied by where a plan relies on them."""
        return Margins(ttft=self.ttft.allowance, inter_token=self.inter_token.allowance, source=self.reason)

    def inherited(self) -> "Calibration":
        """Return what this says about the same engine with other settings."""
        return replace(
            self,
            ttft=self.ttft.inherited(),
            inter_token=self.inter_token.inherited(),
            kv_factor=None if self.kv_factor is None else min(self.kv_factor, 1.0),
            reason=f"{self.reason}, with other settings",
        )

    def transferred(self, prior: Uncertainty, correlation: float) -> "Calibration":
        """Return what this says about another configuration; start-up facts are of this one alone."""
        return Calibration(
            ttft=self.ttft.transferred(prior.ttft, correlation),
            inter_token=self.inter_token.transferred(prior.inter_token, correlation),
            kv_factor=None,
            saturation=None if self.saturation is None else self.saturation**correlation,
            samples=self.samples,
            reason=f"{prior.source}; {self.reason} of another configuration, correlation {correlation:g}",
        )


def calibrate(
    prior: Uncertainty,
    comparisons: Iterable[Comparison] = (),
    kv_factor: float | None = None,
    saturation: float | None = None,
) -> Calibration:
    """Return what a deployment's windows say; without any, the prior.

    The order of the windows does not matter.  A ratio of a window must be more than 0.  Of ``saturation``, served over
    predicted, only what is less than predicted is believed: that no more could be served is seen, that more could is not.
    """
    used = [each for each in comparisons if each.requests >= MIN_REQUESTS]
    ttft = [_window(each, each.ttft, TTFT_VARIATION) for each in used if each.ttft]
    inter_token = [_window(each, each.inter_token, INTER_TOKEN_VARIATION) for each in used if each.inter_token]
    samples = max(len(ttft), len(inter_token))
    return Calibration(
        ttft=correction(prior.ttft, TTFT_FLOOR, ttft),
        inter_token=correction(prior.inter_token, INTER_TOKEN_FLOOR, inter_token),
        kv_factor=kv_factor,
        saturation=None if saturation is None else min(max(saturation, 1.0 / _MOST), 1.0),
        samples=samples,
        reason=f"{samples} windows of the deployment itself" if samples else prior.source,
    )


@dataclass(frozen=True, slots=True)
class _Window:
    """One window: its end, the log of observed over predicted, and the variance of that by the number of requests."""

    at: datetime
    error: float
    noise: float


def _window(of: Comparison, ratio: float, variation: float) -> _Window:
    return _Window(of.at, log(min(max(ratio, 1.0 / _MOST), _MOST)), variation**2 / of.requests)


def correction(prior: LogError, floor: float, windows: Sequence[_Window]) -> Correction:
    """Return what windows say about one latency, starting from the prior of the family."""
    varies = max(prior.sigma**2 / 2.0, floor**2)
    start = max(prior.sigma**2 - varies, _LEAST_VARIANCE)
    if not windows:
        return _correction(prior, floor, (prior.bias, start), varies, start)
    ordered = sorted(windows, key=lambda window: (window.at, window.error, window.noise))
    weights = independent_weights([window.at for window in ordered])
    middle = _middle([(window.error, weight) for window, weight in zip(ordered, weights, strict=True)], prior.bias)
    usual = [_USUAL * sqrt(varies + window.noise) for window in ordered]
    errors = [
        min(max(window.error, middle - reach), middle + reach) for window, reach in zip(ordered, usual, strict=True)
    ]
    seen = sum(
        weight * max(0.0, (error - middle) ** 2 - window.noise)
        for window, error, weight in zip(ordered, errors, weights, strict=True)
    )
    # One degree of freedom went into the middle.
    varies = max((PRIOR_WINDOWS * varies + seen) / (PRIOR_WINDOWS + sum(weights) - 1.0), floor**2)
    precisions = [weight / (varies + window.noise) for window, weight in zip(ordered, weights, strict=True)]
    precision = 1.0 / start + sum(precisions)
    total = prior.bias / start + sum(each * error for each, error in zip(precisions, errors, strict=True))
    return _correction(prior, floor, (total / precision, 1.0 / precision), varies, start)


def _correction(
    prior: LogError, floor: float, constant: tuple[float, float], varies: float, start: float
) -> Correction:
    mean, variance = constant
    return Correction(prior=prior, floor=floor, mean=mean, variance=variance, varies=varies, prior_variance=start)


def independent_weights(times: Sequence[datetime]) -> list[float]:
    """Return what each window counts, by its gaps to the neighbours; the sum is their effective number."""
    gaps = [tanh((later - earlier) / CORRELATION_TIME / 2.0) for earlier, later in pairwise(times)]
    return [(before + after) / 2.0 for before, after in zip([1.0, *gaps], [*gaps, 1.0], strict=True)]


def _middle(errors: Sequence[tuple[float, float]], bias: float) -> float:
    """Return the weighted median of the errors and of the prior as one more window, which wins a tie."""
    ordered = sorted([*errors, (bias, 1.0)])
    half = sum(weight for _, weight in ordered) / 2.0
    reached = accumulate(weight for _, weight in ordered)
    place = next(index for index, weight in enumerate(reached) if weight >= half - _TIE)
    value = ordered[place][0]
    tied = abs(sum(weight for _, weight in ordered[: place + 1]) - half) <= _TIE
    return min((value, ordered[place + 1][0]), key=lambda each: abs(each - bias)) if tied else value
