"""Latency histograms whose boundaries include the objectives.

Prometheus interpolates inside a bucket; an objective on a boundary is answered exactly ("at most 5 % were
slower").
"""

import json
from datetime import timedelta
from typing import Final

from costpolicy.api.policy import LatencyObjective, Objectives
from costpolicy.units import parse_duration

# Default boundaries in seconds, vLLM 0.32.0, v1/metrics/buckets.py; 0.33.0 has the same.
TTFT_BOUNDARIES: Final = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
    1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
INTER_TOKEN_BOUNDARIES: Final = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75,
    1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip


def custom_buckets(objectives: Objectives) -> str | None:
    """Return the value of ``--custom-histogram-buckets``, or ``None`` where the engine's boundaries will
    do."""
    families = {
        "inter_token_latency": _with(INTER_TOKEN_BOUNDARIES, objectives.inter_token_latency),
        "time_to_first_token": _with(TTFT_BOUNDARIES, objectives.ttft),
    }
    changed = {family: boundaries for family, boundaries in families.items() if boundaries is not None}
    return json.dumps(changed, separators=(",", ":")) if changed else None


def _with(boundaries: tuple[float, ...], objective: LatencyObjective | None) -> list[float] | None:
    if objective is None:
        return None
    seconds = parse_duration(objective.p95) / timedelta(seconds=1)
    if seconds in boundaries:
        return None
    return sorted((*boundaries, seconds))
