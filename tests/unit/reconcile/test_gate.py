"""The quality gate as decisions: what is asked when, what its answers lead to, and what never waits for it.

Covered: every reason of the gate, edits and the user's word, lost nodes, Jobs that fail, prompts that change, pauses.
Not covered: time, load and Jobs that really end (tests/scenarios/test_gate.py), the statistics (tests/unit/quality).
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from builders import node, offering, policy
from costpolicy.api.evaluated import MOST_REFUSED, RefusedAnswers
from costpolicy.api.reasons import Reason
from costpolicy.api.types import JudgeType
from costpolicy.manifests.evaluation_job import PAUSE_KEY, contest_of
from costpolicy.manifests.record import read_record
from costpolicy.observe.latency import Tail
from costpolicy.quality.result import Arm, EvaluationResult
from costpolicy.reconcile.evaluations import Asked, Failed
from costpolicy.reconcile.gate import MENDED_WITHIN, RESTS_FOR
from staging import NO_METRICS, Stage

TRAFFIC = {"requestsPerSecond": 5, "promptTokens": 1000, "outputTokens": 250}
AUTO = {"mode": "Auto", "cooldown": "0s", "canary": {"duration": "0s"}}
PLAIN = {name: {"mode": "Disabled"} for name in ("kvCacheQuantization", "batching")}
PROMPTS = {"prompts": {"configMapRef": {"name": "questions"}}}
SAME, SOME, MANY, DOUBTFUL = (0, 0), (3, 3), (60, 2), (20, 12)
"""Pairs lost and gained, of 400."""


@dataclass
class Gate:
    """A policy in Auto that serves bf16 weights on two L40S, where one with FP8 weights would do."""

    stage: Stage

    def settle(self, minutes: int = 8) -> None:
        """Decide until nothing changes, everything ready."""
        for _ in range(minutes):
            self.stage.all_ready()
            self.stage.step()

    def end(self, pairs: tuple[int, int] = SAME, prompts: int = 400, digest: str = "first", took: int = 600) -> None:
        """The Job that still asks has asked everything."""
        [name] = [one for one in self.stage.jobs() if one not in self.stage.evaluations]
        lost, gained = pairs
        result = EvaluationResult(
            prompts_digest=digest,
            judge=JudgeType.EXACT,
            both_right=int(prompts * 0.9) - lost,
            lost=lost,
            gained=gained,
            both_wrong=prompts - int(prompts * 0.9) - gained,
            identical=prompts - lost - gained,
            baseline=Arm(),
            canary=Arm(),
        )
        self._over(name)
        now = self.stage.now
        self.stage.evaluations[name] = Asked(
            contest=contest_of(self.stage.children["Job", name]),
            result=result,
            began=now - timedelta(seconds=took),
            ended=now,
        )

    def fail(self, message: str = "line 7: not JSON") -> None:
        """The Job that still asks has given up."""
        [name] = [one for one in self.stage.jobs() if one not in self.stage.evaluations]
        self._over(name)
        self.stage.evaluations[name] = Failed(message=message, ended=self.stage.now)

    def _over(self, name: str) -> None:
        self.stage.children["Job", name]["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}

    def formats(self) -> list[str]:
        """Formats of the weights of what runs, oldest first."""
        records = [read_record(item) for item in self.stage.deployments()]
        return [record.configuration.weights.value for record in records if record is not None]

    def shares(self) -> bool:
        """Whether the policy's Service sends clients to more than what serves."""
        return self.stage.serving() is None

    @property
    def blocked(self) -> tuple[str, str]:
        return self.stage.condition("RolloutBlocked")

    def message(self, kind: str = "RolloutBlocked") -> str:
        return next(one.message for one in self.stage.status().conditions if one.type == kind)


def spec(**changes: Any) -> dict[str, Any]:
    techniques = {**PLAIN, "quantization": {"mode": "Auto", "formats": ["fp8"]}}
    return {
        "traffic": TRAFFIC,
        "rollout": AUTO,
        "techniques": techniques,
        "quality": {"maxLoss": "2%", "evaluation": PROMPTS},
        **changes,
    }


@pytest.fixture
def gate(measured) -> Gate:
    stage = Stage(
        policy(**spec()),
        offerings=(offering("nvidia-l40s", "1.86"),),
        observed=measured(5.0),
        evaluator_image="registry.example/operator:1",
    )
    made = Gate(stage)
    made.settle()
    return made


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


def contested(gate: Gate, pairs: tuple[int, int], digest: str = "first") -> None:
    gate.end()
    gate.settle(4)
    gate.end(pairs, digest=digest)
    gate.settle(2)


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


def slow(gate: Gate, seconds: float) -> None:
    """What serves answers with that p95 of the time to first token."""
    observed = gate.stage.observed
    variant = replace(
        observed.variants[0],
        variant=gate.stage.deployments()[0]["metadata"]["labels"]["costpolicy.dev/variant"],
        ttft=Tail(value=seconds, lower=seconds, upper=seconds),
    )
    gate.stage.observed = replace(observed, variants=(variant,))


def pause(gate: Gate) -> str | None:
    [job] = gate.stage.jobs()
    found: str | None = (gate.stage.children["ConfigMap", job].get("data") or {}).get(PAUSE_KEY)
    return found


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
