"""What the answers of an evaluation lead to, and for how long that is remembered.

Covered: every verdict, edits of prompts and of the loss to accept, prompts that change meanwhile, evaluations that cannot end.
Not covered: when something is asked (test_gate).
"""

from datetime import timedelta
from typing import Any

import pytest

from costpolicy.reconcile.gate import MENDED_WITHIN
from gating import DOUBTFUL, MANY, PLAIN, PROMPTS, SAME, SOME, Gate, contested, spec


def test_no_worse_goes_on_and_says_what_was_shown(gate: Gate):
    contested(gate, SAME)
    gate.settle()

    assert ["fp8"] == gate.formats()
    assert ("True", "QualityProven") == gate.stage.condition("QualityMaintained")
    assert "a loss of 1.80% of the prompts is ruled out" in gate.message("QualityMaintained")
    assert gate.stage.status().history[0].proof.startswith("0 of 400 prompts lost, 0 gained; ")


@pytest.mark.parametrize(
    ("pairs", "reason", "told"),
    [
        (MANY, "QualityInferior", ("False", "QualityInferior")),
        (DOUBTFUL, "EvaluationInconclusive", ("True", "EvaluationInconclusive")),
    ],
)
def test_worse_or_not_told_apart_is_withdrawn_and_remembered(
    gate: Gate, pairs: tuple[int, int], reason: str, told: tuple[str, str]
):
    contested(gate, pairs)
    gate.settle(30)

    assert ["bf16"] == gate.formats()
    assert told == gate.blocked
    assert [(reason, "fp8")] == [(one.reason, one.weights) for one in gate.stage.status().quality.refused]
    assert [reason] == [one.reason for one in gate.stage.status().rollout.rejected]
    assert 2 == len(gate.stage.jobs())
    assert gate.stage.status().recommended is None


def test_what_was_refused_is_not_asked_again_after_an_edit_of_something_else(gate: Gate):
    contested(gate, DOUBTFUL)
    gate.stage.edit(**spec(scaling={"maxReplicas": 9}))
    gate.settle(20)

    assert ["bf16"] == gate.formats()
    assert ["EvaluationInconclusive"] == [one.reason for one in gate.stage.status().quality.refused]


def test_a_checkpoint_that_was_mended_is_asked_although_the_former_one_in_its_place_was_refused(gate: Gate):
    gate.stage.edit(**spec(**with_checkpoint("first-try")))
    gate.settle()
    contested(gate, MANY)
    gate.settle(30)
    assert [("QualityInferior", 0)] == [(one.reason, one.checkpoint) for one in gate.stage.status().quality.refused]

    gate.stage.edit(**spec(**with_checkpoint("second-try")))
    gate.settle(12)
    assert ["bf16", "int8"] == gate.formats()
    gate.end(SAME)
    gate.settle()
    assert ["int8"] == gate.formats()
    assert ("True", "QualityProven") == gate.stage.condition("QualityMaintained")


def with_checkpoint(revision: str) -> dict[str, Any]:
    source = {"huggingFace": {"repository": "example/chat-int8", "revision": revision}}
    techniques = {**PLAIN, "quantization": {"mode": "Auto", "formats": ["int8"]}}
    return {"model": {"checkpoints": [{"format": "int8", "source": source}]}, "techniques": techniques}


def test_other_prompts_are_another_question(gate: Gate):
    contested(gate, DOUBTFUL)
    quality = {"maxLoss": "2%", "evaluation": {"prompts": {"configMapRef": {"name": "more"}}}}
    gate.stage.edit(**spec(quality=quality))
    gate.settle(12)

    assert () == gate.stage.status().quality.refused
    assert ("False", "EvaluationRunning") == gate.blocked
    assert 3 == len(gate.stage.jobs())


def test_what_was_refused_for_a_smaller_loss_is_judged_anew_for_a_larger_one(gate: Gate):
    contested(gate, DOUBTFUL)
    gate.stage.edit(**spec(quality={"maxLoss": "10%", "evaluation": PROMPTS}))
    gate.settle(20)

    assert () == gate.stage.status().quality.refused
    assert ["fp8"] == gate.formats()
    assert 2 == len(gate.stage.jobs())


def test_another_loss_is_judged_by_the_answers_that_are_there(gate: Gate):
    gate.end(SOME, prompts=60)
    gate.settle()
    before = gate.stage.jobs()
    gate.stage.edit(**spec(quality={"maxLoss": "40%", "evaluation": PROMPTS}))
    gate.settle(2)

    assert before == gate.stage.jobs()
    assert ("Adequate", "40%") == (
        gate.stage.status().quality.baseline.verdict,
        gate.stage.status().quality.baseline.max_loss,
    )


def test_where_the_prompts_have_changed_meanwhile_both_are_asked_again(gate: Gate):
    gate.end()
    gate.settle(4)
    gate.end(digest="second")
    decision = gate.stage.step()

    assert 2 == len([ref for ref in decision.deletions if ref.kind == "Job"])
    assert gate.stage.status().quality.baseline is None
    gate.stage.evaluations.clear()
    gate.settle(2)
    assert 1 == len(gate.stage.jobs())
    gate.end(digest="second")
    gate.settle(3)
    gate.end(digest="second")
    gate.settle()
    assert ["fp8"] == gate.formats()


def test_a_canary_that_cannot_be_asked_is_withdrawn_after_an_hour(gate: Gate):
    gate.end()
    gate.settle(4)
    gate.fail("no answer")
    gate.settle(2)
    assert ("True", "EvaluationFailed") == gate.blocked
    assert ["bf16", "fp8"] == gate.formats()

    gate.stage.now += MENDED_WITHIN
    gate.settle(3)
    assert ["bf16"] == gate.formats()
    assert ["EvaluationFailed"] == [one.reason for one in gate.stage.status().rollout.rejected]
    assert () == gate.stage.status().quality.refused


def test_an_evaluation_without_end_is_given_up_after_a_day(gate: Gate):
    gate.end()
    gate.settle(4)
    gate.stage.now += timedelta(hours=25)
    gate.settle(2)

    assert ["bf16"] == gate.formats()
    assert "CanaryNeverReady" == gate.stage.status().rollout.rejected[0].reason
    assert "could not be compared for a day" in gate.stage.status().rollout.message
