"""A Deployment of somebody else as a configuration: what decides each field, and what is missing rather than guessed.

Not covered: how words are found and read (``test_command``, ``test_serving``); what the operator renders itself
(``tests/properties/test_existing_properties``).
"""

from dataclasses import replace
from typing import Any

import pytest

from builders import node, offering
from costpolicy.advice.existing import Existing, Surroundings, existing_of
from costpolicy.advice.holding import Holding
from costpolicy.api.reasons import Reason
from costpolicy.api.types import CapacityType, KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.observe.source import Missing
from costpolicy.planning.configuration import Configuration, Proposer
from foreign import REPOSITORY, container, deployment, pods

H100 = offering()
SPOT = replace(H100, capacity_type=CapacityType.SPOT)
L4 = offering("nvidia-l4", "0.80")
FORBIDDEN = Missing(reason=Reason.FORBIDDEN, message="nodes may not be listed")


def found(of: dict[str, Any], version: str = "", **around: Any) -> Existing:
    seen = {"pods": pods(of), "nodes": [node()], "offerings": [H100, SPOT, L4]}
    existing = existing_of(of, Surroundings(**{**seen, **around}), version)
    assert isinstance(existing, Existing)
    return existing


def configured(*args: str, gpus: int = 1, image: str = "vllm/vllm-openai:v0.32.0") -> Configuration | Missing:
    return found(deployment(container(["--model", REPOSITORY, *args], gpus=gpus, image=image))).configuration


def test_a_plain_deployment_is_known_with_its_price():
    existing = found(deployment(replicas=3))

    assert "llama" in existing.architecture.id.lower()
    assert Configuration(
        accelerator="nvidia-h100-80gb",
        capacity_type=CapacityType.ON_DEMAND,
        tensor_parallel_size=1,
        weights=WeightFormat.BF16,
    ) == (existing.configuration)
    assert (3, "7.50") == (existing.accelerators, existing.cost_per_hour.text())
    assert (REPOSITORY, ()) == (existing.served_name, existing.assumed)


@pytest.mark.parametrize(
    ("args", "field", "value"),
    [
        (("--tensor-parallel-size=2",), "tensor_parallel_size", 2),
        (("-tp", "2"), "tensor_parallel_size", 2),
        (("--quantization", "fp8"), "weights", WeightFormat.FP8),
        (("-q=fp8_per_tensor",), "online_quantization", True),
        (("--dtype=half",), "weights", WeightFormat.FP16),
        (("--kv-cache-dtype", "fp8_e5m2"), "kv_cache_dtype", KvCacheDtype.FP8),
        (("--kv-cache-dtype", "bfloat16"), "kv_cache_dtype", KvCacheDtype.AUTO),
        (("--max_num_seqs", "32"), "max_num_seqs", 32),
        (("--max-num-seqs=1024",), "max_num_seqs", None),
        (("--performance-mode=throughput",), "max_num_seqs", 2048),
        (("--performance-mode=throughput", "--max-num-seqs=64"), "max_num_seqs", 64),
        (("--max-num-batched-tokens=16K",), "max_num_batched_tokens", 16384),
        (("--max-model-len=8192",), "max_model_len", 8192),
        (("--max-model-len=131072",), "max_model_len", None),
        (("--gpu-memory-utilization=0.8",), "gpu_memory_utilization", 0.8),
        (("--device-memory-utilization=0.92",), "gpu_memory_utilization", None),
        (("--api-server-count=2",), "api_servers", 2),
        (
            ('--speculative-config={"method": "ngram", "num_speculative_tokens": 3}',),
            "proposer",
            Proposer(method="ngram", tokens=3),
        ),
        (
            ("--spec-method=eagle", "--spec-model=a/b", "--spec-tokens=2"),
            "proposer",
            Proposer(method="eagle", tokens=2, model="a/b"),
        ),
    ],
)
def test_an_argument_decides_a_field(args: tuple[str, ...], field: str, value: object):
    configuration = configured(*args, gpus=2)

    assert isinstance(configuration, Configuration)
    assert value == getattr(configuration, field)


