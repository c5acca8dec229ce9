"""The question about days, and the rule that it reads, beside those of :mod:`costpolicy.observe.queries`."""

from collections.abc import Callable, Mapping
from typing import Final

from costpolicy.observe.ahead import DAYS_BEFORE, HORIZONS, WEEKS_BEFORE
from costpolicy.observe.attribution import POLICY, variants
from costpolicy.observe.days import DAY, DAYS, HIGH, WEEK, WEEKLY, Stretch
from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.exported import Recorded
from costpolicy.observe.queries import increase, tagged
from costpolicy.observe.scope import Scope, promql_duration
from costpolicy.observe.shapes import QUIET, ShapeFigure

HOURS: Final = "1h"
"""Shapes are read at each full hour of a day: what is recorded there are means over the hour before."""


def over_days(scope: Scope) -> str:
    """What a configuration is chosen for, by ``stretch`` of a policy's history (``namespace, policy``): high quantiles of its
    offered five-minute rates, and with ``figure`` of its hours' requests; and with ``horizon`` how far the rate rose after
    this time of other days, for which replicas are got ready.

    One question, so that the number of them stays what it is.
    """
    return f"{offered_over_days(scope)} or {shapes_over_days(scope)} or {rises_before(scope)}"


def offered_over_days(scope: Scope) -> str:
    """High quantiles of a policy's offered five-minute rates."""
    history = scope.selector(Recorded.POLICY_REQUESTS_OFFERED)
    return _any_of(_stretches(scope, lambda days: f"{history}[{days}]"), scope.by(*POLICY))


def shapes_over_days(scope: Scope) -> str:
    """The same of the means of its hours' requests, by ``figure``."""
    history = scope.selector(Recorded.REQUEST_SHAPE)
    return _any_of(_stretches(scope, lambda days: f"{history}[{days}:{HOURS}]"), scope.by(*POLICY, "figure"))


def rises_before(scope: Scope) -> str:
    """How far the five-minute rate rose above that of this time within the minutes after it, on days before, by ``horizon``
    and ``ago``."""
    history = scope.selector(Recorded.POLICY_REQUESTS_OFFERED)
    parts = []
    for ago in (*DAYS_BEFORE, *WEEKS_BEFORE):
        for horizon in HORIZONS:
            ahead = promql_duration(horizon)
            most = f"max_over_time({history}[{ahead}] offset {promql_duration(ago - horizon)})"
            rise = f"max {scope.by(*POLICY)} ({most} - {history} offset {promql_duration(ago)})"
            of_policies = tagged(ahead, rise, "horizon")
            parts.append(tagged(promql_duration(ago), of_policies, "ago"))
    return " or ".join(parts)


def _stretches(scope: Scope, over: Callable[[str], str]) -> Mapping[Stretch, str]:
    """Return what is asked of each stretch of history; ``over`` is the history over a time that ends now.

    Days end now, and not at midnight of some time zone.  A day that lies outside the window is not asked for.
    """
    parts = {
        Stretch.MOST: f"max_over_time({over(promql_duration(min(DAY, scope.window)))})",
        Stretch.ALL: f"quantile_over_time({HIGH}, {over(promql_duration(scope.window))})",
    }
    for stretch, (ago, quantile) in DAYS.items():
        # What is compared with a week ago lies in part before the window: Prometheus is asked to keep two of them.
        if (scope.window >= WEEK) if stretch in WEEKLY else (ago + 1) * DAY <= scope.window:
            offset = f" offset {promql_duration(ago * DAY)}" if ago else ""
            parts[stretch] = f"quantile_over_time({quantile}, {over(promql_duration(DAY))}{offset})"
    return parts


def _any_of(parts: Mapping[Stretch, str], by: str) -> str:
    return " or ".join(tagged(stretch, f"max {by} ({expression})", "stretch") for stretch, expression in parts.items())


def shape_of_an_hour(scope: Scope) -> str:
    """Means of the past hour's requests of each policy, by ``figure``: what the chart's rules record.

    Hours in which hardly anything was asked are left out.  Where the engine does not say what its prefix cache held, all of the
    prompt counts as computed.

    Args:
        scope: with an hour as its windows.
    """
    prompt, output = (
        _ratio(scope, f"{metric}_sum", f"{metric}_count")
        for metric in (EngineMetric.REQUEST_PROMPT_TOKENS, EngineMetric.REQUEST_OUTPUT_TOKENS)
    )
    hits = _ratio(scope, EngineMetric.PREFIX_HITS, EngineMetric.PREFIX_QUERIES)
    parts = {
        ShapeFigure.PROMPT_TOKENS: f"{prompt} > 0",
        ShapeFigure.COMPUTED_TOKENS: f"({prompt} * clamp_min(1 - {hits}, 0) or {prompt}) >= 0",
        ShapeFigure.OUTPUT_TOKENS: f"{output} > 0",
    }
    figures = " or ".join(tagged(figure, expression, "figure") for figure, expression in parts.items())
    offered = scope.selector(Recorded.POLICY_REQUESTS_OFFERED)
    hour, day = (f"avg_over_time({offered}[{promql_duration(span)}])" for span in (scope.shape_window, DAY))
    return f"({figures}) and {scope.on(*POLICY)} ({hour} > {QUIET} * {day})"


def _ratio(scope: Scope, above: str, below: str) -> str:
    total, count = (f"sum {scope.by(*POLICY)} ({variants(scope, each, increase(scope))})" for each in (above, below))
    return f"({total} / {count})"
