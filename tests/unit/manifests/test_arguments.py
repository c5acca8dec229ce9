"""The arguments of ``vllm serve``.

Covered: a flag appears exactly when the value differs from the engine's default and the version knows the
flag. Not covered: whether vLLM accepts them (tests/contract/manifests).
"""

from datetime import timedelta

import pytest

from builders import configuration, policy
from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import engine
from costpolicy.manifests.arguments import OWNED_ARGUMENTS, engine_arguments, owned_arguments
from costpolicy.planning.configuration import Proposer

NEW, OLD = engine("0.32"), engine("0.11")


def flags(arguments: tuple[str, ...]) -> dict[str, str]:
    """The arguments after the model as a mapping; a flag without value maps to nothing."""
    return {name: value for name, _, value in (argument.partition("=") for argument in arguments[1:])}


def rendered(*, version=NEW, spec=None, **fields) -> dict[str, str]:
    return flags(engine_arguments(policy(**(spec or {})), configuration(**fields), version))


def test_the_model_comes_first_under_the_name_that_clients_use():
    arguments = engine_arguments(policy(), configuration(), NEW)

    assert "meta-llama/Llama-3.1-8B-Instruct" == arguments[0]
    assert "--served-model-name=llama-8b" == arguments[1]


def test_a_default_is_not_rendered():
    default = NEW.defaults(accelerators()["nvidia-h100-80gb"], 1)

    explicit = rendered(
        max_num_seqs=default.max_num_seqs,
        max_num_batched_tokens=default.max_num_batched_tokens,
        gpu_memory_utilization=default.gpu_memory_utilization,
    )

    assert rendered() == explicit
    assert not {"--port", "--tensor-parallel-size", "--kv-cache-dtype", "--quantization"} & explicit.keys()