@pytest.mark.parametrize(
    ("args", "reason", "says"),
    [
        (("--pipeline-parallel-size=2",), Reason.NOT_SUPPORTED_YET, "pipeline stages"),
        (("--nnodes=2",), Reason.NOT_SUPPORTED_YET, "span nodes"),
        (("--data-parallel-size=2",), Reason.NOT_SUPPORTED_YET, "data-parallel ranks of whole models"),
        (("--tensor-parallel-size=4",), Reason.NEEDS_MULTI_NODE, "4 accelerators are split over"),
        (("--dtype=float32",), Reason.NOT_SUPPORTED_YET, "32 bits"),
        (("--quantization=torchao",), Reason.NOT_SUPPORTED_YET, "--quantization=torchao"),
        (("--kv-cache-dtype=nvfp4",), Reason.NOT_SUPPORTED_YET, "--kv-cache-dtype=nvfp4"),
        (("--spec-tokens=3",), Reason.NOT_SUPPORTED_YET, "without method"),
        (("--config=/etc/vllm.yaml",), Reason.TARGET_UNREADABLE, "/etc/vllm.yaml"),
        (("--max-num-seqs=many",), Reason.TARGET_UNREADABLE, "'many' cannot be read"),
    ],
)
def test_what_cannot_be_compared_is_missing_and_says_what_it_is(args: tuple[str, ...], reason: Reason, says: str):
    configuration = configured(*args, gpus=2)

    assert isinstance(configuration, Missing)
    assert reason is configuration.reason
    assert says in configuration.message


def test_a_repository_that_is_quantized_is_served_as_it_is():
    args = ["--model", "hugging-quants/Meta-Llama-3.1-70B-Instruct-AWQ-INT4", "--quantization=awq_marlin"]
    existing = found(deployment(container(args)))

    assert WeightFormat.AWQ is existing.configuration.weights
    assert existing.configuration.online_quantization is False


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("vllm/vllm-openai:v0.32.0", "0.32.0"),
        ("docker.io/vllm/vllm-openai:v0.11.2-cu129@sha256:0123", "0.11.2"),
        ("registry.example:5000/vllm:0.20.2", "0.20.2"),
        ("rocm/vllm:rocm6.4.1_vllm_0.11.1_20250909", "0.11.1"),
    ],
)
def test_the_image_s_tag_says_the_release(image: str, version: str):
    existing = found(deployment(container(["vllm", "serve", REPOSITORY], image=image)))

    assert version == existing.version == existing.engine.version


@pytest.mark.parametrize(
    "image", ["vllm/vllm-openai:latest", "vllm/vllm-openai", "nvcr.io/nvidia/vllm:25.09-py3", "team/chat:0.32.0"]
)
def test_an_image_that_does_not_say_its_release_is_read_as_the_newest_and_says_so(image: str):
    existing = found(deployment(container(["vllm", "serve", REPOSITORY], image=image)))

    assert isinstance(existing.engine, Missing)
    assert Reason.TARGET_UNREADABLE is existing.engine.reason
    assert any("read as" in one for one in existing.assumed)
    assert isinstance(existing.configuration, Configuration)
    stated = found(deployment(container(["vllm", "serve", REPOSITORY], image=image)), "0.31")
    assert ("0.31.0", ()) == (stated.engine.version, stated.assumed)


def test_a_release_that_is_not_supported_has_a_price_and_no_configuration():
    existing = found(deployment(container(image="vllm/vllm-openai:v0.8.5")))

    assert Reason.ENGINE_UNSUPPORTED is existing.configuration.reason
    assert "2.50" == existing.cost_per_hour.text()


def test_a_path_is_taken_for_the_model_that_its_name_says():
    existing = found(deployment(container(["--model", f"/models/{REPOSITORY}", "--served-model-name", "chat", "c"])))

    assert existing.served_name == "chat"
    assert any("by its name" in one for one in existing.assumed)
    unknown = found(deployment(container(["--model", "/models/own"])))
    assert Reason.UNKNOWN_MODEL is unknown.architecture.reason
    assert Reason.UNKNOWN_MODEL is unknown.configuration.reason


def test_arguments_that_are_not_in_the_prediction_are_told():
    args = ["--model", REPOSITORY, "--cpu-offload-gb=4", "--enable-lora", "--no-enforce-eager"]
    [told] = found(deployment(container(args))).assumed

    assert "--cpu-offload-gb, --enable-lora: not in the prediction of what runs" == told


def held(of: dict[str, Any], **around: Any) -> Holding:
    holding = found(of, **around).holding
    assert isinstance(holding, Holding)
    return holding


def test_nodes_of_its_pods_say_the_accelerator_and_how_it_is_paid_for():
    spot = node("gpu-1", "nvidia-l4", 4)
    spot = replace(spot, labels={**spot.labels, "karpenter.sh/capacity-type": "spot"})
    holding = held(deployment(), nodes=[spot, node("gpu-2")])

    assert ("nvidia-l4", CapacityType.SPOT, ()) == (holding.accelerator.name, holding.capacity_type, holding.assumed)


