"""The questions about saturated engines, beside those of :mod:`costpolicy.observe.queries`."""

from collections.abc import Callable

from costpolicy.observe.attribution import POLICY, VARIANT, engines, exported
from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.exported import VARIANT_INFO, Recorded
from costpolicy.observe.queries import output_tokens, prefix_hit_ratio, prompt_tokens, tagged
from costpolicy.observe.saturation import SaturationFigure
from costpolicy.observe.scope import Scope, promql_duration

_REMEMBERED = 2
"""Windows over which saturation is remembered.  Once capacity is known no engine is saturated any more, and what is
forgotten has to be learnt by saturating one again; Prometheus is asked to keep two windows anyway."""


def saturated_requests(scope: Scope) -> str:
    """First tokens per second and replica of engines that were saturated over the rate window, with their ``kernels``.

    Saturated is a replica of which no queue was ever empty, and the queues grew: more came than it could take, so what it
    served is what it can.  One that has not been there for the whole window is left out, because its rate is under-read;
    so is one that serves nothing, because it hangs.
    """
    window = promql_duration(scope.rate_window)
    measures: dict[str, tuple[str, str, Callable[[str], str]]] = {
        "served": ("sum", f"{EngineMetric.TTFT}_count", lambda selector: f"rate({selector}[{window}])"),
        "least": ("min", EngineMetric.WAITING, lambda selector: f"min_over_time({selector}[{window}])"),
        "growth": ("sum", EngineMetric.WAITING, lambda selector: f"delta({selector}[{window}])"),
        "before": ("min", EngineMetric.WAITING, lambda selector: f"{selector} offset {window}"),
    }
    of = {
        name: f"{combine} {scope.by(*VARIANT, 'pod')} ({engines(scope, metric, measure)})"
        for name, (combine, metric, measure) in measures.items()
    }
    same = f"and {scope.on(*VARIANT, 'pod')}"
    pods = f"({of['served']}) > 0 {same} ({of['least']}) > 0 {same} ({of['growth']}) > 0 {same} ({of['before']})"
    return f"avg {scope.by(*VARIANT)} ({pods}) {_kernels(scope)}"


def saturated_shape(scope: Scope) -> str:
    """What the requests of a variant were like while :func:`saturated_requests` holds, by ``figure``."""
    shapes = {
        SaturationFigure.PROMPT_TOKENS: prompt_tokens(scope),
        SaturationFigure.OUTPUT_TOKENS: output_tokens(scope),
        SaturationFigure.PREFIX_HIT_RATIO: prefix_hit_ratio(scope),
    }
    tokens = " or ".join(tagged(figure, expression, "figure") for figure, expression in shapes.items())
    saturated = f"and {scope.on(*VARIANT)} {scope.selector(Recorded.SATURATED_REQUESTS)}"
    return f"(({tokens}) {saturated}) {_kernels(scope)}"


def _kernels(scope: Scope) -> str:
    info = f"topk {scope.by(*VARIANT)} (1, {exported(scope, VARIANT_INFO)})"
    return f"* {scope.on(*VARIANT)} group_left (kernels) {info}"


def saturation(scope: Scope) -> str:
    """What was recorded of saturated engines, by ``figure`` and by ``kernels``, whatever variant they were of.

    The median of the requests, because a few of those minutes are of engines that were slow for another reason; means of
    what they were like.
    """
    by = scope.by(*POLICY, "kernels")
    window = promql_duration(_REMEMBERED * scope.window)
    requests = f"{scope.selector(Recorded.SATURATED_REQUESTS)}[{window}]"
    shape = f"{scope.selector(Recorded.SATURATED_SHAPE)}[{window}]"
    by_figure = scope.by(*POLICY, "kernels", "figure")
    minutes = f"sum {by} (count_over_time({requests}))"
    median = f"avg {by} (quantile_over_time(0.5, {requests}))"
    means = f"sum {by_figure} (sum_over_time({shape})) / sum {by_figure} (count_over_time({shape}))"
    return (
        f"{tagged(SaturationFigure.MINUTES, minutes, 'figure')} or {tagged(SaturationFigure.REQUESTS, median, 'figure')}"
        f" or {means}"
    )
