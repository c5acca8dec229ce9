"""From arguments to the configuration that the planner would call it.

A setting that only repeats the release's default becomes ``None``, as in a plan.  What the performance model does not know
(pipeline stages, several nodes, dense data-parallel ranks) is ``Missing``: it can be priced, not compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from costpolicy.advice.holding import Holding
from costpolicy.advice.serving import ServeArguments
from costpolicy.api.reasons import Reason
from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.catalog.engines import Engine, EngineDefaults
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
    split, weights, kv_cache_dtype = _split(given, facts), _weights(given, facts), _kv_cache_dtype(given)
    proposer = _proposer(given)
    if isinstance(split, Missing):
        return split
    settings = _settings(given, facts, split)
    for part in (weights, kv_cache_dtype, proposer, settings):
        if isinstance(part, Missing):
            return part
    return _put_together(facts, split, (weights, kv_cache_dtype, proposer), settings)  # type: ignore[arg-type]  # none is Missing


_Numbers = tuple[WeightFormat, bool]
_Settings = Mapping[str, int | float | None]


def _put_together(
    facts: Facts,
    split: tuple[int, int],
    parts: tuple[_Numbers, KvCacheDtype, Proposer | None],
    settings: _Settings,
) -> Configuration:
    (weights, online), kv_cache_dtype, proposer = parts
    return Configuration(
        accelerator=facts.accelerator.name,
        capacity_type=facts.offering.capacity_type,
        tensor_parallel_size=split[0],
        data_parallel_size=split[1],
        weights=weights,
        online_quantization=online,
        kv_cache_dtype=kv_cache_dtype,
        proposer=proposer,
        node_selector=facts.offering.node_selector,
        resource_name=facts.offering.resource_name,
        **settings,  # type: ignore[arg-type]  # names and types as made in _settings
    )


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
        return _sixteen(source, str(dtype), facts.accelerator), False
    if method in _ONLINE_FP8:
        return WeightFormat.FP8, True
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
    """Return what departs from the release's defaults, by the configuration's field."""
    default = facts.engine.defaults(facts.accelerator, *split)
    own = facts.architecture.context_length
    factor = 2 if given.text("--performance-mode") == "throughput" else 1  # doubles what is not stated (0.20 on)
    found: dict[str, int | float | None] = {}
    for field, flag, by_itself, stand_in in (
        ("max_num_seqs", "--max-num-seqs", default.max_num_seqs, default.max_num_seqs * factor),
        ("max_num_batched_tokens", "--max-num-batched-tokens", *_tokens(default, factor)),
        ("max_model_len", "--max-model-len", own, own),
        ("api_servers", "--api-server-count", default.api_servers, default.api_servers),
        ("stream_interval", "--stream-interval", 1, 1),
    ):
        value = given.whole(flag)
        if isinstance(value, Missing):
            return value
        found[field] = _departing(stand_in if value is None else value, by_itself)
    share = given.share("--gpu-memory-utilization")
    if isinstance(share, Missing):
        return share
    found["gpu_memory_utilization"] = _departing(share, default.gpu_memory_utilization)
    return found


def _tokens(default: EngineDefaults, factor: int) -> tuple[int, int]:
    return default.max_num_batched_tokens, default.max_num_batched_tokens * factor


def _departing(value: T | None, by_itself: T) -> T | None:
    return None if value == by_itself else value


def _not_compared(what: str) -> Missing:
    return Missing(reason=Reason.NOT_SUPPORTED_YET, message=f"{what} cannot be compared with a plan")
