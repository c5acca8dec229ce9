"""Rendered arguments, read by vLLM's own parser.

Covered: every weight and KV-cache format, every flag that is ever rendered, on vLLM 0.32.0; for all other
supported releases that the catalogue knows every rendered flag there. Not covered: what the engine refuses
only when it loads a model (exit code 1).
"""

from itertools import product

import pytest

from builders import configuration, policy
from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.engines import EngineError, engine, refused_arguments, supported_engines
from costpolicy.manifests.arguments import engine_arguments
from costpolicy.planning.configuration import Proposer
from engine.parser import Accepted, argument_parser

ORDERS = {
    "objectives": {"ttft": {"p95": "800ms"}, "interTokenLatency": {"p95": "33ms"}},
    "model": {"name": "served", "source": {"huggingFace": {"repository": "Qwen/Qwen3-32B", "revision": "main"}}},
    "techniques": {
        "prefixCaching": {"mode": "Disabled"},
        "outputLength": {"mode": "Enforce", "maxTokens": 512},
    },
}
LIMITS = {"max_num_seqs": 31, "max_num_batched_tokens": 3000, "max_model_len": 4096, "gpu_memory_utilization": 0.85}
PROPOSERS = (
    Proposer(method="ngram", tokens=4),
    Proposer(method="eagle3", tokens=3, model="example/drafter"),
    Proposer(method="draft_model", tokens=2, model="example/drafter"),
    Proposer(method="mtp", tokens=1),
    Proposer(method="medusa", tokens=3, model="example/heads"),
)


def argument_lists(release):
    """About thirty lists: formats in all combinations, then each kind of flag."""
    chosen = [configuration(weights=weights, kv_cache_dtype=kv) for weights, kv in product(WeightFormat, KvCacheDtype)]
    chosen += [
        configuration(weights=WeightFormat.FP8, online_quantization=True, kv_cache_dtype=kv, **LIMITS)
        for kv in KvCacheDtype
    ]
    chosen += [configuration(data_parallel_size=ranks, api_servers=2, **LIMITS) for ranks in (2, 8)]
    chosen += [configuration(tensor_parallel_size=size) for size in (2, 4, 8)]
    yield from (engine_arguments(policy(), each, release) for each in chosen)
    yield from (engine_arguments(policy(**ORDERS), each, release) for each in (chosen[0], chosen[-1]))
    for proposer in PROPOSERS:
        yield engine_arguments(policy(), configuration(proposer=proposer), release)
    for source in ({"volume": {"claimName": "models", "path": "a/b"}}, {"image": {"reference": "weights:1"}}):
        spec = {"model": {"source": {"huggingFace": None, **source}}}
        yield engine_arguments(policy(**spec), configuration(**LIMITS), release)


@pytest.fixture(scope="module")
def parser():
    with argument_parser() as process:
        yield process


def test_vllm_accepts_every_list(parser):
    results = [parser.parse(arguments) for arguments in argument_lists(engine("0.32.0"))]

    assert 30 == len(results)
    assert [] == [result for result in results if not isinstance(result, Accepted)]


def test_vllm_understands_what_was_meant(parser):
    spec = policy(**ORDERS)
    chosen = configuration(
        tensor_parallel_size=2,
        weights=WeightFormat.FP8,
        online_quantization=True,
        kv_cache_dtype=KvCacheDtype.FP8,
        **LIMITS,
    )

    result = parser.parse(engine_arguments(spec, chosen, engine("0.32.0")))

    assert isinstance(result, Accepted)
    meant = {
        "model_tag": "Qwen/Qwen3-32B",
        "served_model_name": ["served"],
        "revision": "main",
        "tensor_parallel_size": 2,
        "quantization": "fp8_per_tensor",
        "kv_cache_dtype": "fp8",
        "enable_prefix_caching": False,
        "shutdown_timeout": 150,
        **LIMITS,
    }
    assert meant == {name: result.values.get(name) for name in meant}


def test_vllm_understands_ranks_that_share_out_the_experts(parser):
    chosen = configuration(tensor_parallel_size=2, data_parallel_size=4)

    result = parser.parse(engine_arguments(policy(), chosen, engine("0.32.0")))

    assert isinstance(result, Accepted)
    meant = {"tensor_parallel_size": 2, "data_parallel_size": 4, "enable_expert_parallel": True}
    assert meant == {name: result.values.get(name) for name in meant}
    assert result.values.get("api_server_count") is None, "the engine starts one for each rank"


@pytest.mark.parametrize("release", supported_engines(), ids=lambda release: release.version)
def test_no_release_gets_a_flag_that_it_does_not_know(release):
    try:
        lists = list(argument_lists(release))
    except EngineError as error:  # a format that this release cannot make: the planner never chooses it
        pytest.fail(str(error))

    assert [] == [refused for each in lists for refused in refused_arguments(release, each[1:], owned=())]
