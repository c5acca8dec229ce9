"""From arguments to the configuration that the planner would call it.

A setting that only repeats the release's default becomes ``None``, as in a plan.  What the performance model does not know
(pipeline stages, several nodes, dense data-parallel ranks) is ``Missing``: it can be priced, not compared.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, TypedDict, TypeVar

from costpolicy.advice.holding import Holding
from costpolicy.advice.serving import ServeArguments
from costpolicy.api.reasons import Reason
from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.catalog.engines import Engine
from costpolicy.catalog.formats import FORMATS
from costpolicy.catalog.prices import Offering
from costpolicy.observe.source import Missing
from costpolicy.planning.configuration import Configuration, Proposer

_ONLINE_FP8: Final = frozenset({"fp8", "fp8_per_tensor", "fp8_per_channel", "fp8_per_block"})
_KV_FP8: Final = frozenset({"fp8", "fp8_e4m3", "fp8_e5m2"})
_KV_SIXTEEN: Final = frozenset({"auto", "bfloat16", "float16"})
_HALF: Final = frozenset({"half", "float16"})
_FULL: Final = frozenset({"float", "float32"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known besides the arguments: who reads them, what is served, and what it is served on."""

    engine: Engine
    architecture: ModelArchitecture
    source_format: WeightFormat
    holding: Holding
    offering: Offering

    @property
    def accelerator(self) -> Accelerator:
        """The product."""
        return self.offering.accelerator


def configuration_of(given: ServeArguments, facts: Facts) -> Configuration | Missing:
    """Return the configuration of one replica, or the first thing that keeps it from being one."""
    split, numbers, kv_cache_dtype = _split(given, facts), _weights(given, facts), _kv_cache_dtype(given)
    proposer = _proposer(given)
    if isinstance(split, Missing):
        return split
    if isinstance(numbers, Missing):
        return numbers
    if isinstance(kv_cache_dtype, Missing):
        return kv_cache_dtype
    if isinstance(proposer, Missing):
        return proposer
    settings = _settings(given, facts, split)
    if isinstance(settings, Missing):
        return settings
    return Configuration(
        accelerator=facts.accelerator.name,
        capacity_type=facts.offering.capacity_type,
        tensor_parallel_size=split[0],
        data_parallel_size=split[1],
        weights=numbers.format,
        online_quantization=numbers.online,
        kv_cache_dtype=kv_cache_dtype,
        proposer=proposer,
        node_selector=facts.offering.node_selector,
        resource_name=facts.offering.resource_name,
        **settings,
    )


class _Numbers(NamedTuple):
    """The format of the weights, and whether the engine makes it while loading."""

    format: WeightFormat
    online: bool = False


class _Settings(TypedDict):
    """Fields of a configuration that only make an engine faster or slower."""

    max_num_seqs: int | None
    max_num_batched_tokens: int | None
    max_model_len: int | None
    api_servers: int | None
    stream_interval: int | None
    gpu_memory_utilization: float | None


def _split(given: ServeArguments, facts: Facts) -> tuple[int, int] | Missing:
    sizes = [given.whole(flag) for flag in ("--tensor-parallel-size", "--data-parallel-size")]
    for value in sizes:
        if isinstance(value, Missing):
            return value
    tensor, data = (value if isinstance(value, int) else 1 for value in sizes)
    for flag, what in (("--pipeline-parallel-size", "pipeline stages"), ("--nnodes", "replicas that span nodes")):
        stages = given.whole(flag)
        if isinstance(stages, Missing):
            return stages
        if stages not in (None, 1):
            return _not_compared(f"{what} ({flag}={stages})")
    if data > 1 and not given.switch("--enable-expert-parallel"):
        return _not_compared(f"data-parallel ranks of whole models (--data-parallel-size={data})")
    if tensor * data > facts.holding.count:
        message = f"{tensor * data} accelerators are split over, and a pod asks for {facts.holding.count}"
        return Missing(reason=Reason.NEEDS_MULTI_NODE, message=message)
    return tensor, data


