"""What is asked of Prometheus in one cycle, whatever the number of policies."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Final

from costpolicy.observe import queries
from costpolicy.observe.day_queries import over_days
from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.saturation_queries import saturation
from costpolicy.observe.scope import Scope

MAX_QUERIES: Final = 25
"""Instant queries of a cycle, at most; a test counts them."""

QUESTIONS: Final[Mapping[str, Callable[[Scope], str]]] = {
    "requests_offered": queries.requests_offered,
    "requests_finished": queries.requests_finished,
    "prompt_tokens": queries.prompt_tokens,
    "output_tokens": queries.answers,
    "prefix_hit_ratio": queries.prefix_hit_ratio,
    "generated_tokens": queries.generated_tokens,
    "ttft_buckets": partial(queries.latency_buckets, histogram=EngineMetric.TTFT),
    "inter_token_buckets": partial(queries.latency_buckets, histogram=EngineMetric.INTER_TOKEN),
    "request_inter_token_buckets": partial(queries.latency_buckets, histogram=EngineMetric.REQUEST_INTER_TOKEN),
    "waiting": queries.waiting,
    "running": queries.running,
    "kv_cache_usage": queries.kv_cache_usage,
    "kv_cache_size": queries.kv_cache_size,
    "preemptions": queries.preemptions,
    "pods_up": queries.pods_up,
    "last_sample": queries.last_sample,
    "accelerators": queries.accelerators,
    "cost_per_hour": queries.cost_per_hour,
    "over_days": over_days,
    "history_begin": queries.history_begin,
    "load_windows": queries.load_windows,
    "saturation": saturation,
    "cost_by_time": queries.cost_by_time,
    "installation": queries.installation,
}


@lru_cache(maxsize=8)
def questions(scope: Scope) -> Mapping[str, str]:
    """Return the text of each question."""
    return {name: ask(scope) for name, ask in QUESTIONS.items()}
