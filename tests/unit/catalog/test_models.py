"""The model catalogue: entries, repositories that share an architecture, architectures that a policy states.

Covered: what must be known, aliases and their formats, sources, contradictory sizes, broken files.
Not covered: parameter counts (test_parameters).
"""

from typing import Any

import pytest
from pydantic import ValidationError

from costpolicy.api.policy import ArchitectureSpec
from costpolicy.api.types import WeightFormat
from costpolicy.catalog.architecture import ArchitectureSizes
from costpolicy.catalog.models import ModelArchitecture, architecture_from_spec, load_models, models
from costpolicy.catalog.sources import CatalogError

ENTRY = """\
- id: example/Small
  repositories:
    fp8: [example/Small-FP8]
  architecture:
    layers: 4
    hiddenSize: 64
    attentionHeads: 4
    kvHeads: 2
    headSize: 16
    intermediateSize: 128
    vocabulary: 1000
    contextLength: 2048
  parameters: {total: 0.27M}
  source: made for this test
  date: 2026-11-22
"""


def test_has_thirty_models_and_more() -> None:
    assert 30 <= len(models())


@pytest.mark.parametrize("model", list(models()), ids=lambda each: each.id)
def test_every_entry_is_sourced(model: ModelArchitecture) -> None:
    assert model.source
    assert model.date is not None
    assert 2048 <= model.context_length


@pytest.mark.parametrize(
    ("repository", "identity", "weights"),
    [
        ("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B", WeightFormat.BF16),
        ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B", WeightFormat.BF16),
        ("meta-llama/Meta-Llama-3.1-70B-Instruct", "meta-llama/Llama-3.1-70B", WeightFormat.BF16),
        ("nvidia/Llama-3.1-8B-Instruct-FP8", "meta-llama/Llama-3.1-8B", WeightFormat.FP8),
        ("Qwen/Qwen3-32B", "Qwen/Qwen3-32B", WeightFormat.BF16),
        ("qwen/qwen3-32b-awq", "Qwen/Qwen3-32B", WeightFormat.AWQ),
        ("deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-V3", WeightFormat.FP8),
    ],
)
def test_repositories_resolve_to_one_architecture(repository: str, identity: str, weights: WeightFormat) -> None:
    found = models().resolve(repository)
    assert found is not None
    assert (identity, weights) == (found.id, models().format_of(repository))


def test_an_unknown_repository_is_bf16_without_an_architecture() -> None:
    assert models().resolve("example/Unheard-Of") is None
    assert WeightFormat.BF16 == models().format_of("example/Unheard-Of")


def test_lists_the_repositories_of_an_architecture() -> None:
    small = load_models(ENTRY, "models.yaml")
    assert {"example/small": WeightFormat.BF16, "example/small-fp8": WeightFormat.FP8} == small.repositories(
        next(iter(small))
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("    kvHeads: 2\n", "    kvHeads: 3\n", 4, "kvHeads 3 does not divide attentionHeads 4"),
        ("    layers: 4\n", "    layers: many\n", 5, "valid integer"),
        ("    headSize: 16\n", "", 4, "Field required"),
        ("    headSize: 16\n", "    headSize: 16\n    heads: 4\n", 10, "heads"),
        ("total: 0.27M", "total: small", 13, "String should match pattern"),
        ("    fp8: [", "    fp7: [", 3, "Input should be"),
        ("  source: made for this test\n", "", 1, "source: Field required"),
        ("example/Small-FP8", "example/Small", 3, "already belongs to example/Small"),
    ],
)
def test_refuses_a_broken_entry_with_its_line(old: str, new: str, line: int, message: str) -> None:
    assert old in ENTRY
    with pytest.raises(CatalogError) as caught:
        load_models(ENTRY.replace(old, new), "models.yaml")
    assert (line, True) == (caught.value.line, message in str(caught.value)), str(caught.value)


SIZES: dict[str, Any] = {
    "layers": 4,
    "hidden_size": 64,
    "attention_heads": 4,
    "kv_heads": 2,
    "head_size": 16,
    "intermediate_size": 128,
    "vocabulary": 1000,
    "context_length": 2048,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"intermediate_size": 0}, "intermediateSize is missing"),
        ({"dense_layers": 1}, "need experts"),
        ({"experts": 8}, "expertsPerToken 0 must be from 1 to experts 8"),
        ({"experts": 8, "experts_per_token": 9, "expert_intermediate_size": 32}, "from 1 to experts 8"),
        ({"experts": 8, "experts_per_token": 2}, "expertIntermediateSize"),
        (
            {"experts": 8, "experts_per_token": 2, "expert_intermediate_size": 32, "dense_layers": 4},
            "denseLayers must be fewer",
        ),
        ({"sliding_window": 512}, "need each other"),
        ({"full_attention_layers": 2}, "need each other"),
        ({"sliding_window": 512, "full_attention_layers": 5}, "more than layers"),
    ],
)
def test_sizes_that_contradict_each_other_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ArchitectureSizes(**{**SIZES, **change})


def test_a_policy_states_the_same_architecture() -> None:
    known = models().resolve("Qwen/Qwen3-30B-A3B")
    assert known is not None
    spec = ArchitectureSpec.model_validate(
        {
            "layers": 48,
            "hiddenSize": 2048,
            "attentionHeads": 32,
            "kvHeads": 4,
            "headSize": 128,
            "intermediateSize": 0,
            "vocabulary": 151936,
            "qkNorm": True,
            "experts": 128,
            "expertsPerToken": 8,
            "expertIntermediateSize": 768,
            "contextLength": 40960,
        }
    )
    stated = architecture_from_spec(spec, "mine")
    sizes = list(ArchitectureSizes.__dataclass_fields__)
    assert [getattr(known, name) for name in sizes] == [getattr(stated, name) for name in sizes]
    assert ("mine", known.total_parameters) == (stated.id, stated.total_parameters)


def test_a_policy_that_contradicts_itself_is_told_how() -> None:
    spec = ArchitectureSpec.model_validate({**SIZES, "kv_heads": 3})
    with pytest.raises(ValueError, match="kvHeads 3 does not divide attentionHeads 4") as caught:
        architecture_from_spec(spec, "mine")
    assert not isinstance(caught.value, ValidationError)
