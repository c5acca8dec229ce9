"""Predicted over simulated latency under random arrivals: the cases, the comparison, and a table of it.

``PYTHONPATH=tests python -m random_arrivals`` prints the table of the whole grid (ten minutes), then that of engines that
speculate (an hour). A step takes as long
in the simulation as in the prediction, and the API server takes no time: what is compared is queues and percentiles.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import exp, log
from random import Random

from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.models import models
from costpolicy.perf.constants import KV_HEADROOM, MAX_THROUGHPUT_SHARE
from costpolicy.perf.crossing import NEARLY_IDLE, running_at
from costpolicy.perf.latency import Latency, Saturated
from costpolicy.perf.load import flow_at, loaded, reduced
from costpolicy.perf.open_loop import open_loop
from costpolicy.perf.service import service
from costpolicy.perf.shape import EngineShape, Workload
from costpolicy.perf.speculation import Draft, Speculation, eagle_head
from costpolicy.simulation.replica.arrivals import ClosedLoop, OpenLoop
from costpolicy.simulation.replica.outcome import Outcome
from costpolicy.simulation.replica.requests import Lengths
from costpolicy.simulation.replica.run import Engine, Length, simulate
from costpolicy.simulation.replica.scheduler import Limits
from costpolicy.simulation.replica.speculation import Proposals

FIGURES = tuple(product(("ttft", "inter_token"), ("mean", "p50", "p95", "p99")))
LOADS = (0.2, 0.5, 0.7, 0.85)
NO_API_SERVER = 10**6


def make_shape(model: str, accelerator: str, ranks: int, weights: str, **settings: int) -> EngineShape:
    architecture = models().resolve(model)
    assert architecture is not None
    limits = {"max_num_seqs": 1024, "max_num_batched_tokens": 8192, "max_model_len": 65536} | settings
    return EngineShape(
        model=architecture,
        accelerator=accelerators()[accelerator],
        tensor_parallel_size=ranks,
        weights=WeightFormat(weights),
        kv_cache_dtype=KvCacheDtype.AUTO,
        api_servers=NO_API_SERVER,
        **limits,
    )


SHAPES = {
    "8B H100": make_shape("meta-llama/Llama-3.1-8B", "nvidia-h100-80gb", 1, "bf16"),
    "8B L4": make_shape(
        "meta-llama/Llama-3.1-8B", "nvidia-l4", 1, "bf16", max_num_seqs=256, max_num_batched_tokens=2048
    ),
    "8B H100, 32 seats": make_shape("meta-llama/Llama-3.1-8B", "nvidia-h100-80gb", 1, "bf16", max_num_seqs=32),
    "32B 2xH100": make_shape("Qwen/Qwen3-32B", "nvidia-h100-80gb", 2, "bf16"),
    "70B FP8 2xH100": make_shape("meta-llama/Llama-3.1-70B", "nvidia-h100-80gb", 2, "fp8"),
    "70B FP8 4xH100": make_shape("meta-llama/Llama-3.1-70B", "nvidia-h100-80gb", 4, "fp8"),
}


def with_eagle(shape: EngineShape, acceptance: float, tokens: int = 3) -> EngineShape:
    """The same with so many tokens of an EAGLE head proposed a step."""
    head = eagle_head(shape.model)
    assert head is not None
    draft = Draft(model=head, weights=WeightFormat.BF16, shares_head=True)
    return replace(shape, speculation=Speculation(tokens=tokens, acceptance=acceptance, draft=draft))


SPECULATING = {
    "8B H100, EAGLE at 0.44": with_eagle(SHAPES["8B H100"], 0.44),
    "8B H100, EAGLE at 0.7": with_eagle(SHAPES["8B H100"], 0.7),
    "8B L4, EAGLE at 0.44": with_eagle(SHAPES["8B L4"], 0.44),
    "70B FP8 2xH100, EAGLE at 0.44": with_eagle(SHAPES["70B FP8 2xH100"], 0.44),
}
ENGINES = SHAPES | SPECULATING
WORKLOADS = {
    "chat": Workload(prompt_tokens=1200, output_tokens=200),
    "prefix hits": Workload(prompt_tokens=1200, output_tokens=200, cached_tokens=1008),
    "long prompts": Workload(prompt_tokens=6000, output_tokens=200),
    "long answers": Workload(prompt_tokens=300, output_tokens=1000),
    "much KV cache": Workload(prompt_tokens=3000, output_tokens=900),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An engine, its requests, and the load as a share of the highest rate."""

    shape: str
    requests: str
    length_cv: float
    arrival_cv: float
    load: float

    @property
    def workload(self) -> Workload:
        return replace(WORKLOADS[self.requests], length_cv=self.length_cv, arrival_cv=self.arrival_cv)

    @property
    def rate(self) -> float:
        limit = open_loop(ENGINES[self.shape], self.workload, 1e9)
        assert isinstance(limit, Saturated)
        return limit.capacity * self.load


