"""Questions without a sensible answer get `infeasible` with a reason, never a crash and never an empty plan.

Not covered: documents that the API refuses (tests/unit/api).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from asking import INT8_CHECKPOINT, LLAMA_70B, offered, request
from builders import offering
from costpolicy.api.types import CapacityType
from costpolicy.cli.main import main
from costpolicy.planning.plan import Plan
from costpolicy.planning.planner import plan

DEEPSEEK = {"name": "large", "source": {"huggingFace": {"repository": "deepseek-ai/DeepSeek-V3"}}}


def refused(answer: Plan) -> tuple[str, str]:
    """Reason and message of an answer that is none, and nothing that could be taken for a plan beside it."""
    assert answer.target is None
    assert answer.infeasible is not None
    assert answer.why_not_cheaper == ""
    return answer.infeasible.reason, answer.infeasible.message


def test_no_offering_is_no_price():
    assert refused(plan(request(())))[0] == "NoPrice"


def test_hardware_that_contradicts_the_price_book():
    asked = request(offered("nvidia-l4"), hardware={"accelerators": ["nvidia-l4"], "capacityTypes": ["Spot"]})

    reason, message = refused(plan(asked))
    assert reason == "CapacityTypeNotAllowed"
    assert "OnDemand is not allowed" in message


def test_a_cap_of_one_accelerator_on_a_model_that_needs_two():
    asked = request(offered("nvidia-a100-80gb"), model=LLAMA_70B, hardware={"maxAccelerators": 1})

    reason, message = refused(plan(asked))
    assert reason == "MaxAccelerators"
    assert "spec.hardware.maxAccelerators is 1" in message


def test_a_million_requests_a_second():
    traffic = {"requestsPerSecond": 1e6, "promptTokens": 1000, "outputTokens": 250}

    reason, message = refused(plan(request(traffic=traffic)))
    assert reason == "MaxReplicas"
    assert "spec.scaling.maxReplicas is" in message


def test_prompts_of_a_million_tokens():
    traffic = {"requestsPerSecond": 1, "promptTokens": 1_000_000, "outputTokens": 250}

    reason, message = refused(plan(request(traffic=traffic)))
    assert reason == "ContextDoesNotFit"
    assert "1,000,000 + 250 tokens" in message


@pytest.mark.parametrize("rate", [None, 0.0001])
def test_no_traffic_to_speak_of_is_planned_for_one_request_at_a_time(rate: float | None):
    traffic: dict[str, Any] = {} if rate is None else {"traffic": {"requestsPerSecond": rate}}
    answer = plan(request(**traffic))

    assert answer.target is not None
    assert answer.target.replicas == 1
    assert answer.target.predicted.ttft.p95 > 0


def test_requests_of_one_token_are_planned():
    answer = plan(request(traffic={"requestsPerSecond": 0, "promptTokens": 1, "outputTokens": 1}))

    assert answer.target is not None


def test_a_model_that_is_larger_than_every_replica():
    reason, message = refused(plan(request(offered("nvidia-l4", "nvidia-t4"), model=DEEPSEEK)))

    assert reason == "DoesNotFit"
    assert "GiB of each of 8" in message


def test_a_model_that_only_nodes_together_could_hold():
    alone = tuple(offering(name, "5.00", accelerators_per_node=1) for name in ("nvidia-h100-80gb", "nvidia-h200"))

    reason, message = refused(plan(request(alone, model=DEEPSEEK)))
    assert reason in {"DoesNotFit", "NeedsMultiNode"}
    assert message


def test_a_format_without_a_checkpoint_leaves_the_model_s_own():
    asked = {"quantization": {"mode": "Enabled", "formats": ["awq"]}}
    answer = plan(
        request(offered("nvidia-a100-80gb"), model=LLAMA_70B, techniques=asked, hardware={"maxAccelerators": 1})
    )

    reasons = {one.reason for one in answer.candidates if one.configuration.weights == "awq"}
    assert refused(answer)[0] == "MaxAccelerators"
    assert "NeedsCheckpoint" in reasons


def test_spot_without_room_for_the_spare_replica():
    spot = offering("nvidia-h100-80gb", "1.00", capacity_type=CapacityType.SPOT)
    asked = request((spot,), hardware={"capacityTypes": ["Spot"]}, scaling={"maxReplicas": 1})

    reason, message = refused(plan(asked))
    assert reason == "MaxReplicas"
    assert "2 replicas are needed" in message


@pytest.mark.parametrize(
    "spec",
    [
        {"objectives": {"ttft": {"p95": "1ms"}}},
        {"traffic": {"requestsPerSecond": 1e6}},
        {"traffic": {"promptTokens": 1_000_000}},
        {
            "hardware": {"accelerators": ["nvidia-t4"]},
            "model": {**LLAMA_70B, "checkpoints": INT8_CHECKPOINT},
        },
        {"budget": {"hourly": "0.01"}},
    ],
)
def test_the_command_says_no_with_a_reason(spec: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = {"name": "chat", "source": {"huggingFace": {"repository": "meta-llama/Llama-3.1-8B"}}}
    document = {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "CostPolicy",
        "metadata": {"name": "chat"},
        "spec": {"model": model, "objectives": {"ttft": {"p95": "1s"}}, **spec},
    }
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(document))

    assert main(["plan", "-f", str(file), "-o", "json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["target"] is None
    assert answer["infeasible"]["message"]
