"""The questions about engines, one function each: pure text of PromQL for the whole fleet at once.

Every answer is split by ``namespace, policy, variant``.  Rates are per second, times in seconds, ratios 0 to
1. A mean or quantile of no requests is NaN in Prometheus, which the adapter drops, so that it reads as
missing.
"""

from collections.abc import Callable
from typing import Final

from costpolicy.observe.answers import LONG, AnswerFigure
from costpolicy.observe.attribution import POLICY, VARIANT, engines, exported, pods, variants
from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.exported import BUILD_INFO, GPUS, PRICE_PER_HOUR, PROPOSER_INFO, Recorded
from costpolicy.observe.routes import route_traffic
from costpolicy.observe.scope import Scope, promql_duration
from costpolicy.observe.window import WindowFigure

WINDOW_STEP: Final = "7h"
"""Distance of the hours that are compared with predictions.  With 24 it has no common factor, so that over seven days each
hour of the day is met; a subquery is evaluated at multiples of it, so that what was read stays the same until the next."""

COST_WINDOW: Final = "168h"
COST_STEP: Final = "3h"
"""Of each policy's cost a week is read, in steps that find nights off (:mod:`costpolicy.savings.month`)."""

HISTORY_STEP: Final = "10m"
"""How exactly the beginning of history is located."""


def _rate(scope: Scope) -> Callable[[str], str]:
    window = promql_duration(scope.rate_window)
    return lambda selector: f"rate({selector}[{window}])"


def increase(scope: Scope) -> Callable[[str], str]:
    """Return a measure: how much a counter grew in the window of shapes."""
    window = promql_duration(scope.shape_window)
    return lambda selector: f"increase({selector}[{window}])"


def _now(selector: str) -> str:
    return selector


def requests_offered(scope: Scope) -> str:
    """Requests that arrived per second, served or not.

    vLLM counts a request when its first token leaves, so a saturated engine's counters show its capacity and
    not its load.  What arrived is what got its first token, plus the growth of the queue, plus what was
    refused at a queue limit.  A draining queue is subtracted for the same reason: its requests arrived
    earlier.  The queue of an engine that restarted within the window was lost, not drained, and is left out.

    Not seen: requests that hung up while queued (vLLM drops every trace of them), and what a router holds
    back.  A preempted request is counted once more while it waits again; that errs upwards, under KV-cache
    pressure only.
    """
    window = promql_duration(scope.rate_window)
    seconds = f"{scope.rate_window.total_seconds():g}"
    keys = scope.on(*VARIANT, "pod", "engine")
    started = variants(scope, f"{EngineMetric.TTFT}_count", _rate(scope))
    growth = engines(scope, EngineMetric.WAITING, lambda selector: f"delta({selector}[{window}])")
    restarted = engines(scope, f"{EngineMetric.TTFT}_count", lambda selector: f"resets({selector}[{window}])")
    queued = f"sum {scope.by(*VARIANT)} (({growth} unless {keys} {restarted} > 0) / {seconds})"
    refused = f"sum {scope.by(*VARIANT)} ({variants(scope, EngineMetric.REJECTED, _rate(scope), 'reason')})"
    parts = f"{tagged('started', started)} or {tagged('queued', queued)} or {tagged('refused', refused)}"
    return f"clamp_min(sum {scope.by(*VARIANT)} ({parts}), 0)"


def tagged(part: str, expression: str, label: str = "part") -> str:
    """Return the expression with a label, so that ``or`` keeps several parts apart and a sum adds what
    exists."""
    return f'label_replace({expression}, "{label}", "{part}", "", "")'


def requests_finished(scope: Scope) -> str:
    """Requests that finished per second, split by ``finished_reason``; disconnected clients are under
    none."""
    return variants(scope, EngineMetric.FINISHED, _rate(scope), "finished_reason")


def prompt_tokens(scope: Scope) -> str:
    """Mean prompt tokens of a finished request, cached ones included."""
    return _mean(scope, EngineMetric.REQUEST_PROMPT_TOKENS)


def output_tokens(scope: Scope) -> str:
    """Mean generated tokens of a finished request."""
    return _mean(scope, EngineMetric.REQUEST_OUTPUT_TOKENS)


