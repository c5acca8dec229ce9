"""Reasons of candidates that no other test of the planner produces, each with the message that a reader gets.

Not covered: the reasons that test_planner.py tells a story about.
"""

from asking import FEW_LONG_ANSWERS, INT8_CHECKPOINT, LLAMA_70B, candidate, offered, request
from builders import offering
from costpolicy.api.types import CapacityType
from costpolicy.planning.planner import plan


def told(found) -> tuple[str, str]:
    return found.reason, found.message


def test_an_accelerator_that_the_policy_does_not_name():
    answer = plan(request(hardware={"accelerators": ["nvidia-l4"]}))

    reason, message = told(candidate(answer, "nvidia-h100-80gb"))
    assert "AcceleratorNotAllowed" == reason
    assert "hardware.accelerators" in message


def test_a_kind_of_capacity_that_the_policy_does_not_name():
    answer = plan(request((offering(), offering(capacity_type=CapacityType.SPOT, hourly="1.00"))))

    reason, message = told(candidate(answer, "nvidia-h100-80gb", capacity_type=CapacityType.SPOT))
    assert "CapacityTypeNotAllowed" == reason
    assert "Spot" in message


def test_heads_that_cannot_be_shared_out():
    source = {"huggingFace": {"repository": "Qwen/Qwen2.5-7B-Instruct"}}
    hopeless = {"ttft": {"p95": "1ms"}}  # or the larger candidates would only be dearer
    answer = plan(request(offered("nvidia-h100-80gb"), model={"name": "qwen", "source": source}, objectives=hopeless))

    found = candidate(answer, "nvidia-h100-80gb", tensor_parallel_size=8)
    assert ("TensorParallelShape", "28 attention heads cannot be split 8 ways") == told(found)


def test_a_replica_that_is_larger_than_a_node():
    answer = plan(request((offering(accelerators_per_node=1),), model=LLAMA_70B))

    assert "NeedsMultiNode" == candidate(answer, "nvidia-h100-80gb", tensor_parallel_size=2).reason


def test_a_cheaper_format_that_nobody_accepted():
    answer = plan(
        request(
            offered("nvidia-a100-80gb"),
            model={**LLAMA_70B, "checkpoints": INT8_CHECKPOINT},
            objectives={"ttft": {"p95": "3s"}},
            traffic=FEW_LONG_ANSWERS,
        )
    )

    reason, message = told(candidate(answer, "nvidia-a100-80gb", tensor_parallel_size=1, weights="int8"))
    assert "NeedsQualityGate" == reason
    assert "can alter answers" in message
