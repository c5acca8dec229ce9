"""What changes in the metrics of a policy while only its load moves, read from scrapes instead of asked for.

Most looks of a week see nothing else.  What is read here is what the questions would be answered (a test compares both); where
anything else may have changed nothing is read, and the questions are asked.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from costpolicy.observe.ahead import expected_rises
from costpolicy.observe.days import DAY, WHOLE, high_rate
from costpolicy.observe.latency import Tail
from costpolicy.observe.observation import PolicyObservation, VariantObservation
from costpolicy.observe.source import Missing
from costpolicy.simulation.answers import plain, tail
from costpolicy.simulation.metrics import Answered, SimulatedMetrics
from costpolicy.simulation.scrape import Scrape

_FIGURES: Final = ("requests_offered", "waiting", "prompt_tokens", "output_tokens", "prefix_hit_ratio")


def glance(
    before: PolicyObservation,
    known: Answered,
    newest: Answered,
    metrics: SimulatedMetrics,
    now: datetime,
    max_age: timedelta,
) -> PolicyObservation | None:
    """Return an observation as it is now, but for what no replica loop reads; ``None`` where it has to be asked for.

    Args:
        before: an earlier observation.
        known: what that depended on.
        newest: what it depends on now.
        metrics: as they are now.
        now: the time.
        max_age: an engine that was scraped longer ago is not acted on.
    """
    key = before.namespace, before.policy
    span = metrics.span(key, now)
    if not newest.is_whole or newest.recorded != known.recorded or not _is_as_long(before.span, span):
        return None
    scrapes = {variant[2]: metrics.series(variant) for variant, _ in newest.engines}
    if len(scrapes) != len(before.variants):
        return None
    variants = []
    for one in before.variants:
        seen = _seen(one, scrapes.get(one.variant, ()), now - max_age)
        if seen is None:
            return None
        variants.append(seen)
    rate = high_rate(dict(newest.rates), span)
    if rate is None:
        return None
    return replace(
        before,
        variants=tuple(variants),
        requests_per_second_p95=rate,
        span=span,
        saturations=before.saturations if newest.saturated == known.saturated else metrics.saturations(key),
        rises=expected_rises({(horizon, ago): rose for horizon, ago, rose in newest.rises}),
    )


def _is_as_long(before: timedelta | Missing, now: timedelta) -> bool:
    """Return whether histories are weighed alike."""
    return not isinstance(before, Missing) and (before < DAY, before < WHOLE) == (now < DAY, now < WHOLE)


def _seen(before: VariantObservation, series: Sequence[Scrape], fresh_after: datetime) -> VariantObservation | None:
    """Return a variant as it is now; ``None`` where it is not seen, serves nothing or has been otherwise before."""
    if not series or not before.fresh or not isinstance(before.ttft, Tail):
        return None
    last = series[-1]
    offered, waiting, prompt, output, hits = (plain(name, series) for name in _FIGURES)
    if last.at < fresh_after or offered is None or waiting is None or prompt is None or output is None or hits is None:
        return None
    return replace(
        before,
        requests_per_second=offered,
        waiting=waiting,
        prompt_tokens=prompt,
        output_tokens=output,
        prefix_hit_ratio=hits,
        cached_tokens=prompt * hits,
        ttft=tail("ttft_buckets", last),
        inter_token=tail("inter_token_buckets", last),
        pods_up=last.replicas,
        last_sample=last.at,
    )
