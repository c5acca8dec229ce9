"""What evaluations asked is no load of clients: it is left out of what the engines' metrics say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from costpolicy.observe.observation import Figure, PolicyObservation, VariantObservation
from costpolicy.observe.source import Missing
from costpolicy.quality.result import Arm
from costpolicy.reconcile.evaluations import Asked, Asking, Examination
from costpolicy.reconcile.snapshot import MetricsDown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """What one evaluation adds to the rates that are read of a variant."""

    requests_per_second: float
    prompt_tokens: float
    output_tokens: float


def without_evaluations(
    observed: PolicyObservation | MetricsDown,
    evaluations: Mapping[str, Examination],
    window: timedelta,
    now: datetime,
) -> PolicyObservation | MetricsDown:
    """Return an observation less what finished evaluations asked.

    Args:
        observed: as read; its rates are means over ``window``.
        evaluations: of the policy.  What one that still runs has asked is known when it ends.
        window: of rates.
        now: end of that window.
    """
    over = [one for one in evaluations.values() if isinstance(one, Asked) and now - one.ended < window]
    if isinstance(observed, MetricsDown) or not over:
        return observed
    return replace(observed, variants=tuple(_without(variant, over, window, now) for variant in observed.variants))


def disturbs(evaluations: Mapping[str, Examination], window: timedelta, now: datetime) -> bool:
    """Return whether rates hold what an evaluation asked, which may not be known exactly: nothing is taken away then."""
    return any(
        isinstance(one, Asking) or (isinstance(one, Asked) and now - one.ended < window) for one in evaluations.values()
    )


def _without(
    variant: VariantObservation, over: Iterable[Asked], window: timedelta, now: datetime
) -> VariantObservation:
    left = variant
    for asked in over:
        result, contest = asked.result, asked.contest
        for hash_, arm in ((contest.baseline, result.baseline), (contest.canary, result.canary)):
            if hash_ == variant.variant:
                left = _less(left, _share(asked, arm, window, now))
    return left


def _share(asked: Asked, arm: Arm, window: timedelta, now: datetime) -> _Share:
    pairs, took = asked.result.counts.pairs, max(asked.took, timedelta(seconds=1))
    seen = max(min(asked.ended, now) - max(asked.began, now - window), timedelta(0))
    return _Share(
        requests_per_second=pairs * (seen / took) / window.total_seconds(),
        prompt_tokens=arm.prompt_tokens / (pairs or 1),
        output_tokens=arm.output_tokens / (pairs or 1),
    )


def _less(variant: VariantObservation, share: _Share) -> VariantObservation:
    rate = variant.requests_per_second
    if isinstance(rate, Missing):
        return variant
    left = max(rate - share.requests_per_second, 0.0)
    return replace(
        variant,
        requests_per_second=left,
        prompt_tokens=_mean(variant.prompt_tokens, rate, share.prompt_tokens, left),
        output_tokens=_mean(variant.output_tokens, rate, share.output_tokens, left),
    )


def _mean(mean: Figure, rate: float, taken: float, left: float) -> Figure:
    """Return the mean of what is left; that of all where too little is left to tell."""
    if isinstance(mean, Missing) or left < rate / 10:
        return mean
    return max((mean * rate - taken * (rate - left)) / left, 1.0)