def answers(scope: Scope) -> str:
    """The same, and by ``figure`` what else is known of answers (:class:`costpolicy.observe.answers.AnswerFigure`): one
    question for all of it.
    """
    generated, answered = (
        variants(scope, metric, increase(scope))
        for metric in (EngineMetric.GENERATED_TOKENS, f"{EngineMetric.REQUEST_OUTPUT_TOKENS}_sum")
    )
    lengths = variants(scope, f"{EngineMetric.REQUEST_OUTPUT_TOKENS}_bucket", increase(scope), "le")
    parts = {
        AnswerFigure.LIMIT: _mean(scope, EngineMetric.REQUEST_LIMIT),
        AnswerFigure.LONG: f"histogram_quantile({LONG}, {lengths})",
        AnswerFigure.ABANDONED: f"clamp_min(1 - {answered} / ({generated} > 0), 0)",
    }
    extra = " or ".join(tagged(figure, expression, "figure") for figure, expression in parts.items())
    return f"{output_tokens(scope)} or {extra}"


def _mean(scope: Scope, histogram: EngineMetric) -> str:
    total = variants(scope, f"{histogram}_sum", increase(scope))
    return f"{total} / {variants(scope, f'{histogram}_count', increase(scope))}"


def prefix_hit_ratio(scope: Scope) -> str:
    """Share of prompt tokens found in the prefix cache."""
    hits = variants(scope, EngineMetric.PREFIX_HITS, increase(scope))
    return f"{hits} / {variants(scope, EngineMetric.PREFIX_QUERIES, increase(scope))}"


def generated_tokens(scope: Scope) -> str:
    """Tokens generated per second, for whomever."""
    return variants(scope, EngineMetric.GENERATED_TOKENS, _rate(scope))


def latency_buckets(scope: Scope, histogram: EngineMetric) -> str:
    """Requests (or tokens) per second by bucket of a latency, split by ``le``, cumulative."""
    return variants(scope, f"{histogram}_bucket", _rate(scope), "le")


def latency_quantile(scope: Scope, histogram: EngineMetric, quantile: float) -> str:
    """A quantile of a latency in seconds, interpolated inside its bucket; variants never share a histogram."""
    return f"histogram_quantile({quantile}, {latency_buckets(scope, histogram)})"


def waiting(scope: Scope) -> str:
    """Requests queued now, over all engines; preempted ones included."""
    return variants(scope, EngineMetric.WAITING, _now)


def running(scope: Scope) -> str:
    """Requests in execution batches now, over all engines."""
    return variants(scope, EngineMetric.RUNNING, _now)


def kv_cache_usage(scope: Scope) -> str:
    """Share of the KV cache in use: mean over the rate window and over the replicas.

    Of the data-parallel ranks of a replica the fullest counts: it is the one that preempts, whatever the others have left.
    """
    window = promql_duration(scope.rate_window)
    measure: Callable[[str], str] = lambda selector: f"avg_over_time({selector}[{window}])"  # noqa: E731
    return f"avg {scope.by(*VARIANT)} ({pods(scope, EngineMetric.KV_CACHE_USAGE, measure)})"


def kv_cache_size(scope: Scope) -> str:
    """Engines by KV-cache size: the size in tokens is the label ``kv_cache_size_tokens``, the value a
    count.  Each data-parallel rank is an engine and reports its own (seen of 0.32.0)."""
    return variants(scope, EngineMetric.CACHE_CONFIG, _now, "kv_cache_size_tokens")


def preemptions(scope: Scope) -> str:
    """Preemptions per second."""
    return variants(scope, EngineMetric.PREEMPTIONS, _rate(scope))


def pods_up(scope: Scope) -> str:
    """Engine pods whose last scrape succeeded; fewer than the ready replicas means that load is
    under-read."""
    return f"sum {scope.by(*VARIANT)} ({pods(scope, 'up', _now)})"


def last_sample(scope: Scope) -> str:
    """Time of the newest engine sample, in Unix seconds."""
    return variants(scope, EngineMetric.RUNNING, lambda selector: f"timestamp({selector})", combine="max")


def accelerators(scope: Scope) -> str:
    """Accelerators held now, split by ``state``."""
    return f"sum {scope.by(*VARIANT, 'state')} ({exported(scope, GPUS)})"


def cost_per_hour(scope: Scope) -> str:
    """Cost per hour of the accelerators held now, whatever they are doing, split by ``currency``."""
    priced = scope.on(*VARIANT, "accelerator", "capacity_type")
    price = f"topk {scope.by(*VARIANT, 'accelerator', 'capacity_type')} (1, {exported(scope, PRICE_PER_HOUR)})"
    return f"sum {scope.by(*VARIANT, 'currency')} ({exported(scope, GPUS)} * {priced} group_left (currency) {price})"