def grid(shapes: Iterable[str] = SHAPES) -> Iterator[Case]:
    """Yield every case whose plan would be allowed: the KV cache is not strained."""
    for shape, requests, length_cv, arrival_cv, share in product(shapes, WORKLOADS, (0.3, 1.0), (0.5, 1.0, 2.0), LOADS):
        case = Case(shape=shape, requests=requests, length_cv=length_cv, arrival_cv=arrival_cv, load=share)
        if plannable(case):
            yield case


def plannable(case: Case) -> bool:
    """Return whether a plan may load a replica so: as ``capacity`` limits it, objectives aside."""
    replica = reduced(ENGINES[case.shape], case.workload)
    most, highest = replica.saturation
    rate = case.load * highest
    ends = flow_at(replica, NEARLY_IDLE).rate, highest
    running = running_at(rate, lambda n: flow_at(replica, n).rate, most, ends)
    load = loaded(replica, running)
    seats = (load.running + load.fluctuation + 1.0) / (replica.served.kv_seats + 1.0)
    return case.load <= MAX_THROUGHPUT_SHARE and seats <= KV_HEADROOM


def served(
    shape: EngineShape, workload: Workload, process: OpenLoop | ClosedLoop, length: Length, seed: int
) -> Outcome:
    """Return what the simulated scheduler makes of a workload."""
    reduction = service(shape, workload)
    shared = int(workload.cached_tokens) // 16 * 16
    engine = Engine(
        limits=Limits(
            max_num_seqs=shape.max_num_seqs,
            max_num_batched_tokens=shape.max_num_batched_tokens,
            kv_cache_tokens=reduction.memory.kv_cache_tokens,
            shared_tokens=shared,
        ),
        step_seconds=reduction.cost.seconds,
        overhead=reduction.first_token_overhead,
        proposals=proposals_of(shape),
    )
    lengths = Lengths(
        prompt_tokens=workload.prompt_tokens - shared,
        output_tokens=workload.output_tokens,
        shared_tokens=shared,
        cv=workload.length_cv,
        longest=min(shape.max_model_len, reduction.memory.kv_cache_tokens - 16),
    )
    return simulate(engine, lengths, process, length, Random(seed))


def proposals_of(shape: EngineShape) -> Proposals | None:
    """What the simulated engine proposes, where the predicted one does."""
    speculation = shape.speculation
    return None if speculation is None else Proposals(tokens=speculation.tokens, acceptance=speculation.acceptance)


def errors(case: Case, requests: int, seed: int) -> dict[tuple[str, str], float]:
    """Return the logarithm of predicted over simulated, by latency and figure."""
    shape = ENGINES[case.shape]
    predicted = open_loop(shape, case.workload, case.rate)
    assert isinstance(predicted, Latency)
    outcome = served(shape, case.workload, OpenLoop(case.rate, case.arrival_cv), Length(requests=requests), seed)
    simulated = {"ttft": outcome.ttft(), "inter_token": outcome.inter_token()}
    return {
        (latency, figure): log(getattr(getattr(predicted, latency), figure) / getattr(simulated[latency], figure))
        for latency, figure in FIGURES
    }


def spread(values: Iterable[float]) -> tuple[float, float, float]:
    """Return the 10th percentile, the median and the 90th percentile of logarithms, as ratios."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return tuple(exp(ordered[round(share * last)]) for share in (0.1, 0.5, 0.9))


def size(values: Iterable[float]) -> tuple[float, float]:
    """Return the median and the 90th percentile of the sizes of logarithms."""
    ordered = sorted(abs(value) for value in values)
    last = len(ordered) - 1
    return ordered[round(0.5 * last)], ordered[round(0.9 * last)]


def table(found: dict[Case, dict[tuple[str, str], float]], key: Callable[[Case], object]) -> str:
    """Return predicted over simulated by a property of the cases: median, 10th to 90th percentile."""
    lines = ["| | cases | " + " | ".join(f"{latency} {figure}" for latency, figure in FIGURES) + " |"]
    lines.append("|---" * (len(FIGURES) + 2) + "|")
    for value in sorted({key(case) for case in found}, key=str):
        group = [errors for case, errors in found.items() if key(case) == value]
        cells = []
        for figure in FIGURES:
            low, middle, high = spread(errors[figure] for errors in group)
            cells.append(f"{middle:.2f} ({low:.2f}-{high:.2f})")
        lines.append(f"| {value} | {len(group)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def compared(cases: Iterable[Case], requests: int) -> dict[Case, dict[tuple[str, str], float]]:
    """Return the errors of every case; busier and burstier ones are simulated for longer."""
    return {
        case: errors(case, round(requests * (2 if case.load > 0.8 else 1) * max(1.0, case.arrival_cv)), seed)
        for seed, case in enumerate(cases)
    }


if __name__ == "__main__":
    for shapes, requests in ((SHAPES, 4000), (SPECULATING, 2000)):
        results = compared(grid(shapes), requests)
        for name in ("load", "arrival_cv", "length_cv", "requests", "shape"):
            print(f"\n{name}\n" + table(results, lambda case, name=name: getattr(case, name)))
