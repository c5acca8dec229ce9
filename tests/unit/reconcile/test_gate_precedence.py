"""What never waits for the quality gate, and what the gate does not stop.

Covered: plans that alter no answer, edits and the user's word, lost nodes and lost Spot, so many refusals that nothing is left.
Not covered: when something is asked (test_gate).
"""

import pytest

from builders import node, offering
from costpolicy.api.evaluated import MOST_REFUSED, RefusedAnswers
from costpolicy.api.reasons import Reason
from gating import AUTO, MANY, SOME, Gate, contested, spec
from on_spot import BOTH, on_spot, spot_node


@pytest.mark.parametrize("stopped", ["TooSmall", "Failed", "Inferior"])
def test_what_is_stopped_stops_no_plan_that_alters_no_answer(gate: Gate, stopped: str):
    match stopped:
        case "TooSmall":
            gate.end(SOME, prompts=60)
        case "Failed":
            gate.fail()
        case _:
            contested(gate, MANY)
    gate.settle()
    gate.stage.offerings = (offering("nvidia-l40s", "1.86"), offering("nvidia-h100-80gb", "1.00"))
    gate.settle(20)

    names = [
        item["spec"]["template"]["metadata"]["labels"]["costpolicy.dev/accelerator"]
        for item in gate.stage.deployments()
    ]
    assert ["nvidia-h100-80gb"] == names


def test_a_saving_beside_the_best_plain_plan_that_is_too_small_is_not_worth_asking(gate: Gate):
    gate.stage.offerings = (offering("nvidia-l40s", "1.86"), offering("nvidia-h100-80gb", "1.90"))
    [job] = gate.stage.jobs()
    del gate.stage.children["Job", job]
    gate.settle(20)

    names = [
        item["spec"]["template"]["metadata"]["labels"]["costpolicy.dev/accelerator"]
        for item in gate.stage.deployments()
    ]
    assert ["nvidia-h100-80gb"] == names
    assert [] == gate.stage.jobs()


def test_an_edit_goes_first_and_ends_what_is_being_asked(gate: Gate):
    gate.stage.edit(**spec(engine={"env": [{"name": "SETTING", "value": "1"}]}))
    decision = gate.stage.step()

    assert ["Job"] == [ref.kind for ref in decision.deletions]
    assert ["bf16", "bf16"] == gate.formats()


@pytest.mark.parametrize("word", [{"hold_until": "2027-01-01T00:00:00Z"}, {"rollback": "now"}])
def test_the_users_word_goes_first(gate: Gate, word: dict[str, str]):
    gate.stage.annotate(**word)
    gate.settle(2)

    assert [] == gate.stage.jobs()
    assert ["bf16"] == gate.formats()


def test_the_users_word_takes_back_a_canary_that_is_being_asked(gate: Gate):
    gate.end()
    gate.settle(4)
    gate.stage.annotate(rollback="now")
    gate.settle(2)

    assert ["bf16"] == gate.formats()
    assert 1 == len(gate.stage.jobs())


def test_with_nodes_lost_there_is_nothing_to_compare_with_and_the_canary_goes(gate: Gate):
    gate.end()
    gate.settle(4)
    stable = gate.stage.deployments()[0]["metadata"]["name"]
    gate.stage.offerings = (offering("nvidia-l40s", "1.86"), offering("nvidia-h100-80gb", "9.00"))
    gate.stage.nodes = (node("h100"),)
    gate.stage.ready[stable] = 0
    gate.stage.deployments()[0]["status"] = {"readyReplicas": 0}
    gate.stage.step()

    assert "EvaluationFailed" == gate.stage.status().rollout.rejected[0].reason
    assert "nothing left to compare" in gate.stage.status().rollout.message
    assert not gate.shares()


def test_one_that_is_asked_is_never_all_that_serves_even_where_downtime_is_allowed(gate: Gate):
    gate.stage.edit(**spec(rollout={**AUTO, "allowDowntime": True}))
    gate.settle(2)
    gate.stage.nodes = (node("l40s", "nvidia-l40s", 2),)
    if not gate.stage.jobs():
        gate.settle()
    gate.end()
    gate.settle(6)

    assert "bf16" in gate.formats()
    assert gate.stage.serving() == gate.stage.status().rollout.from_variant or ["bf16"] == gate.formats()


def test_so_much_was_refused_that_nothing_else_is_tried(gate: Gate):
    status = gate.stage.status()
    refused = tuple(
        RefusedAnswers(
            key=f"int8/{index}/auto",
            weights="int8",
            checkpoint=index,
            kv_cache_dtype="auto",
            reason=Reason.QUALITY_INFERIOR,
            message="lost",
        )
        for index in range(MOST_REFUSED)
    )
    quality = status.quality.model_copy(update={"refused": refused})
    gate.stage.policy = gate.stage.policy.model_copy(update={"status": status.model_copy(update={"quality": quality})})
    [job] = gate.stage.jobs()
    del gate.stage.children["Job", job]
    gate.settle(10)

    assert [] == gate.stage.jobs()
    assert ("False", "QualityInferior") == gate.blocked


def test_while_spot_is_lost_nothing_is_asked(measured):
    stage = on_spot(
        **spec(hardware={"accelerators": ["nvidia-l40s"], **BOTH}, scaling={"maxReplicas": 20}),
    )
    stage.observed = measured(5.0)
    gate = Gate(stage)
    gate.settle()
    stage.nodes = (spot_node(unschedulable=True), stage.nodes[1])
    stage.evaluator_image = "registry.example/operator:1"
    gate.settle()

    assert ("False", "SpotLost") == gate.blocked
    assert [] == stage.jobs()

    stage.nodes = (spot_node(), stage.nodes[1])
    gate.settle(45)

    assert 1 == len(stage.jobs())
