"""inference-perf as the load generator.

Source of the fields: the schema of inference-perf 0.7.0 (``inference_perf/config``); what is rendered here was run with
that release against vLLM 0.32.0.
"""

import math
from typing import Any, Final

import yaml

from costpolicy.manifests.calibration_load import (
    CONFIGURATION_PATH,
    PAUSE,
    STAGE,
    WORKERS,
    CalibrationLoad,
    Lengths,
    LoadProgram,
    LoadTarget,
    failure_check,
)
from costpolicy.manifests.mounts import TEMPORARY_PATH

_IMAGE: Final = "quay.io/inference-perf/inference-perf:v0.7.0"
"""Releases are published under their tag (``publish-on-release.yml`` of the project)."""

_RESULTS_PATH: Final = f"{TEMPORARY_PATH}/results"
_MOST_PROMPTS: Final = 20_000
"""Those with a shared prefix are made before the first is sent: some 10 ms each."""


def inference_perf(target: LoadTarget, load: CalibrationLoad) -> LoadProgram:
    """Return inference-perf with Poisson arrivals, one stage a rate."""
    check = failure_check(
        f'"{_RESULTS_PATH}/summary_lifecycle_metrics.json"',
        'report["failures"]["count"]',
        'report["successes"]["count"]',
    )
    return LoadProgram(
        name="inference-perf",
        image=_IMAGE,
        files={"config.yml": yaml.safe_dump(_configuration(target, load), sort_keys=False), "check.py": check},
        # Reports end in the log: the pod's volumes go with it.
        command=f"inference-perf --config_file {CONFIGURATION_PATH}/config.yml"
        f" && cat {_RESULTS_PATH}/*.json && python3 {CONFIGURATION_PATH}/check.py",
        environment={},
    )


def _configuration(target: LoadTarget, load: CalibrationLoad) -> dict[str, Any]:
    seconds = round(STAGE.total_seconds())
    return {
        "api": {"type": "completion", "streaming": True},
        "server": {"type": "vllm", "model_name": target.model, "base_url": target.url, "ignore_eos": True},
        "tokenizer": {"pretrained_model_name_or_path": target.tokenizer},
        "load": {
            "type": "poisson",
            "interval": PAUSE.total_seconds(),
            "stages": [{"rate": rate, "duration": seconds} for rate in load.rates],
            "num_workers": WORKERS,
            "worker_max_concurrency": math.ceil(load.in_flight / WORKERS),
            "base_seed": 1,
        },
        "data": _data(load),
        "report": {"request_lifecycle": {"per_adapter": False}},
        "storage": {"local_storage": {"path": _RESULTS_PATH}},
    }


def _data(load: CalibrationLoad) -> dict[str, Any]:
    # Each prompt once, as far as that is possible: one that is asked again is cached as a whole.
    prompts = min(math.ceil(sum(load.rates) * STAGE.total_seconds()), _MOST_PROMPTS)
    question, output = _distribution(load.question), _distribution(load.output)
    if load.shared_tokens < 1:
        return {
            "type": "random",
            "input_distribution": {**question, "total_count": prompts},
            "output_distribution": {**output, "total_count": prompts},
        }
    return {
        "type": "shared_prefix",
        "shared_prefix": {
            "num_unique_system_prompts": 1,
            "num_users_per_system_prompt": prompts,
            "system_prompt_len": load.shared_tokens,
            "question_len": question,
            "output_len": output,
        },
    }


def _distribution(lengths: Lengths) -> dict[str, Any]:
    return {
        "type": "normal",
        "mean": float(lengths.mean),
        "std_dev": float(lengths.deviation),
        "min": lengths.shortest,
        "max": lengths.longest,
    }