@pytest.mark.parametrize(
    ("fields", "flag", "value"),
    [
        ({"tensor_parallel_size": 4}, "--tensor-parallel-size", "4"),
        ({"data_parallel_size": 8}, "--data-parallel-size", "8"),
        ({"data_parallel_size": 4, "api_servers": 2}, "--api-server-count", "2"),
        ({"max_model_len": 4096}, "--max-model-len", "4096"),
        ({"max_num_seqs": 17}, "--max-num-seqs", "17"),
        ({"max_num_batched_tokens": 3000}, "--max-num-batched-tokens", "3000"),
        ({"gpu_memory_utilization": 0.8}, "--gpu-memory-utilization", "0.8"),
        ({"kv_cache_dtype": KvCacheDtype.FP8}, "--kv-cache-dtype", "fp8"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_planned_value_is_rendered(fields, flag, value):
    assert value == rendered(**fields)[flag]


def test_ranks_share_out_the_experts_and_have_an_api_server_each_by_default():
    ranks = rendered(data_parallel_size=8, api_servers=8)

    assert "--enable-expert-parallel" in ranks
    assert not {"--tensor-parallel-size", "--api-server-count"} & ranks.keys()
    assert "--enable-expert-parallel" not in rendered(tensor_parallel_size=8)


@pytest.mark.parametrize(("version", "name"), [(NEW, "fp8_per_tensor"), (OLD, "fp8")], ids=["new", "old"])
def test_online_quantization_has_the_name_of_the_version(version, name):
    fields = {"weights": WeightFormat.FP8, "online_quantization": True}

    assert name == rendered(version=version, **fields)["--quantization"]


def test_a_quantized_checkpoint_says_itself_what_it_is():
    checkpoint = {"format": "awq", "source": {"volume": {"claimName": "models", "path": "awq"}}}
    spec = {"model": {"checkpoints": [checkpoint]}}
    arguments = engine_arguments(policy(**spec), configuration(weights=WeightFormat.AWQ, checkpoint=0), NEW)

    assert "/models/awq" == arguments[0]
    assert "--quantization" not in flags(arguments)


def test_an_old_engine_gets_no_flag_that_it_does_not_know():
    spec = {"objectives": {"ttft": {"p95": "800ms"}}}
    newer = {"--shutdown-timeout", "--custom-histogram-buckets", "--disable-access-log-for-endpoints"}

    assert newer <= rendered(spec=spec).keys()
    assert not newer & rendered(version=OLD, spec=spec).keys()


def test_running_requests_get_what_the_grace_period_leaves():
    arguments = engine_arguments(policy(), configuration(), NEW, grace=timedelta(seconds=100))

    assert "70" == flags(arguments)["--shutdown-timeout"]


def test_boundaries_include_an_objective_that_lies_inside_a_bucket():
    spec = {"objectives": {"ttft": {"p95": "800ms"}, "interTokenLatency": {"p95": "100ms"}}}

    buckets = rendered(spec=spec)["--custom-histogram-buckets"]

    assert ",0.75,0.8,1.0," in buckets
    assert "inter_token_latency" not in buckets, "100 ms is a boundary already"


@pytest.mark.parametrize(
    ("mode", "expected"), [("Auto", None), ("Enabled", None), ("Disabled", "--no-enable-prefix-caching")]
)
def test_prefix_caching_is_only_mentioned_to_change_it(mode, expected):
    found = rendered(spec={"techniques": {"prefixCaching": {"mode": mode}}})

    assert [expected] if expected else [] == [flag for flag in found if "prefix-caching" in flag]


def test_an_enforced_length_is_a_cap_and_its_flag_is_the_plans():
    enforced = policy(techniques={"outputLength": {"mode": "Enforce", "maxTokens": 300}})

    assert (
        '{"max_new_tokens":300}'
        == flags(engine_arguments(enforced, configuration(), NEW))["--override-generation-config"]
    )
    assert "--override-generation-config" in owned_arguments(enforced)
    assert "--override-generation-config" not in owned_arguments(policy())


def test_the_users_arguments_come_last():
    arguments = engine_arguments(policy(engine={"extraArgs": ["--enforce-eager"]}), configuration(), NEW)

    assert "--enforce-eager" == arguments[-1]


@pytest.mark.parametrize("version", ["0.11", "0.21", "0.22", "0.33"])
def test_the_proposer_that_was_planned_is_rendered_in_the_form_that_every_version_knows(version):
    with_model = rendered(version=engine(version), proposer=Proposer(method="eagle", tokens=4, model="a/b"))
    without = rendered(version=engine(version), proposer=Proposer(method="ngram", tokens=3))

    assert '{"method":"eagle","model":"a/b","num_speculative_tokens":4}' == with_model["--speculative-config"]
    assert '{"method":"ngram","num_speculative_tokens":3}' == without["--speculative-config"]
    assert engine(version).flag("--speculative-config") is not None


@pytest.mark.parametrize("mode", ["Auto", "Enabled", "Disabled"])
def test_a_method_that_the_plan_did_not_take_is_not_rendered(mode):
    asked = {"techniques": {"speculativeDecoding": {"mode": mode, "method": "ngram", "tokens": 4}}}

    assert rendered() == rendered(spec=asked)


def test_every_rendered_flag_is_owned():
    everything = policy(
        objectives={"ttft": {"p95": "800ms"}},
        techniques={"prefixCaching": {"mode": "Disabled"}},
    )
    odd = configuration(
        tensor_parallel_size=2,
        weights=WeightFormat.FP8,
        online_quantization=True,
        kv_cache_dtype=KvCacheDtype.FP8,
        max_num_seqs=3,
        max_num_batched_tokens=3000,
        max_model_len=1000,
        gpu_memory_utilization=0.5,
        proposer=Proposer(method="ngram", tokens=3),
    )

    found = {NEW.flag(flag).name for flag in flags(engine_arguments(everything, odd, NEW))}

    assert set() == found - OWNED_ARGUMENTS


def test_a_policy_that_only_advises_has_nothing_to_render():
    adviser = policy(model=None, objectives=None, targetRef={"name": "theirs"})

    with pytest.raises(ValueError, match="default/chat has no model"):
        engine_arguments(adviser, configuration(), NEW)


def test_settings_of_the_api_process_are_rendered_where_they_are_chosen():
    chosen = configuration(api_servers=4, stream_interval=8, gpu_memory_utilization=0.95)

    arguments = engine_arguments(policy(), chosen, NEW)

    assert {"--api-server-count=4", "--stream-interval=8", "--gpu-memory-utilization=0.95"} <= set(arguments)
    assert not [
        one for one in engine_arguments(policy(), configuration(), NEW) if "api-server" in one or "stream" in one
    ]
