"""What a change takes, in sentences: hardware first, then numbers, then settings."""

from collections.abc import Iterator

from costpolicy.planning.configuration import Configuration
from costpolicy.planning.plan import Target

_SETTINGS = (
    ("max_num_seqs", "--max-num-seqs"),
    ("max_num_batched_tokens", "--max-num-batched-tokens"),
    ("gpu_memory_utilization", "--gpu-memory-utilization"),
    ("api_servers", "--api-server-count"),
    ("stream_interval", "--stream-interval"),
)


def steps(running: Configuration, replicas: int, target: Target, asked: int | None = None) -> Iterator[str]:
    """Yield what is different in a target from what runs; ``asked`` are the accelerators that a pod asks for."""
    planned = target.configuration
    yield from _hardware(running, planned)
    needed = planned.accelerators_per_replica
    if asked is not None and asked != needed == running.accelerators_per_replica:
        yield f"ask for {needed} accelerators a pod instead of {asked}"
    if target.replicas != replicas:
        yield f"run {target.replicas} replica{'s' if target.replicas != 1 else ''} instead of {replicas}"
    if planned.weights != running.weights:
        how = "quantized while loading" if planned.online_quantization else "of a checkpoint"
        yield f"serve {planned.weights} weights ({how}) instead of {running.weights}"
    if planned.kv_cache_dtype != running.kv_cache_dtype:
        yield f"keep the KV cache in {planned.kv_cache_dtype} instead of {running.kv_cache_dtype}"
    if planned.proposer != running.proposer:
        yield "stop speculative decoding" if planned.proposer is None else f"speculate by {planned.proposer.label}"
    yield from _settings(running, planned)


def _hardware(running: Configuration, planned: Configuration) -> Iterator[str]:
    before, after = (
        f"{one.accelerators_per_replica} {one.accelerator} {one.capacity_type}" for one in (running, planned)
    )
    if before != after:
        yield f"give a replica {after} instead of {before}"
    elif (running.tensor_parallel_size, running.data_parallel_size) != (
        planned.tensor_parallel_size,
        planned.data_parallel_size,
    ):
        yield f"split a replica into {planned.data_parallel_size} ranks of {planned.tensor_parallel_size} accelerators"


def _settings(running: Configuration, planned: Configuration) -> Iterator[str]:
    for field, flag in _SETTINGS:
        before, after = getattr(running, field), getattr(planned, field)
        if before != after:
            yield f"take {flag} out" if after is None else f"set {flag}={after}"