def _weights(given: ServeArguments, facts: Facts) -> _Numbers | Missing:
    method, dtype = given.text("--quantization"), given.text("--dtype")
    for part in (method, dtype):
        if isinstance(part, Missing):
            return part
    if dtype in _FULL:
        return _not_compared(f"weights in 32 bits (--dtype={dtype})")
    source = facts.source_format
    if method is None or not FORMATS[source].lossless:
        return _Numbers(_sixteen(source, str(dtype), facts.accelerator))
    if method in _ONLINE_FP8:
        return _Numbers(WeightFormat.FP8, online=True)
    return _not_compared(f"--quantization={method} of weights that the catalogue has in {source}")


def _sixteen(source: WeightFormat, dtype: str, accelerator: Accelerator) -> WeightFormat:
    if source is WeightFormat.BF16 and (dtype in _HALF or "bf16" not in accelerator.flops):
        return WeightFormat.FP16
    return source


def _kv_cache_dtype(given: ServeArguments) -> KvCacheDtype | Missing:
    value = given.text("--kv-cache-dtype")
    if isinstance(value, Missing):
        return value
    if value is None or value in _KV_SIXTEEN:
        return KvCacheDtype.AUTO
    return KvCacheDtype.FP8 if value in _KV_FP8 else _not_compared(f"--kv-cache-dtype={value}")


def _proposer(given: ServeArguments) -> Proposer | Missing | None:
    fields = given.fields("--speculative-config")
    method, model, tokens = (given.text(f"--spec-{each}") for each in ("method", "model", "tokens"))
    for part in (fields, method, model, tokens):
        if isinstance(part, Missing):
            return part
    stated = {"method": method, "model": model, "num_speculative_tokens": tokens}
    asked = {**(fields or {}), **{key: value for key, value in stated.items() if value}}  # type: ignore[dict-item]  # no Missing
    if not asked:
        return None
    number = str(asked.get("num_speculative_tokens", ""))
    name = asked.get("method") or ("draft_model" if asked.get("model") else None)
    if name is None or not number.isdecimal():
        return _not_compared("speculative decoding without method or num_speculative_tokens")
    drafter = asked.get("model")
    return Proposer(method=str(name), tokens=int(number), model=str(drafter) if drafter and name != "ngram" else None)


def _settings(given: ServeArguments, facts: Facts, split: tuple[int, int]) -> _Settings | Missing:
    """Return what departs from the release's defaults."""
    default = facts.engine.defaults(facts.accelerator, *split)
    share = given.share("--gpu-memory-utilization")
    if isinstance(share, Missing):
        return share
    wholes: dict[str, int | None] = {}
    for flag in (
        "--max-num-seqs",
        "--max-num-batched-tokens",
        "--max-model-len",
        "--api-server-count",
        "--stream-interval",
    ):
        value = given.whole(flag)
        if isinstance(value, Missing):
            return value
        wholes[flag] = value
    factor = 2 if given.text("--performance-mode") == "throughput" else 1  # doubles what is not stated (0.20 on)
    sequences = wholes["--max-num-seqs"] or default.max_num_seqs * factor
    tokens = wholes["--max-num-batched-tokens"] or default.max_num_batched_tokens * factor
    return _Settings(
        max_num_seqs=_departing(sequences, default.max_num_seqs),
        max_num_batched_tokens=_departing(tokens, default.max_num_batched_tokens),
        max_model_len=_departing(wholes["--max-model-len"], facts.architecture.context_length),
        api_servers=_departing(wholes["--api-server-count"], default.api_servers),
        stream_interval=_departing(wholes["--stream-interval"], 1),
        gpu_memory_utilization=_departing(share, default.gpu_memory_utilization),
    )


def _departing(value: T | None, by_itself: T) -> T | None:
    return None if value == by_itself else value


def _not_compared(what: str) -> Missing:
    return Missing(reason=Reason.NOT_SUPPORTED_YET, message=f"{what} cannot be compared with a plan")
