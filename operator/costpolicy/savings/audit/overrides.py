"""What was given to an engine by hand and takes something away that vLLM does by itself."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from costpolicy.catalog.techniques import techniques

FUSION: Final = "kernel-fusion"
ATTENTION: Final = "flash-attention"

_OFF: Final[Mapping[str, tuple[str, ...]]] = {
    "--enforce-eager": ("true",),
    "--optimization-level": ("0",),
    "--async-scheduling": ("false",),
    "--enable-chunked-prefill": ("false",),
    "TORCHDYNAMO_DISABLE": ("1",),
    "TORCH_COMPILE_DISABLE": ("1",),
    "VLLM_DISABLE_PYNCCL": ("1",),
    "NCCL_P2P_DISABLE": ("1",),
    "VLLM_USE_V1": ("0",),
}
"""Arguments and variables by the values that take an optimization away which the engine has on by itself."""
_UNCOMPILED: Final = frozenset(
    {"--enforce-eager", "--optimization-level", "TORCHDYNAMO_DISABLE", "TORCH_COMPILE_DISABLE"}
)
"""Those of them without which nothing is compiled, so no kernels are fused."""
_NONE: Final = ("0", "NONE")
_CHOSEN: Final = ("--attention-backend", "--attention-config", "VLLM_ATTENTION_BACKEND")
"""What takes the choice of the attention kernel from the engine."""
_SLOW_ATTENTION: Final = frozenset({"TORCH_SDPA", "XFORMERS", "FLEX_ATTENTION", "TREE_ATTN"})
"""Backends that are neither FlashAttention nor FlashInfer nor what vLLM takes by itself where those do not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One of them.

    Attributes:
        given: as it was written.
        technique: whose name in the catalogue of techniques it belongs to.
        claimed: what the catalogue claims for the technique is about what this takes away; nothing is claimed for others.
    """

    given: str
    technique: str
    claimed: bool


class Shares(NamedTuple):
    """The share of a step's time that overrides are said to cost, from low to high."""

    low: Fraction
    high: Fraction


def overrides(arguments: Mapping[str, str], environment: Mapping[str, str]) -> list[Override]:
    """Return the arguments and variables that take an optimization away."""
    given = {**environment, **arguments}
    off = [
        Override(given=f"{name}={given[name]}", technique=FUSION, claimed=name in _UNCOMPILED)
        for name, values in _OFF.items()
        if given.get(name, "").lower() in values
    ]
    return [*off, *_compilation(arguments), *_attention(arguments, environment)]


def claimed_shares(found: Iterable[Override]) -> Shares | None:
    """Return what is claimed for all that was taken away, each technique once; ``None`` where nothing is."""
    names = {one.technique for one in found if one.claimed}
    claims = [one.claim for name, one in techniques().items() if name in names and one.claim is not None]
    if not claims:
        return None
    low = high = Fraction(1)
    for claim in claims:
        low, high = low * (1 - claim.low), high * (1 - claim.high)
    return Shares(low=1 - low, high=1 - high)


def _compilation(arguments: Mapping[str, str]) -> Iterator[Override]:
    given, config = _config(arguments, "--compilation-config")
    uncompiled = config.get("level") in _NONE or config.get("mode") in _NONE
    if uncompiled or config.get("cudagraph_mode") in _NONE:
        yield Override(given=given, technique=FUSION, claimed=uncompiled)


def _attention(arguments: Mapping[str, str], environment: Mapping[str, str]) -> Iterator[Override]:
    chosen = {name: (f"{name}={value}", value.upper()) for name, value in {**environment, **arguments}.items()}
    given, config = _config(arguments, "--attention-config")
    chosen["--attention-config"] = given, config.get("backend", "")
    for given, backend in (chosen.get(name, ("", "")) for name in _CHOSEN):
        if backend not in ("", "AUTO"):
            yield Override(given=given, technique=ATTENTION, claimed=backend in _SLOW_ATTENTION)


def _config(arguments: Mapping[str, str], flag: str) -> tuple[str, Mapping[str, str]]:
    """Return a JSON argument as it was written, and its entries in capitals, those that were written apart as well."""
    written = {name: value for name, value in arguments.items() if name.partition(".")[0] == flag}
    entries = _entries(written.get(flag, ""))
    apart = {name.removeprefix(f"{flag}."): value.upper() for name, value in written.items() if name != flag}
    return ", ".join(f"{name}={value}" for name, value in written.items()), {**entries, **apart}


def _entries(text: str) -> Mapping[str, str]:
    try:
        config = json.loads(text) if text else {}
    except ValueError:
        return {}
    entries = config if isinstance(config, dict) else {"level": config}
    return {name: str(value).upper() for name, value in entries.items() if value is not None}
