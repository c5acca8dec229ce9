"""A plan as JSON: money as decimal strings, times, ratios and rates as numbers (names fixed by the design)."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from costpolicy.manifests.arguments import engine_arguments
from costpolicy.manifests.timing import DEFAULT_GRACE
from costpolicy.perf.latency import Latency
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.plan import Candidate, Target

if TYPE_CHECKING:
    from costpolicy.cli.offline import Planned


def plan_json(planned: "Planned", shown: int | None) -> dict[str, Any]:
    """Return a plan; ``shown`` limits the candidates (the chosen one is always among them), ``None`` gives all."""
    plan = planned.plan
    candidates = plan.candidates
    if shown is not None and len(candidates) > shown:
        order = sorted(candidates, key=lambda one: one.verdict != "Chosen")
        candidates = tuple(order[:shown])
    return {
        "target": target_json(planned, plan.target),
        "recommended": target_json(planned, plan.recommended),
        "uncappedTarget": target_json(planned, plan.uncapped),
        "settings": list(plan.settings),
        "whyNotCheaper": plan.why_not_cheaper,
        "infeasible": asdict(plan.infeasible) if plan.infeasible else None,
        "assumedTraffic": plan.demand.assumed,
        "currency": planned.request.currency,
        "candidates": [_candidate(planned, candidate) for candidate in candidates],
    }


def target_json(planned: "Planned", target: Target | None) -> dict[str, Any] | None:
    """Return a target with the arguments that its engines would get."""
    if target is None:
        return None
    per_million = target.cost_per_million_tokens(planned.plan.demand)
    return {
        **_configuration(target.configuration),
        "replicas": target.replicas,
        "args": list(engine_arguments(planned.policy, target.configuration, planned.inputs.engine, DEFAULT_GRACE)),
        "costPerHour": target.cost_per_hour.text(),
        "marginalCostPerHour": target.marginal_cost_per_hour.text(),
        "interruptionCostPerHour": target.interruption_cost_per_hour.text(),
        "costPerMillionTokens": per_million.text() if per_million else None,
        "assumedTraffic": planned.plan.demand.assumed,
        "predicted": {
            **_latency(target.predicted),
            "outputTokensPerSecond": target.predicted.output_tokens_per_second * target.replicas,
            "kvCacheTokens": int(target.memory.kv_cache_tokens),
            "weightsBytes": int(target.memory.weights_bytes),
        },
    }


def _candidate(planned: "Planned", candidate: Candidate) -> dict[str, Any]:
    full = target_json(planned, candidate.target) if candidate.target else _configuration(candidate.configuration)
    return {
        **(full or {}),
        "costFloor": candidate.cost_floor.text(),
        "verdict": candidate.verdict.value,
        "reason": candidate.reason,
        "message": candidate.message,
    }


def _configuration(configuration: Configuration) -> dict[str, Any]:
    return {
        "accelerator": configuration.accelerator,
        "capacityType": configuration.capacity_type.value,
        "acceleratorsPerReplica": configuration.accelerators_per_replica,
        "tensorParallelSize": configuration.tensor_parallel_size,
        "dataParallelSize": configuration.data_parallel_size,
        "weights": configuration.weights.value,
        "kvCacheDtype": configuration.kv_cache_dtype.value,
        "maxNumSeqs": configuration.max_num_seqs,
        "maxNumBatchedTokens": configuration.max_num_batched_tokens,
        "maxModelLen": configuration.max_model_len,
        "gpuMemoryUtilization": configuration.gpu_memory_utilization,
        "apiServers": configuration.api_servers,
        "streamInterval": configuration.stream_interval,
        "speculativeDecoding": asdict(configuration.proposer) if configuration.proposer else None,
    }


def _latency(latency: Latency) -> dict[str, Any]:
    ttft, inter_token = latency.ttft, latency.inter_token
    return {
        "ttftSeconds": {"mean": ttft.mean, "p50": ttft.p50, "p95": ttft.p95},
        "interTokenLatencySeconds": {
            "mean": inter_token.mean,
            "p50": inter_token.p50,
            "p95": inter_token.p95,
        },
    }
