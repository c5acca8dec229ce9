"""guidellm as the load generator.

Source of the fields: the schemas of guidellm 0.8.1 (``guidellm/schemas``); what is rendered here was run with that
release against vLLM 0.32.0.
"""

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

_IMAGE: Final = "ghcr.io/vllm-project/guidellm:v0.8.1"
"""Releases are published under their tag (``release.yml`` of the project)."""

_PROMPTS_AHEAD: Final = 256
"""The default of 4,096 are made before the first is sent, in every stage."""


def guidellm(target: LoadTarget, load: CalibrationLoad) -> LoadProgram:
    """Return guidellm with Poisson arrivals, one run a rate.

    Runs of their own leave a pause between rates and end the Job at the first that is refused.  Each has a seed of its
    own: two runs with the same seed ask the same prompts, which the engine then has cached.
    """
    stages = {
        f"stage-{number}.yml": yaml.safe_dump(_scenario(target, load, rate, number), sort_keys=False)
        for number, rate in enumerate(load.rates, start=1)
    }
    check = failure_check(
        "sys.argv[1]",
        'report["benchmarks"][0]["metrics"]["request_totals"]["errored"]',
        'report["benchmarks"][0]["metrics"]["request_totals"]["successful"]',
    )
    numbers = " ".join(str(number) for number in range(1, len(load.rates) + 1))
    run = f"guidellm run --config {CONFIGURATION_PATH}/stage-$stage.yml --disable-console-interactive"
    # The image's entry point names the program by its path; a shell finds it in either way.
    command = (
        f'PATH="$PATH:/opt/app-root/bin"; for stage in {numbers}; do'
        f" {run} && python3 {CONFIGURATION_PATH}/check.py {_report('$stage')} || exit 1;"
        f" sleep {round(PAUSE.total_seconds())}; done"
    )
    return LoadProgram(
        name="guidellm",
        image=_IMAGE,
        files={**stages, "check.py": check},
        command=command,
        environment={"GUIDELLM__MAX_WORKER_PROCESSES": str(WORKERS)},
    )


def _report(stage: str) -> str:
    return f"{TEMPORARY_PATH}/results/stage-{stage}.json"


def _scenario(target: LoadTarget, load: CalibrationLoad, rate: float, seed: int) -> dict[str, Any]:
    return {
        "spec": {
            "backend": {
                "kind": "openai_http",
                "target": target.url,
                "model": target.model,
                "request_format": "/v1/completions",
                "http2": False,  # vLLM speaks HTTP/1.1
            },
            "tokenizer": {"kind": "huggingface_auto", "model": target.tokenizer},
            "profile": {"kind": "poisson", "rate": [rate], "max_concurrency": load.in_flight},
            "constraints": [{"kind": "max_duration", "seconds": round(STAGE.total_seconds())}],
            "data": [_data(load)],
            "data_loader": {"kind": "pytorch", "prefetch_factor": _PROMPTS_AHEAD},
            "seed": {"kind": "static", "value": seed},
            "metrics": {"kind": "generative", "sample_size": 0},  # texts of requests are not for a report
            "outputs": [{"kind": "console"}, {"kind": "json", "path": _report(str(seed))}],
        }
    }


def _data(load: CalibrationLoad) -> dict[str, Any]:
    shared = {"prefix_count": 1, "prefix_tokens": load.shared_tokens} if load.shared_tokens else {}
    return {
        "kind": "synthetic_text",
        **_distribution("prompt_tokens", load.question),
        **_distribution("output_tokens", load.output),
        **shared,
    }


def _distribution(name: str, lengths: Lengths) -> dict[str, int]:
    # A deviation of 0 is refused; without one all lengths are the mean.
    deviation = {f"{name}_stdev": lengths.deviation} if lengths.deviation else {}
    return {name: lengths.mean, **deviation, f"{name}_min": lengths.shortest, f"{name}_max": lengths.longest}
