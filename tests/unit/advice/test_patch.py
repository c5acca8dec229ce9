"""A change as a patch: what changes and nothing else, in the words and lists that are there.

Not covered: what the API server makes of it (tests/integration/kube/test_scan).
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import node, offering
from costpolicy.advice.existing import Existing, Surroundings, existing_of
from costpolicy.advice.patch import Recommended, change_patch
from costpolicy.api.types import CapacityType, KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.observe.source import Missing
from costpolicy.planning.configuration import Configuration, Proposer
from costpolicy.planning.plan import Target
from costpolicy.units import ZERO
from foreign import REPOSITORY, container, deployment, pods

OFFERINGS = [offering(), offering("nvidia-l4", "0.80"), offering("amd-mi300x", "3.00")]


def existing(*args: str, gpus: int = 2, pod: dict[str, Any] | None = None, **fields: Any) -> Existing:
    box = container(["--model", REPOSITORY, *args], gpus=gpus, **fields)
    return seen(deployment(box, **(pod or {})))


def seen(of: dict[str, Any]) -> Existing:
    found = existing_of(of, Surroundings(pods=pods(of), nodes=[node()], offerings=OFFERINGS))
    assert isinstance(found, Existing)
    return found


def patch(of: Existing, *, replicas: int = 1, **changes: Any) -> dict[str, Any] | Missing:
    assert isinstance(of.configuration, Configuration)
    configuration = replace(of.configuration, **changes)
    target = Target(
        configuration=configuration,
        replicas=replicas,
        cost_per_hour=ZERO,
        marginal_cost_per_hour=ZERO,
        predicted=None,
        memory=None,
        capacity_per_replica=1.0,
    )
    labels = accelerators()[configuration.accelerator].node_labels
    one = dict([next(iter(labels.items()))])
    return change_patch(of, Recommended(target=target, engine=of.engine, products=one))


def box_of(found: dict[str, Any]) -> dict[str, Any]:
    [box] = found["spec"]["template"]["spec"]["containers"]
    return box


def test_nothing_but_what_changes_is_in_it():
    found = patch(existing("--port=80", "-tp", "2"), max_num_seqs=64)

    assert {"apiVersion", "kind", "metadata", "spec"} == set(found)
    assert {"name": "theirs", "namespace": "default"} == found["metadata"]
    assert {
        "template": {
            "spec": {
                "containers": [
                    {"name": "vllm", "args": ["--model", REPOSITORY, "--port=80", "-tp", "2", "--max-num-seqs=64"]}
                ]
            }
        }
    } == found["spec"]
    assert {"replicas": 3} == patch(existing("-tp=2"), replicas=3)["spec"]


def test_a_value_is_replaced_where_it_stands_and_in_whatever_spelling():
    found = patch(existing("--max_num_seqs", "8", "--port=80", "-tp=2"), max_num_seqs=64)

    assert ["--model", REPOSITORY, "--max-num-seqs=64", "--port=80", "-tp=2"] == box_of(found)["args"]


def test_what_goes_back_to_the_default_is_taken_out():
    found = patch(existing("--max-num-seqs", "8", "--port=80", "-tp=2"), max_num_seqs=None)

    assert ["--model", REPOSITORY, "--port=80", "-tp=2"] == box_of(found)["args"]


def test_a_value_that_comes_from_a_mode_is_taken_out_with_it():
    found = patch(existing("--performance-mode=throughput"), max_num_seqs=None, max_num_batched_tokens=None)

    assert ["--model", REPOSITORY] == box_of(found)["args"]


def test_words_keep_their_variables_and_their_list():
    env = [{"name": "PORT", "value": "80"}, {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "t", "key": "k"}}}]
    box = container(["--api-key=$(TOKEN)"], gpus=1, env=env, command=["vllm", "serve", REPOSITORY, "--port=$(PORT)"])
    found = patch(seen(deployment(box)), max_num_seqs=64)

    assert {"name": "vllm", "args": ["--api-key=$(TOKEN)", "--max-num-seqs=64"]} == box_of(found)
    inside = container([], gpus=1, command=["vllm", "serve", REPOSITORY, "--max-num-seqs=8"])
    found = patch(seen(deployment(inside)), max_num_seqs=64)
    assert {"name": "vllm", "command": ["vllm", "serve", REPOSITORY, "--max-num-seqs=64"]} == box_of(found)


def test_fewer_accelerators_are_asked_for_where_they_were():
    found = patch(existing("-tp=2"), tensor_parallel_size=1, weights=WeightFormat.FP8, online_quantization=True)

    assert ["--model", REPOSITORY, "--quantization=fp8_per_tensor"] == box_of(found)["args"]
    assert {"limits": {"nvidia.com/gpu": "1"}} == box_of(found)["resources"]


def test_numbers_and_speculation():
    args = ('--speculative-config={"method":"ngram","num_speculative_tokens":3}', "-tp=2")
    found = patch(existing(*args), proposer=None, kv_cache_dtype=KvCacheDtype.FP8)
    assert ["--model", REPOSITORY, "--kv-cache-dtype=fp8", "-tp=2"] == box_of(found)["args"]

    found = patch(existing("-tp=2"), proposer=Proposer(method="ngram", tokens=2))
    assert '--speculative-config={"method":"ngram","num_speculative_tokens":2}' == box_of(found)["args"][-1]


def test_another_product_comes_with_its_nodes_and_tolerations():
    pod = {
        "nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "zone": "a"},
        "tolerations": [{"key": "team", "operator": "Exists"}],
    }
    found = patch(existing("-tp=2", pod=pod), accelerator="nvidia-l4", capacity_type=CapacityType.ON_DEMAND)
    spec = found["spec"]["template"]["spec"]

    selected = spec.get("nodeSelector", {}).get("nvidia.com/gpu.product")
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert selected in (None, "NVIDIA-L4")
    assert "zone" not in spec["nodeSelector"]
    assert terms
    assert pod["tolerations"] == spec["tolerations"][:1]
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in spec["tolerations"]


def test_another_vendor_takes_the_former_resource_away():
    found = patch(existing("-tp=2"), accelerator="amd-mi300x", resource_name="amd.com/gpu")

    assert {"limits": {"nvidia.com/gpu": None, "amd.com/gpu": "2"}} == box_of(found)["resources"]


@pytest.mark.parametrize(
    ("of", "changes", "says"),
    [
        (
            container([f"vllm serve {REPOSITORY} --port 80"], command=["sh", "-c"]),
            {"max_num_seqs": 64},
            "in a script; change there: --max-num-seqs=64",
        ),
        (container(), {"accelerator": "nvidia-l4"}, "a node affinity of its own"),
    ],
)
def test_what_has_to_be_done_by_hand_is_said(of: dict[str, Any], changes: dict[str, Any], says: str):
    own = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": []}]}}
    found = patch(seen(deployment(of, affinity={"nodeAffinity": own})), **changes)

    assert isinstance(found, Missing)
    assert says in found.message


def test_a_script_can_still_have_other_replicas():
    box = container([f"vllm serve {REPOSITORY}"], command=["sh", "-c"])

    assert {"replicas": 5} == patch(seen(deployment(box)), replicas=5)["spec"]


@given(
    st.lists(
        st.sampled_from(["--max-num-seqs=8", "--enforce-eager", "--port=80", "--kv-cache-dtype=fp8", "--seed=1"]),
        unique=True,
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "max_num_seqs": st.none() | st.integers(1, 500),
            "max_num_batched_tokens": st.none() | st.integers(2048, 4096),
            "kv_cache_dtype": st.sampled_from(KvCacheDtype),
            "gpu_memory_utilization": st.none() | st.just(0.95),
            "stream_interval": st.none() | st.just(5),
        },
    ),
)
def test_a_patched_deployment_is_what_was_planned_and_keeps_all_other_words(args: list[str], changes: dict[str, Any]):
    before = existing(*args, gpus=1)
    found = patch(before, **changes)
    patched = before.deployment["spec"]["template"]["spec"]["containers"][0]
    if found["spec"]:
        patched = {**patched, **box_of(found)}
    after = seen(deployment(patched))

    assert replace(before.configuration, **changes) == after.configuration
    touched = ("--max-num-seqs", "--kv-cache-dtype")
    kept = [word for word in args if not word.startswith(touched)]
    assert kept == [word for word in patched["args"] if word in kept]
