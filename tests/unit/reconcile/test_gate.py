"""The quality gate as decisions: what is asked when, what stops it before an accelerator is spent, and what makes it pause.

Covered: prompts that are missing, too few, or fail; when the new variant is asked; pauses; what the wait costs.
Not covered: what answers lead to (test_gate_verdicts), what never waits (test_gate_precedence), time and Jobs that really end
(tests/scenarios/test_gate.py), the statistics (tests/unit/quality).
"""

from dataclasses import replace

import pytest

from builders import offering, policy
from costpolicy.manifests.evaluation_job import contest_of
from costpolicy.reconcile.gate import RESTS_FOR
from gating import AUTO, PROMPTS, SOME, Gate, pause, slow, spec
from staging import NO_METRICS, Stage


def test_what_serves_is_asked_twice_before_an_accelerator_is_spent(gate: Gate):
    [job] = gate.stage.jobs()

    contest = contest_of(gate.stage.children["Job", job])
    assert contest.baseline == contest.canary == gate.stage.serving()
    assert ["bf16"] == gate.formats()
    assert ("False", "EvaluationRunning") == gate.blocked
    assert job in gate.message()


@pytest.mark.parametrize("missing", ["evaluation", "image", "lmEval"])
def test_without_prompts_or_somebody_to_ask_them_it_is_only_recommended(measured, missing: str):
    quality = {"evaluation": {"maxLoss": "2%"}, "lmEval": {"evaluation": {"lmEval": {"tasks": ["gsm8k"]}}}}
    image = "" if missing == "image" else "registry.example/operator:1"
    asked = spec(quality=quality.get(missing, {"evaluation": PROMPTS}))
    stage = Stage(policy(**asked), (offering("nvidia-l40s", "1.86"),), observed=measured(5.0), evaluator_image=image)
    gate = Gate(stage)
    gate.settle()

    assert [] == stage.jobs()
    assert stage.status().recommended.weights == "fp8"
    assert ("False", "Steady") == gate.blocked


def test_too_few_prompts_stop_it_and_say_how_many_would_do(gate: Gate):
    gate.end(SOME, prompts=60)
    gate.settle()

    assert ["bf16"] == gate.formats()
    assert ("True", "EvaluationTooSmall") == gate.blocked
    assert "prompts would do" in gate.message()
    assert "TooSmall" == gate.stage.status().quality.baseline.verdict


def test_where_nothing_is_answered_rightly_it_says_so(gate: Gate):
    [name] = gate.stage.jobs()
    gate.end()
    found = gate.stage.evaluations[name]
    wrong = found.result.model_copy(update={"both_right": 0, "both_wrong": 400})
    gate.stage.evaluations[name] = replace(found, result=wrong)
    gate.settle()

    assert ("True", "EvaluationTooSmall") == gate.blocked
    assert "answers no prompt rightly" in gate.message()


def test_an_evaluation_that_failed_holds_in_its_pods_words(gate: Gate):
    gate.fail()
    gate.settle()

    assert ("True", "EvaluationFailed") == gate.blocked
    assert "line 7: not JSON" in gate.message()
    assert ["bf16"] == gate.formats()


def test_a_failed_one_that_somebody_deletes_is_asked_again(gate: Gate):
    [job] = gate.stage.jobs()
    gate.fail()
    gate.settle()
    del gate.stage.children["Job", job], gate.stage.evaluations[job]
    gate.settle()

    assert [job] == gate.stage.jobs()
    assert ("False", "EvaluationRunning") == gate.blocked


def test_enough_prompts_begin_the_change_and_fix_the_margin(gate: Gate):
    gate.end(took=900)
    gate.settle(2)

    assert ["bf16", "fp8"] == gate.formats()
    baseline = gate.stage.status().quality.baseline
    assert ("Adequate", 900) == (baseline.verdict, baseline.seconds)
    assert 0.018 == pytest.approx(baseline.margin)


def test_the_new_variant_is_asked_once_it_is_ready_and_clients_are_not_sent_to_it(gate: Gate):
    gate.end()
    gate.stage.step()
    gate.stage.step()
    assert 1 == len(gate.stage.jobs())
    gate.settle(2)

    pilot, contest = (contest_of(gate.stage.children["Job", job]) for job in gate.stage.jobs())
    assert pilot.baseline == contest.baseline == gate.stage.serving()
    assert contest.canary == gate.stage.status().rollout.to_variant
    assert ("True", "EvaluationRunning") == gate.stage.condition("RolloutInProgress")
    assert "Evaluating" == gate.stage.status().rollout.phase
    assert not gate.shares()


def test_clients_go_first_and_for_a_while_after(gate: Gate):
    slow(gate, 0.2)
    gate.stage.step()
    assert pause(gate) is None
    slow(gate, 5.0)
    gate.stage.step()
    first = pause(gate)
    assert first is not None
    gate.stage.step()
    assert first == pause(gate)

    slow(gate, 0.2)
    gate.stage.step()
    assert first == pause(gate)
    gate.stage.now += RESTS_FOR
    gate.stage.step()
    assert pause(gate) is None


def test_while_metrics_cannot_be_read_a_pause_stays_as_it_is(gate: Gate):
    slow(gate, 5.0)
    gate.stage.step()
    first = pause(gate)
    gate.stage.observed = NO_METRICS
    gate.stage.now += 2 * RESTS_FOR
    gate.stage.step()

    assert first == pause(gate)
    assert 1 == len(gate.stage.jobs())


def test_nothing_is_asked_of_what_is_not_ready(gate: Gate):
    stable = gate.stage.deployments()[0]
    gate.stage.ready[stable["metadata"]["name"]] = 0
    stable["status"] = {"readyReplicas": 0}
    gate.stage.step()
    assert pause(gate) is not None


def test_the_time_that_a_canary_stands_by_is_charged_to_the_change(gate: Gate):
    gate.stage.edit(**spec(rollout={**AUTO, "paybackHorizon": "1h"}))
    gate.settle()
    gate.end(took=4 * 3600)
    gate.settle()

    assert ["bf16"] == gate.formats()
    assert ("False", "DoesNotPayBack") == gate.blocked
