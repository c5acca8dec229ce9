"""The page that vLLM 0.32 would show: names, types, labels, help texts and bucket boundaries as recorded from
it.

``tests/unit/observe/test_standin.py`` compares them with the recorded expositions in ``tests/data/vllm``.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from standin.engine import Engine, Request

LATENCY = (
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0,
    480.0, 960.0, 1920.0, 7680.0,
)  # fmt: skip
TTFT = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
INTER_TOKEN = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0,
    40.0, 80.0,
)  # fmt: skip
TOKENS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0)

GAUGES = {
    "vllm:num_requests_running": "Number of requests in model execution batches.",
    "vllm:num_requests_waiting": "Number of requests waiting to be processed.",
    "vllm:kv_cache_usage_perc": "KV-cache usage. 1 means 100 percent usage.",
    "vllm:cache_config_info": "Information of the LLMEngine CacheConfig",
}
COUNTERS = {
    "vllm:prefix_cache_queries_total": "Prefix cache queries, in terms of number of queried tokens.",
    "vllm:prefix_cache_hits_total": "Prefix cache hits, in terms of number of cached tokens.",
    "vllm:num_preemptions_total": "Cumulative number of preemption from the engine.",
    "vllm:prompt_tokens_total": "Number of prefill tokens processed.",
    "vllm:prompt_tokens_by_source_total": "Number of prompt tokens by source.",
    "vllm:generation_tokens_total": "Number of generation tokens processed.",
    "vllm:request_success_total": "Count of successfully processed requests.",
}
HISTOGRAMS = {
    "vllm:request_prompt_tokens": ("Number of prefill tokens processed.", TOKENS),
    "vllm:request_generation_tokens": ("Number of generation tokens processed.", TOKENS),
    "vllm:request_prefill_kv_computed_tokens": (
        "Histogram of new KV tokens computed during prefill (excluding cached tokens).",
        TOKENS,
    ),
    "vllm:request_params_max_tokens": ("Histogram of the max_tokens request parameter.", TOKENS),
    "vllm:time_to_first_token_seconds": ("Histogram of time to first token in seconds.", TTFT),
    "vllm:inter_token_latency_seconds": ("Histogram of inter-token latency in seconds.", INTER_TOKEN),
    "vllm:e2e_request_latency_seconds": ("Histogram of e2e request latency in seconds.", LATENCY),
    "vllm:request_queue_time_seconds": ("Histogram of time spent in WAITING phase for request.", LATENCY),
}
FINISHED_REASONS = ("stop", "length", "abort", "error", "repetition")


@dataclass
class Histogram:
    """Counts by bucket, as prometheus_client keeps them."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        if not self.counts:
            self.counts = [0] * (len(self.bounds) + 1)
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times

    def samples(self) -> Iterator[tuple[str, dict[str, str], float]]:
        seen = 0
        counts = self.counts or [0] * (len(self.bounds) + 1)
        for bound, count in zip((*self.bounds, float("inf")), counts, strict=True):
            seen += count
            yield "_bucket", {"le": "+Inf" if bound == float("inf") else str(bound)}, seen
        yield "_count", {}, seen
        yield "_sum", {}, self.total


class Meter:
    """What one engine has counted since it started."""

    def __init__(self) -> None:
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.computed = 0
        self.histograms = {name: Histogram(bounds) for name, (_, bounds) in HISTOGRAMS.items()}

    def scheduled(self, request: Request, cached: int, seconds: float) -> None:
        self.counters["vllm:prompt_tokens_total"] += request.prompt_tokens
        self.counters["vllm:prefix_cache_queries_total"] += request.prompt_tokens
        self.counters["vllm:prefix_cache_hits_total"] += cached
        self.computed += request.computed
        self.histograms["vllm:request_queue_time_seconds"].observe(seconds)

    def first_token(self, seconds: float) -> None:
        self.counters["vllm:generation_tokens_total"] += 1
        self.histograms["vllm:time_to_first_token_seconds"].observe(seconds)

    def tokens(self, count: int, seconds: float) -> None:
        self.counters["vllm:generation_tokens_total"] += count
        self.histograms["vllm:inter_token_latency_seconds"].observe(seconds, count)

    def finished(self, request: Request, now: float) -> None:
        self.counters["vllm:request_success_total"] += 1
        self.histograms["vllm:request_prompt_tokens"].observe(request.prompt_tokens)
        self.histograms["vllm:request_generation_tokens"].observe(request.generated)
        # Every answer ends at its limit, as the reason says.
        self.histograms["vllm:request_params_max_tokens"].observe(request.generated)
        self.histograms["vllm:request_prefill_kv_computed_tokens"].observe(request.computed)
        self.histograms["vllm:e2e_request_latency_seconds"].observe(now - request.arrived)

    def counter_samples(self, name: str) -> Iterator[tuple[dict[str, str], float]]:
        value = self.counters[name]
        match name:
            case "vllm:request_success_total":
                for reason in FINISHED_REASONS:
                    yield {"finished_reason": reason}, value if reason == "length" else 0
            case "vllm:prompt_tokens_by_source_total":
                yield {"source": "local_compute"}, self.computed
                yield {"source": "local_cache_hit"}, self.counters["vllm:prefix_cache_hits_total"]
                yield {"source": "external_kv_transfer"}, 0
            case _:
                yield {}, value


@dataclass(frozen=True)
class Shown:
    """One engine with its meter and the labels of its pod."""

    target: Mapping[str, str]
    model: str
    engine: Engine
    meter: Meter

    def gauge(self, name: str) -> tuple[dict[str, str], float]:
        kv_tokens = self.engine.speed.kv_tokens
        match name:
            case "vllm:num_requests_running":
                return {"model_name": self.model}, len(self.engine.running)
            case "vllm:num_requests_waiting":
                waiting = sum(request.arrived <= self.engine.now for request in self.engine.waiting)
                return {"model_name": self.model}, waiting
            case "vllm:kv_cache_usage_perc":
                return {"model_name": self.model}, self.engine.kv_used / kv_tokens
            case _:
                sizes = {"block_size": "16", "num_gpu_blocks": str(kv_tokens // 16)}
                return {**sizes, "kv_cache_size_tokens": str(kv_tokens), "enable_prefix_caching": "True"}, 1


def page(engines: Iterable[Shown]) -> str:
    """Return the text of ``/metrics`` for all engines."""
    shown = list(engines)
    lines = ["# HELP up Whether the pod could be scraped.", "# TYPE up gauge"]
    lines += [_line("up", one.target, 1) for one in shown]
    for name, text in GAUGES.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        for one in shown:
            labels, value = one.gauge(name)
            lines.append(_line(name, {**one.target, "engine": "0", **labels}, value))
    for name, text in COUNTERS.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} counter"]
        for one in shown:
            base = {**one.target, "engine": "0", "model_name": one.model}
            lines += [_line(name, {**base, **labels}, value) for labels, value in one.meter.counter_samples(name)]
    for name, (text, _) in HISTOGRAMS.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} histogram"]
        for one in shown:
            base = {**one.target, "engine": "0", "model_name": one.model}
            samples = one.meter.histograms[name].samples()
            lines += [_line(name + suffix, {**base, **labels}, value) for suffix, labels, value in samples]
    return "\n".join([*lines, ""])


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {float(value)}"
