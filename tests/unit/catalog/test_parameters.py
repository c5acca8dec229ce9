"""Parameters and cached elements, counted from sizes.

Covered: every catalogue entry against the count its publisher states; part by part for one dense model; the
cache under grouped queries, replicated heads, windows, latent and linear attention.
Not covered: bytes (test_formats).
"""

from decimal import Decimal
from typing import Any

import pytest
import yaml

from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.catalog.models import models
from costpolicy.catalog.parameters import cached_elements, count_parameters
from costpolicy.catalog.sources import read_packaged

ENTRIES: list[dict[str, Any]] = yaml.safe_load(read_packaged("models.yaml"))
BY_ID = {model.id: model for model in models()}


def published(text: str) -> tuple[Decimal, Decimal]:
    """Return a published count and one unit of its last digit: publishers round, and some cut off."""
    magnitude = {"B": Decimal(10**9), "M": Decimal(10**6)}.get(text[-1], Decimal(1))
    digits = Decimal(text.rstrip("BM"))
    exponent = digits.as_tuple().exponent
    assert isinstance(exponent, int)
    return digits * magnitude, Decimal(1).scaleb(exponent) * magnitude


def known(identity: str) -> ModelArchitecture:
    found = models().resolve(identity)
    assert found is not None
    return found


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"])
def test_total_is_the_published_count_within_one_percent(entry: dict[str, Any]) -> None:
    stated, unit = published(str(entry["parameters"]["total"]))
    assert unit <= stated / 100, "a count rounded so coarsely proves nothing"
    assert stated == pytest.approx(count_parameters(BY_ID[entry["id"]]).total, rel=0.01)


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if "active" in entry["parameters"]], ids=lambda entry: entry["id"]
)
def test_active_is_the_published_count_as_published(entry: dict[str, Any]) -> None:
    model = BY_ID[entry["id"]]
    stated, unit = published(entry["parameters"]["active"])
    counted = count_parameters(model)
    active = counted.active - model.encoder_parameters
    if entry["parameters"].get("activeWithoutEmbedding"):
        active -= counted.embedding
    assert abs(active - stated) <= max(stated / 100, unit)


def test_every_mixture_of_experts_has_a_published_active_count() -> None:
    without = {entry["id"] for entry in ENTRIES if "experts" in entry["architecture"]} - {
        entry["id"] for entry in ENTRIES if "active" in entry["parameters"]
    }
    assert set() == without


def test_counts_a_dense_model_by_its_parts() -> None:
    count = count_parameters(known("meta-llama/Llama-3.1-8B"))
    assert 8_030_261_248 == count.total == count.active
    assert 128_256 * 4096 == count.embedding == count.lm_head
    assert 32 * 4096 * (4096 + 1024 + 1024 + 4096) == count.attention
    assert 32 * 3 * 4096 * 14_336 == count.mlp
    assert 0 == count.routed_experts
    assert count.total == count.embedding + count.lm_head + count.linear + count.other


def test_a_shared_embedding_counts_once() -> None:
    count = count_parameters(known("meta-llama/Llama-3.2-1B"))
    assert (128_256 * 2048, 0) == (count.embedding, count.lm_head)


@pytest.mark.parametrize("model", list(models()), ids=lambda each: each.id)
def test_parts_sum_to_the_total(model: ModelArchitecture) -> None:
    count = count_parameters(model)
    assert count.total == count.embedding + count.lm_head + count.linear + count.other
    assert 0 < count.active <= count.total


@pytest.mark.parametrize(("ranks", "expected"), [(1, 65_536), (2, 32_768), (8, 8192), (16, 8192)])
def test_heads_are_divided_and_replicated_once_each_rank_has_one(ranks: int, expected: int) -> None:
    assert expected == cached_elements(known("meta-llama/Llama-3.1-8B"), ranks).per_token


@pytest.mark.parametrize("ranks", [1, 8])
def test_the_latent_of_mla_is_kept_whole_by_every_rank(ranks: int) -> None:
    assert 61 * (512 + 64) == cached_elements(known("deepseek-ai/DeepSeek-V3"), ranks).per_token


def test_a_window_bounds_what_local_layers_keep() -> None:
    elements = cached_elements(known("google/gemma-2-9b"), 1)
    layer = 2 * 8 * 256
    assert (21 * layer, 21 * layer, 4096) == (elements.per_token, elements.per_window_token, elements.window)
    assert 42 * layer * 4096 == elements.of_sequence(4096)
    assert 21 * layer * (8192 + 4096) == elements.of_sequence(8192)


def test_linear_attention_keeps_a_state_whatever_the_length() -> None:
    elements = cached_elements(known("Qwen/Qwen3.5-27B"), 1)
    assert 16 * 2 * 4 * 256 == elements.per_token
    state = 48 * (48 * 128 * 128 + (2 * 16 * 128 + 48 * 128) * 3)
    assert state == elements.per_sequence
    assert state + 1000 * elements.per_token == elements.of_sequence(1000)
