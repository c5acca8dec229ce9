"""Measurements of real engines in tests/data/measurements, as shapes with workloads the model can be asked about.

What the published tables do not say (how long a run was, how lengths were drawn) is stated here, once: these are
inputs of a comparison and no part of the model of a live service.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.models import models
from costpolicy.perf.shape import EngineShape, Workload

DATA = Path(__file__).parent / "data" / "measurements"
INFERENCEMAX_MEAN = 0.9
INFERENCEMAX_CV = 0.2 / 12**0.5 / INFERENCEMAX_MEAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measurement: what ran, and seconds (mean where the source has means, else median and p95)."""

    name: str
    source: str
    shape: EngineShape
    workload: Workload
    concurrency: float
    rate: float
    rounds: float | None
    ttft: float
    inter_token: float
    ttft_p95: float = 0.0
    inter_token_p95: float = 0.0
    output_tokens_per_second: float = 0.0
    kv_cache_tokens: int = 0
    weights_gib: float = 0.0


def make_shape(
    model: str = "meta-llama/Llama-3.1-8B",
    accelerator: str = "nvidia-h100-80gb",
    ranks: int = 1,
    weights: str = "bf16",
    kv_cache: str = "auto",
    *,
    max_num_seqs: int = 1024,
    max_num_batched_tokens: int = 8192,
    max_model_len: int = 8192,
    gpu_memory_utilization: float = 0.92,
    **host: int,
) -> EngineShape:
    architecture = models().resolve(model)
    assert architecture is not None, model
    return EngineShape(
        model=architecture,
        accelerator=accelerators()[accelerator],
        tensor_parallel_size=ranks,
        weights=WeightFormat(weights),
        kv_cache_dtype=KvCacheDtype(kv_cache),
        max_num_seqs=max_num_seqs,
        max_num_batched_tokens=max_num_batched_tokens,
        max_model_len=max_model_len,
        gpu_memory_utilization=gpu_memory_utilization,
        **host,
    )


def published() -> tuple[Measured, ...]:
    """119 published rows; vLLM before 0.20 took 0.9 of the memory."""
    with (DATA / "silicon.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if _trusted(row)]
    return tuple(_published(row) for row in rows)


def own() -> tuple[Measured, ...]:
    """Our own lines, vLLM 0.25.1: closed loops (``rate`` 0) and Poisson arrivals (``concurrency`` 0)."""
    found = []
    for accelerator in ("nvidia-h100-80gb", "nvidia-h200"):
        path = DATA / f"{accelerator.split('-')[1]}.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        found += [_own(line, accelerator) for line in lines if line["n"] and line["ttft"]["50"] is not None]
    return tuple(found)


def _trusted(row: dict[str, str]) -> bool:
    return row["model_path"] == "meta-llama/Llama-3.1-70B" or (
        row["model_path"] == "Qwen/Qwen3-32B" and row["precision"] != "fp8"
    )


def _published(row: dict[str, str]) -> Measured:
    qwen = row["model_path"] == "Qwen/Qwen3-32B"
    scale = 1.0 if qwen else INFERENCEMAX_MEAN
    shape = make_shape(
        row["model_path"],
        {"h100_sxm": "nvidia-h100-80gb", "h200_sxm": "nvidia-h200"}[row["system"]],
        int(float(row["tp_size"])),
        "bf16" if qwen else "fp8",
        max_model_len=16384,
        gpu_memory_utilization=0.9,
    )
    return Measured(
        source="published",
        name=" ".join(row[key] for key in ("system", "model_path", "isl", "osl", "batch_size", "tp_size")),
        shape=shape,
        workload=Workload(
            prompt_tokens=scale * float(row["isl"]),
            output_tokens=scale * float(row["osl"]),
            length_cv=0.0 if qwen else INFERENCEMAX_CV,
        ),
        concurrency=float(row["batch_size"]),
        rate=0.0,
        rounds=10.0,
        ttft=float(row["silicon_ttft_ms"]) / 1000,
        inter_token=float(row["silicon_tpot_ms"]) / 1000,
    )


def _own(line: dict[str, Any], accelerator: str) -> Measured:
    fp8 = "fp8" in str(line["name"])
    facts = line["facts"]
    return Measured(
        source="own",
        name=f"{accelerator} {line['name']} {line['workload']} x {line['conc']} rate {line['rate']}",
        shape=make_shape(
            {"llama8b": "meta-llama/Llama-3.1-8B", "qwen32b": "Qwen/Qwen3-32B"}[line["model"]],
            accelerator,
            weights="fp8" if fp8 else "bf16",
            kv_cache="fp8" if fp8 else "auto",
            max_num_seqs=32 if "seqs32" in str(line["name"]) else 1024,
        ),
        workload=Workload(
            prompt_tokens=1200, output_tokens=200, cached_tokens=1000 if line["workload"] == "chat" else 0
        ),
        concurrency=line["conc"],
        rate=line["rate"],
        rounds=None,
        ttft=line["ttft"]["50"],
        inter_token=line["tpot"]["50"],
        ttft_p95=line["ttft"]["95"],
        inter_token_p95=line["tpot"]["95"],
        output_tokens_per_second=line["out_tok_s"],
        kv_cache_tokens=int(facts["kv_tokens"][0].replace(",", "")),
        weights_gib=float(facts["weights_gib"][0]),
    )
