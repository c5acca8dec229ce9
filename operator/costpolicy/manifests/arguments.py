"""The arguments of ``vllm serve``: what the plan decided, where it differs from the engine's own default.

A flag that an engine version does not know kills it at start (exit code 2), so every flag that came or went
between the supported versions is asked for in the version's catalogue first. Arguments read ``--flag=value``,
one word each.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from costpolicy.api.policy import CostPolicy
from costpolicy.api.types import KvCacheDtype, OutputLengthMode, TechniqueMode
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import Engine
from costpolicy.manifests.histograms import custom_buckets
from costpolicy.manifests.timing import DEFAULT_GRACE, drain_of
from costpolicy.manifests.weights import model_of, served_path, served_source
from costpolicy.planning.configuration import Configuration, Proposer

PROBED_ENDPOINTS: Final = "/health,/metrics,/ping"
"""Requests of the kubelet and of Prometheus, some ten thousand a day and pod: not worth a log line each."""

OWNED_ARGUMENTS: Final = frozenset(
    {
        # which model, and in which numbers
        "--model",
        "--served-model-name",
        "--revision",
        "--dtype",
        "--quantization",
        "--quantization-config",
        "--kv-cache-dtype",
        "--speculative-config",
        "--spec-method",
        "--spec-model",
        "--spec-tokens",
        # how many accelerators
        "--tensor-parallel-size",
        "--pipeline-parallel-size",
        "--data-parallel-size",
        "--enable-expert-parallel",
        # what fits and what is worked on at once
        "--max-model-len",
        "--max-num-seqs",
        "--max-num-batched-tokens",
        "--gpu-memory-utilization",
        "--api-server-count",
        "--stream-interval",
        "--enable-prefix-caching",
        "--performance-mode",
        # how probes, Services and Prometheus reach it, and how it stops
        "--host",
        "--port",
        "--uds",
        "--ssl-keyfile",
        "--ssl-certfile",
        "--shutdown-timeout",
        "--custom-histogram-buckets",
        "--disable-access-log-for-endpoints",
        "--disable-log-stats",
        # a file with any of the above
        "--config",
    }
)
"""Flags that ``spec.engine.extraArgs`` may not hold: the plan decides them, or is wrong once they are
changed."""


def owned_arguments(policy: CostPolicy) -> frozenset[str]:
    """Return the flags that this policy's ``extraArgs`` may not hold."""
    if policy.spec.techniques.output_length.mode is OutputLengthMode.ENFORCE:
        return OWNED_ARGUMENTS | {"--override-generation-config"}
    return OWNED_ARGUMENTS


def engine_arguments(
    policy: CostPolicy, configuration: Configuration, engine: Engine, grace: timedelta = DEFAULT_GRACE
) -> tuple[str, ...]:
    """Return what follows ``vllm serve``: the model, the plan's flags in a fixed order, the user's own.

    Args:
        policy: a policy with a model.
        configuration: what was planned for it.
        engine: the version that will read the arguments.
        grace: termination grace period of the pod, of which the engine gets what running requests may use.

    Raises:
        ValueError: the policy has no model.
        KeyError: the accelerator is not in the catalogue.
    """
    return (
        served_path(served_source(policy, configuration)),
        *_identity(policy, configuration),
        *plan_arguments(configuration, engine),
        *_techniques(policy, configuration, engine),
        *_operation(policy, engine, grace),
        *policy.spec.engine.extra_args,
    )


def _identity(policy: CostPolicy, configuration: Configuration) -> Iterator[str]:
    source = served_source(policy, configuration)
    name = model_of(policy).name
    if name != served_path(source):
        yield f"--served-model-name={name}"
    if source.hugging_face is not None and source.hugging_face.revision is not None:
        yield f"--revision={source.hugging_face.revision}"