def history_begin(scope: Scope) -> str:
    """Time of a policy's oldest recorded rate within the window, in Unix seconds (``namespace, policy``).

    A subquery is evaluated at multiples of its step; until the first one, history begins with the newest sample.
    """
    history = f"timestamp({scope.selector(Recorded.POLICY_REQUESTS_OFFERED)})"
    oldest = f"min_over_time({history}[{promql_duration(scope.window)}:{HISTORY_STEP}])"
    return f"min {scope.by(*POLICY)} ({oldest} or {history})"


def hour(scope: Scope) -> str:
    """The past hour of each variant, by ``figure``: what the chart's rules record.

    Args:
        scope: with an hour as both of its windows.

    Replicas that came or went within the hour count by the share of it that they were scraped in.  Without an engine that
    was there at its beginning the requests are absent, and with them the window: warming up is no steady state.
    """
    window = promql_duration(scope.shape_window)
    present: Callable[[str], str] = lambda selector: f"count_over_time({selector}[{window}])"  # noqa: E731
    before: Callable[[str], str] = lambda selector: f"{selector} offset {window}"  # noqa: E731
    scraped = pods(scope, EngineMetric.RUNNING, present)
    seen = [f"{combine} {scope.by(*VARIANT)} ({scraped})" for combine in ("sum", "max")]
    begun = f"and {scope.on(*VARIANT)} {variants(scope, EngineMetric.RUNNING, before)}"
    parts = {
        WindowFigure.REQUESTS: f"({variants(scope, f'{EngineMetric.TTFT}_count', increase(scope))} {begun})",
        WindowFigure.ENGINES: f"{seen[0]} / {seen[1]}",
        WindowFigure.PROMPT_TOKENS: prompt_tokens(scope),
        WindowFigure.OUTPUT_TOKENS: output_tokens(scope),
        WindowFigure.PREFIX_HIT_RATIO: prefix_hit_ratio(scope),
        WindowFigure.TTFT: _mean(scope, EngineMetric.TTFT),
        WindowFigure.INTER_TOKEN: _mean(scope, EngineMetric.INTER_TOKEN),
        WindowFigure.DECODE_STEPS: _of_proposers(scope, f"{EngineMetric.INTER_TOKEN}_count"),
        WindowFigure.PROPOSED_TOKENS: _of_proposers(scope, EngineMetric.PROPOSED_TOKENS),
        WindowFigure.ACCEPTED_TOKENS: _of_proposers(scope, EngineMetric.ACCEPTED_TOKENS),
    }
    return " or ".join(tagged(figure, expression, "figure") for figure, expression in parts.items())


def _of_proposers(scope: Scope, counter: str) -> str:
    """Return how much a counter grew, of variants that speculate, with the label ``proposer``."""
    proposer = f"topk {scope.by(*VARIANT)} (1, {exported(scope, PROPOSER_INFO)})"
    return f"{variants(scope, counter, increase(scope))} * {scope.on(*VARIANT)} group_left (proposer) {proposer}"


def cost_by_time(scope: Scope) -> str:
    """Cost per hour of each policy over the last week, ``COST_STEP`` apart, split by ``currency``.

    A policy without accelerators has no series; the sample without labels, which is there while an operator was scraped,
    tells such times from those of which nothing is known.
    """
    cost = f"max {scope.by(*POLICY, 'currency')} ({scope.selector(Recorded.POLICY_COST_PER_HOUR)})"
    return f"({cost} or max({scope.selector(Recorded.OPERATORS)}))[{COST_WINDOW}:{COST_STEP}]"


def load_windows(scope: Scope) -> str:
    """Recorded hours of each variant over the window, ``WINDOW_STEP`` apart: one sample for each hour and ``figure``."""
    recorded = f"max {scope.by(*VARIANT, 'figure', 'proposer')} ({scope.selector(Recorded.LOAD_AND_LATENCY)})"
    return f"({recorded})[{promql_duration(scope.window)}:{WINDOW_STEP}]"


def installation(scope: Scope) -> str:
    """What Prometheus sees of the installation (``fact="operator"`` scraped, ``fact="rules"`` evaluated), and what routers count:
    one question for both, told apart by their labels.
    """
    operators = f"count({scope.selector(BUILD_INFO.name)})"
    rules = f"max({scope.selector(Recorded.OPERATORS)})"
    return f"{tagged('operator', operators, 'fact')} or {tagged('rules', rules, 'fact')} or {route_traffic(scope)}"
