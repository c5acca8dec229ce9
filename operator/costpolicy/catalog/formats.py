"""Weight and KV-cache formats: their size, the arithmetic they run in, and which accelerators run them.

Capabilities are CUDA's. Sources: the quantization gates of vLLM 0.32 (``get_min_capability`` and the choice
of kernels in its code) and its documentation's table of supported hardware; those of 0.11 where they differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Final, assert_never

from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.architecture import ArchitectureSizes
from costpolicy.catalog.parameters import count_parameters

UNQUANTIZED_BITS: Final = 16
"""Embedding, output head, routers and norms stay bf16 or fp16 in every format."""

NATIVE_FP8: Final = (8, 9)
"""From Ada on tensor cores multiply FP8; below, FP8 weights are unpacked to 16 bits (Marlin W8A16)."""

BLACKWELL: Final = (10, 0)
MXFP4_MINIMUM: Final = (8, 0)

_FLASHINFER_HEAD_SIZES: Final = frozenset({64, 128, 256, 512})
_AMD_FORMATS: Final = frozenset({WeightFormat.BF16, WeightFormat.FP16, WeightFormat.FP8})


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatFacts:
    """One weight format.

    Attributes:
        bits_per_parameter: of a quantized matrix, scales and zero points included.
        needs_checkpoint: the engine cannot make it from unquantized weights while loading.
        lossless: answers are those of the published weights.
        minimum_capability: the oldest GPU that runs it on a current engine.
        minimum_capability_before_0_14: the same for engines 0.11 to 0.13.
    """

    format: WeightFormat
    bits_per_parameter: Fraction
    needs_checkpoint: bool
    lossless: bool
    minimum_capability: tuple[int, int]
    minimum_capability_before_0_14: tuple[int, int]


def _facts(
    form: WeightFormat,
    bits: Fraction | int,
    minimum: tuple[int, int],
    *,
    older: tuple[int, int] | None = None,
    checkpoint: bool = True,
) -> FormatFacts:
    return FormatFacts(
        format=form,
        bits_per_parameter=Fraction(bits),
        needs_checkpoint=checkpoint,
        lossless=bits == UNQUANTIZED_BITS,
        minimum_capability=minimum,
        minimum_capability_before_0_14=older or minimum,
    )


_FOUR_BITS_BY_128: Final = 4 + Fraction(16 + 4, 128)
"""Groups of 128 weights share a 16-bit scale and a 4-bit zero point."""

_FOUR_BITS_BY_16: Final = 4 + Fraction(8, 16)
"""NVFP4: blocks of 16 share an FP8 scale."""

FORMATS: Final[Mapping[WeightFormat, FormatFacts]] = MappingProxyType(
    {
        WeightFormat.BF16: _facts(WeightFormat.BF16, 16, (8, 0), checkpoint=False),
        WeightFormat.FP16: _facts(WeightFormat.FP16, 16, (7, 0), checkpoint=False),
        WeightFormat.FP8: _facts(WeightFormat.FP8, 8, (7, 5), older=(8, 0), checkpoint=False),
        WeightFormat.INT8: _facts(WeightFormat.INT8, 8, (7, 5)),
        WeightFormat.AWQ: _facts(WeightFormat.AWQ, _FOUR_BITS_BY_128, (7, 5), older=(8, 0)),
        WeightFormat.GPTQ: _facts(WeightFormat.GPTQ, _FOUR_BITS_BY_128, (7, 5), older=(8, 0)),
        WeightFormat.NVFP4: _facts(WeightFormat.NVFP4, _FOUR_BITS_BY_16, (7, 5), older=(8, 0)),
    }
)


@cache
def weight_bytes(sizes: ArchitectureSizes, form: WeightFormat) -> int:
    """Return the bytes of all weights in a format, over all accelerators of a replica, each weight once.

    Experts that the model publishes in a format of their own keep it under ``bf16`` and ``fp16``.
    """
    count = count_parameters(sizes)
    total = (count.attention + count.mlp) * FORMATS[form].bits_per_parameter + _expert_bits(sizes, form)
    total += (count.total - count.linear) * UNQUANTIZED_BITS
    return -(-total.numerator // (8 * total.denominator))


def expert_bytes(sizes: ArchitectureSizes, form: WeightFormat) -> int:
    """Return the bytes of all routed experts in a format, which are a part of :func:`weight_bytes`."""
    bits = _expert_bits(sizes, form)
    return -(-bits.numerator // (8 * bits.denominator))


def _expert_bits(sizes: ArchitectureSizes, form: WeightFormat) -> Fraction:
    bits = FORMATS[form].bits_per_parameter
    if sizes.expert_bits is not None and FORMATS[form].lossless:
        bits = Fraction(sizes.expert_bits)
    return count_parameters(sizes).routed_experts * bits


def compute_dtype(form: WeightFormat, accelerator: Accelerator) -> str:
    """Return the key of ``Accelerator.flops`` in which matrices of a format are multiplied there.

    Formats without arithmetic of their own on that accelerator are unpacked to 16 bits.
    """
    sixteen = "bf16" if "bf16" in accelerator.flops else "fp16"
    match form:
        case WeightFormat.BF16 | WeightFormat.AWQ | WeightFormat.GPTQ:
            return sixteen
        case WeightFormat.FP16:
            return "fp16"
        case WeightFormat.FP8:
            return "fp8" if "fp8" in accelerator.flops else sixteen
        case WeightFormat.INT8:
            return "int8" if "int8" in accelerator.flops else sixteen
        case WeightFormat.NVFP4:
            return "fp4" if "fp4" in accelerator.flops else sixteen
        case _:
            assert_never(form)


def online_formats(sizes: ArchitectureSizes, source: WeightFormat) -> tuple[WeightFormat, ...]:
    """Return the formats that the engine can make while it loads weights of format ``source``.

    Only FP8, and only from weights that nobody has quantized yet: a model that publishes its experts in MXFP4
    carries a quantization of its own.
    """
    if not FORMATS[source].lossless or sizes.expert_bits is not None:
        return ()
    return tuple(form for form, facts in FORMATS.items() if not facts.needs_checkpoint and not facts.lossless)


def supports_model(accelerator: Accelerator, sizes: ArchitectureSizes) -> str | None:
    """Return why an accelerator cannot run a model in any format, or ``None`` if it can."""
    capability = accelerator.compute_capability
    if sizes.expert_bits is not None and capability is not None and capability < MXFP4_MINIMUM:
        minimum, has = _text(MXFP4_MINIMUM), _text(capability)
        return f"experts in MXFP4 need compute capability {minimum}; {accelerator.name} has {has}"
    return None


def supports_weights(accelerator: Accelerator, form: WeightFormat, engine_version: str | None = None) -> str | None:
    """Return why an accelerator cannot run weights in a format, or ``None`` if it can.

    ``engine_version`` is vLLM's (``0.11.2``); ``None`` asks about a current one.
    """
    capability = accelerator.compute_capability
    if capability is None:
        if form in _AMD_FORMATS:
            return None
        return f"vLLM lists no support for {form} on {accelerator.vendor} accelerators"
    if form is WeightFormat.INT8 and capability >= BLACKWELL:
        return f"vLLM has no INT8 kernels for compute capability 10.0 on, as {accelerator.name} has: use fp8"
    facts = FORMATS[form]
    older = engine_version is not None and _minor(engine_version) < (0, 14)
    minimum = facts.minimum_capability_before_0_14 if older else facts.minimum_capability
    if capability >= minimum:
        return None
    reason = f"{form} needs compute capability {_text(minimum)}; {accelerator.name} has {_text(capability)}"
    return f"{reason}: use fp16" if form is WeightFormat.BF16 else reason


def supports_kv_cache(accelerator: Accelerator, dtype: KvCacheDtype, head_size: int) -> str | None:
    """Return why an accelerator cannot keep its KV cache in a type, or ``None`` if it can.

    FP8 needs an attention kernel that reads it: Triton's and FlashAttention's from 8.9 on; between 8.0 and
    8.9 only FlashInfer's, for its own head sizes.
    """
    if dtype is KvCacheDtype.AUTO:
        return None
    capability = accelerator.compute_capability
    if capability is None or capability >= NATIVE_FP8:
        return None
    if capability < (8, 0):
        return f"an FP8 KV cache needs compute capability 8.0; {accelerator.name} has {_text(capability)}"
    if head_size not in _FLASHINFER_HEAD_SIZES:
        return f"on {accelerator.name} only FlashInfer reads an FP8 KV cache, not with heads of {head_size}"
    return None


@cache
def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split(".")[:2])


def _text(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"