def test_an_offering_whose_node_selector_fits_prices_before_that_of_the_product():
    reserved = replace(
        H100,
        capacity_type=CapacityType.RESERVED,
        node_selector={"pool": "reserved"},
        hourly=offering(hourly="1.10").hourly,
    )
    mine = replace(node(), labels={**node().labels, "pool": "reserved"})
    existing = found(deployment(), nodes=[mine], offerings=[H100, reserved])

    assert "1.10" == existing.cost_per_hour.text()
    assert CapacityType.RESERVED is existing.configuration.capacity_type


SELECTOR = {"nvidia.com/gpu.product": "NVIDIA-L4"}
AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "nvidia.com/gpu.product", "operator": "In", "values": ["NVIDIA-L4"]}]}
            ]
        }
    }
}


@pytest.mark.parametrize("pod", [{"nodeSelector": SELECTOR}, {"affinity": AFFINITY}])
def test_without_nodes_the_template_says_the_accelerator_and_the_rest_is_told_as_assumed(pod: dict[str, Any]):
    holding = held(deployment(**pod), nodes=FORBIDDEN)

    assert "nvidia-l4" == holding.accelerator.name
    assert ("its nodes are not known: taken as paid for on demand",) == holding.assumed
    spot = {"nodeSelector": {**SELECTOR, "cloud.google.com/gke-spot": "true"}}
    assert CapacityType.SPOT is held(deployment(**spot), nodes=FORBIDDEN).capacity_type


def test_where_nothing_says_the_accelerator_it_is_missing_with_the_reason():
    assert FORBIDDEN == held(deployment(), nodes=FORBIDDEN).accelerator
    assert FORBIDDEN == found(deployment(), nodes=FORBIDDEN).cost_per_hour
    waiting = held(deployment(), pods=[], nodes=[node(), node("gpu-2", "nvidia-l4")])
    assert Reason.TARGET_UNREADABLE is waiting.accelerator.reason
    only = held(deployment(), pods=[], nodes=[node(), node("gpu-2")])
    assert "nvidia-h100-80gb" == only.accelerator.name
    assert any("every node with nvidia.com/gpu carries" in one for one in only.assumed)


def test_pods_on_two_products_and_on_slices_are_missing():
    of = deployment(replicas=2)
    both = [*pods(of)[:1], replace(pods(of)[1], node="gpu-2")]
    mixed = held(of, pods=both, nodes=[node(), node("gpu-2", "nvidia-l4")])
    sliced = held(of, nodes=[replace(node(), labels={**node().labels, "nvidia.com/gpu.sharing-strategy": "mps"})])

    assert "pin them to one" in mixed.accelerator.message
    assert Reason.UNKNOWN_ACCELERATOR is sliced.accelerator.reason


def test_amd_and_an_offering_that_is_not_there():
    box = container(["--model", REPOSITORY])
    box["resources"] = {"limits": {"amd.com/gpu": "8"}}
    of = deployment(box)
    existing = found(of, nodes=[node(accelerator="amd-mi300x")])

    assert ("amd.com/gpu", 8) == (existing.holding.resource, existing.holding.count)
    assert Reason.NO_PRICE is existing.cost_per_hour.reason
    assert accelerators()["amd-mi300x"] == existing.holding.accelerator


def test_a_pod_that_asks_for_no_accelerator_cannot_be_priced():
    existing = found(deployment({"name": "vllm", "image": "vllm/vllm-openai:v0.32.0"}))

    assert Reason.TARGET_UNREADABLE is existing.cost_per_hour.reason


def test_accelerators_are_those_of_pods_that_have_a_node():
    of = deployment(replicas=2)
    waiting = [pods(of)[0], replace(pods(of)[1], node="")]

    assert 1 == found(of, pods=waiting).accelerators
    assert 2 == found(of, pods=[]).accelerators


def test_pods_are_those_of_the_selector_in_its_namespace():
    of = deployment()
    of["spec"]["selector"]["matchExpressions"] = [
        {"key": "app", "operator": "In", "values": ["theirs", "x"]},
        {"key": "canary", "operator": "DoesNotExist"},
        {"key": "tier", "operator": "NotIn", "values": ["b"]},
    ]
    [own] = pods(of)
    others = [
        replace(own, labels={**own.labels, "canary": "y"}),
        replace(own, namespace="other"),
        replace(own, labels={}),
    ]

    assert (own,) == found(of, pods=[own, *others]).pods


@pytest.mark.parametrize("containers", [({"name": "web", "image": "nginx"},), (container(), container())])
def test_none_or_two_engines_are_not_advised_on(containers: tuple[dict[str, Any], ...]):
    missing = existing_of(deployment(*containers), Surroundings())

    assert isinstance(missing, Missing)
    assert Reason.TARGET_NOT_VLLM is missing.reason