def plan_arguments(configuration: Configuration, engine: Engine) -> Iterator[str]:
    """Yield the plan's flags, but for speculative decoding.

    No ``--dtype``: where an accelerator lacks bf16 the engine falls back to fp16 by itself, as the plan does.
    """
    tensor, data = configuration.tensor_parallel_size, configuration.data_parallel_size
    default = engine.defaults(accelerators()[configuration.accelerator], tensor, data)
    if tensor > 1:
        yield f"--tensor-parallel-size={tensor}"
    if data > 1:
        yield f"--data-parallel-size={data}"
        yield "--enable-expert-parallel"
    quantization = engine.quantization_argument(configuration.weights, configuration.online_quantization)
    if quantization is not None:
        yield f"--quantization={quantization}"
    if configuration.kv_cache_dtype is not KvCacheDtype.AUTO:
        yield f"--kv-cache-dtype={configuration.kv_cache_dtype}"
    if configuration.max_model_len is not None:
        yield f"--max-model-len={configuration.max_model_len}"
    for flag, value, by_itself in (
        ("--max-num-seqs", configuration.max_num_seqs, default.max_num_seqs),
        ("--max-num-batched-tokens", configuration.max_num_batched_tokens, default.max_num_batched_tokens),
        ("--gpu-memory-utilization", configuration.gpu_memory_utilization, default.gpu_memory_utilization),
        ("--api-server-count", configuration.api_servers, default.api_servers),
        ("--stream-interval", configuration.stream_interval, 1),
    ):
        if value not in (None, by_itself):
            yield f"{flag}={value}"


def _techniques(policy: CostPolicy, configuration: Configuration, engine: Engine) -> Iterator[str]:
    techniques = policy.spec.techniques
    accelerator = accelerators()[configuration.accelerator]
    by_default = engine.defaults(accelerator, configuration.tensor_parallel_size).prefix_caching
    wanted = by_default if techniques.prefix_caching.mode is TechniqueMode.AUTO else None
    if wanted is None:
        wanted = techniques.prefix_caching.mode is TechniqueMode.ENABLED
    if wanted != by_default:
        yield "--enable-prefix-caching" if wanted else _prefix_caching_off(engine)
    if configuration.proposer is not None:
        yield speculation_argument(configuration.proposer)
    length = techniques.output_length
    if length.mode is OutputLengthMode.ENFORCE and length.max_tokens is not None:
        # A cap for every request, whatever it asks for (observed with 0.32.0), which is what Enforce
        # promises.
        yield f"--override-generation-config={_json({'max_new_tokens': length.max_tokens})}"


def _operation(policy: CostPolicy, engine: Engine, grace: timedelta) -> Iterator[str]:
    if engine.flag("--shutdown-timeout") is not None:
        # The default, 0, cuts running answers short with HTTP 200 when the pod is told to stop.
        yield f"--shutdown-timeout={drain_of(grace) // timedelta(seconds=1)}"
    buckets = custom_buckets(policy.spec.objectives)
    if buckets is not None and engine.flag("--custom-histogram-buckets") is not None:
        yield f"--custom-histogram-buckets={buckets}"
    if engine.flag("--disable-access-log-for-endpoints") is not None:
        yield f"--disable-access-log-for-endpoints={PROBED_ENDPOINTS}"


def _prefix_caching_off(engine: Engine) -> str:
    """Return how a release spells it; from 0.33 on ``--disable-...`` is the one that its help shows."""
    spellings = ("--no-enable-prefix-caching", "--disable-prefix-caching")
    return next((each for each in spellings if engine.flag(each) is not None), spellings[0])


def speculation_argument(proposer: Proposer) -> str:
    """Return the argument that orders speculative decoding."""
    settings: dict[str, str | int] = {"method": proposer.method, "num_speculative_tokens": proposer.tokens}
    if proposer.model is not None:
        settings["model"] = proposer.model
    return f"--speculative-config={_json(settings)}"


def _json(value: dict[str, str | int]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
