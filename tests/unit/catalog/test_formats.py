"""Weight and KV-cache formats: sizes, arithmetic and what runs where.

Covered: bytes against measured engines, every format on every generation, old engines, FP8 caches.
Not covered: whether kernels exist for a matrix's shape; the engine alone knows.
"""

import pytest

from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import Accelerator, accelerators
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.catalog.formats import (
    FORMATS,
    compute_dtype,
    online_formats,
    supports_kv_cache,
    supports_model,
    supports_weights,
    weight_bytes,
)
from costpolicy.catalog.models import models
from costpolicy.units import GIB

BF16, FP16, FP8, INT8, AWQ, GPTQ, NVFP4 = WeightFormat


def gpu(name: str) -> Accelerator:
    return accelerators()[name]


def model(repository: str) -> ModelArchitecture:
    found = models().resolve(repository)
    assert found is not None
    return found


def test_every_format_has_facts() -> None:
    assert set(WeightFormat) == set(FORMATS)


@pytest.mark.parametrize(
    ("repository", "form", "measured"),
    [
        # "weights_gib" of the start-up logs of vLLM 0.25.1 (shared measurements, H100 and H200, 2026-11).
        ("meta-llama/Llama-3.1-8B", BF16, 15.0),
        ("meta-llama/Llama-3.1-8B", FP8, 8.54),
        ("Qwen/Qwen3-32B", BF16, 61.03),
        # The checkpoint's size by its model card (arXiv 2508.10925).
        ("openai/gpt-oss-120b", BF16, 60.8),
    ],
)
def test_weight_bytes_are_what_engines_load(repository: str, form: WeightFormat, measured: float) -> None:
    assert measured == pytest.approx(weight_bytes(model(repository), form) / GIB, rel=0.02)


@pytest.mark.parametrize("each", list(models()), ids=lambda each: each.id)
def test_fewer_bits_are_never_more_bytes(each: ModelArchitecture) -> None:
    sizes = [weight_bytes(each, form) for form in (NVFP4, FP8, BF16)]
    if each.expert_bits is None:
        assert sorted(sizes) == sizes
    assert weight_bytes(each, BF16) == weight_bytes(each, FP16)
    assert weight_bytes(each, AWQ) == weight_bytes(each, GPTQ) < weight_bytes(each, NVFP4)


@pytest.mark.parametrize(
    ("form", "name", "expected"),
    [
        (BF16, "nvidia-h100-80gb", "bf16"),
        (FP16, "nvidia-t4", "fp16"),
        (AWQ, "nvidia-t4", "fp16"),
        (AWQ, "nvidia-h100-80gb", "bf16"),
        (GPTQ, "nvidia-b200", "bf16"),
        (FP8, "nvidia-a100-80gb", "bf16"),
        (FP8, "nvidia-l4", "fp8"),
        (FP8, "amd-mi300x", "fp8"),
        (INT8, "nvidia-a100-80gb", "int8"),
        (NVFP4, "nvidia-h100-80gb", "bf16"),
        (NVFP4, "nvidia-b200", "fp4"),
        (NVFP4, "nvidia-rtx-pro-6000", "fp4"),
    ],
)
def test_matrices_are_multiplied_in_what_the_accelerator_has(form: WeightFormat, name: str, expected: str) -> None:
    assert expected == compute_dtype(form, gpu(name))


@pytest.mark.parametrize(
    ("name", "formats"),
    [
        ("nvidia-t4", {FP16, FP8, INT8, AWQ, GPTQ, NVFP4}),
        ("nvidia-a10g", {BF16, FP16, FP8, INT8, AWQ, GPTQ, NVFP4}),
        ("nvidia-h100-80gb", {BF16, FP16, FP8, INT8, AWQ, GPTQ, NVFP4}),
        ("nvidia-b200", {BF16, FP16, FP8, AWQ, GPTQ, NVFP4}),
        ("nvidia-rtx-pro-6000", {BF16, FP16, FP8, AWQ, GPTQ, NVFP4}),
        ("amd-mi300x", {BF16, FP16, FP8}),
    ],
)
def test_formats_of_a_generation(name: str, formats: set[WeightFormat]) -> None:
    assert formats == {form for form in WeightFormat if supports_weights(gpu(name), form) is None}


@pytest.mark.parametrize(
    ("name", "form", "version", "reason"),
    [
        ("nvidia-t4", BF16, None, "bf16 needs compute capability 8.0; nvidia-t4 has 7.5: use fp16"),
        ("nvidia-t4", FP8, "0.11.2", "fp8 needs compute capability 8.0; nvidia-t4 has 7.5"),
        ("nvidia-t4", FP8, "v0.14.1", None),
        ("nvidia-a10", FP8, "0.11.2", None),
        (
            "nvidia-b200",
            INT8,
            None,
            "vLLM has no INT8 kernels for compute capability 10.0 on, as nvidia-b200 has: use fp8",
        ),
        ("amd-mi300x", AWQ, None, "vLLM lists no support for awq on amd accelerators"),
    ],
)
def test_says_why_a_format_does_not_run(name: str, form: WeightFormat, version: str | None, reason: str | None) -> None:
    assert reason == supports_weights(gpu(name), form, version)


@pytest.mark.parametrize(
    ("name", "head_size", "reason"),
    [
        ("nvidia-t4", 128, "an FP8 KV cache needs compute capability 8.0; nvidia-t4 has 7.5"),
        ("nvidia-a100-80gb", 128, None),
        (
            "nvidia-a100-80gb",
            96,
            "on nvidia-a100-80gb only FlashInfer reads an FP8 KV cache, not with heads of 96",
        ),
        ("nvidia-l4", 96, None),
        ("nvidia-h100-80gb", 128, None),
        ("amd-mi300x", 128, None),
    ],
)
def test_says_where_an_fp8_cache_runs(name: str, head_size: int, reason: str | None) -> None:
    assert reason == supports_kv_cache(gpu(name), KvCacheDtype.FP8, head_size)
    assert supports_kv_cache(gpu(name), KvCacheDtype.AUTO, head_size) is None


def test_only_fp8_is_made_while_loading_and_only_from_unquantized_weights() -> None:
    llama = model("meta-llama/Llama-3.1-8B")
    assert (FP8,) == online_formats(llama, BF16) == online_formats(llama, FP16)
    assert () == online_formats(llama, AWQ)
    assert () == online_formats(model("openai/gpt-oss-20b"), BF16)


def test_experts_in_mxfp4_need_ampere() -> None:
    gpt = model("openai/gpt-oss-20b")
    assert supports_model(gpu("nvidia-t4"), gpt) == "experts in MXFP4 need compute capability 8.0; nvidia-t4 has 7.5"
    assert supports_model(gpu("nvidia-a10"), gpt) is None
    assert supports_model(gpu("nvidia-t4"), model("meta-llama/Llama-3.1-8B")) is None
