"""What can alter answers, on its way through the quality gate in a simulated cluster.

Covered: prompts that are too few, a canary that is no worse, one that is worse, one that cannot be told apart, Jobs that fail,
prompts that change meanwhile, savings that alter no answer beside all of these, pauses, replicas while prompts are asked, and
what becomes of the Jobs.
Not covered: single judgements (tests/unit/reconcile/test_gate.py), killed processes (tests/faults), the statistics
(tests/unit/quality).
"""

from dataclasses import replace

import pytest

from costpolicy.simulation.examination import Effect, Exam
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World
from stories import (
    FP8,
    H100,
    HOUR,
    KEY,
    L40S,
    MINUTE,
    QUARTER,
    conditions,
    examined,
    jobs,
    message,
    prices,
    ready_behind_the_service,
    reasons,
    reference_of,
    runs_on,
    weights,
    world,
)

ENOUGH = Exam(prompts=400)
WORSE = replace(ENOUGH, effects={FP8: Effect(discordance=0.1, loss=0.08)})
DOUBTFUL = replace(ENOUGH, effects={FP8: Effect(discordance=0.1, loss=0.02)})


def until(of: World, reason: str, minutes: int = 240) -> None:
    """Run on until a reason is told, and assert that nobody unproven ever answers clients."""
    for _ in range(minutes):
        of.run(MINUTE)
        if reason in reasons(of):
            return
    pytest.fail(f"{reason} was never told; {of.status(*KEY)['rollout']}; {reasons(of)}")


def serving_formats(of: World) -> set[str]:
    """Formats of weights behind the policy's Service."""
    return {moment.configuration.weights.value for moment in of.timeline if moment.offered}


def quality(of: World) -> dict:
    return of.status(*KEY).get("quality", {})


def test_without_an_evaluation_it_is_recommended_and_nothing_is_asked():
    made = examined(ENOUGH, quality={"maxLoss": "2%"})
    made.run(4 * HOUR)

    assert ["bf16"] == weights(made)
    assert "fp8" == made.status(*KEY)["recommended"]["weights"]
    assert [] == jobs(made)


def test_an_operator_that_does_not_know_its_image_asks_nothing():
    made = world()
    made.exams["default", "questions"] = ENOUGH
    made.apply(examined(ENOUGH).store.get(reference_of()))
    made.run(2 * HOUR)

    assert ["bf16"] == weights(made)
    assert [] == jobs(made)


def test_one_that_is_no_worse_is_asked_before_clients_are_and_then_proves_itself():
    made = examined(ENOUGH)
    until(made, "EvaluationRunning")
    assert ["bf16"] == weights(made)
    assert ("False", "EvaluationRunning") == conditions(made)["RolloutBlocked"]
    until(made, "RolloutStarted")
    assert "Adequate" == quality(made)["baseline"]["verdict"]
    assert 0 < quality(made)["baseline"]["margin"] < 0.02

    for _ in range(120):
        made.run(MINUTE)
        if "QualityProven" in reasons(made):
            break
        assert ["bf16", "fp8"] == weights(made)
        assert {"bf16"} == serving_formats(made) or _asked_alone(made)
    assert ("True", "Sharing") == conditions(made)["RolloutInProgress"]

    until(made, "Promoted")
    made.run(5 * MINUTE)
    assert ["fp8"] == weights(made)
    assert ("True", "QualityProven") == conditions(made)["QualityMaintained"]
    assert "of 400 prompts lost" in made.status(*KEY)["history"][0]["proof"]
    made.run(26 * HOUR, 5 * MINUTE)
    assert [] == jobs(made)
    assert ("True", "QualityProven") == conditions(made)["QualityMaintained"]
    assert 1 == reasons(made).count("Promoted")


def _asked_alone(of: World) -> bool:
    """Whether the policy's Service still names what served before."""
    return bool(ready_behind_the_service(of)) and ("True", "EvaluationRunning") == conditions(of)["RolloutInProgress"]


def test_prompts_that_are_too_few_cost_no_accelerator_and_are_told_with_how_many_would_do():
    made = examined(replace(ENOUGH, prompts=60, noise=0.05))
    until(made, "EvaluationTooSmall")
    made.run(26 * HOUR, 5 * MINUTE)

    assert ["bf16"] == weights(made)
    assert ("True", "EvaluationTooSmall") == conditions(made)["RolloutBlocked"]
    assert "prompts would do" in message(made, "RolloutBlocked")
    assert "RolloutStarted" not in reasons(made)
    assert 1 == reasons(made).count("EvaluationRunning")


def test_more_prompts_under_another_name_are_another_question():
    made = examined(replace(ENOUGH, prompts=60, noise=0.05))
    until(made, "EvaluationTooSmall")
    made.exams["default", "more"] = ENOUGH
    policy = made.store.get(reference_of())
    quality = {"maxLoss": "2%", "evaluation": {"prompts": {"configMapRef": {"name": "more"}}}}
    made.apply({**policy, "spec": {**policy["spec"], "quality": quality}})

    until(made, "Promoted")
    made.run(5 * MINUTE)
    assert ["fp8"] == weights(made)


@pytest.mark.parametrize(("exam", "reason"), [(WORSE, "QualityInferior"), (DOUBTFUL, "EvaluationInconclusive")])
def test_one_that_is_worse_or_not_told_apart_is_withdrawn_and_the_same_prompts_are_not_asked_again(
    exam: Exam, reason: str
):
    made = examined(exam)
    until(made, reason)
    made.run(26 * HOUR, 5 * MINUTE)
    made.run(2 * HOUR, 2 * MINUTE)

    assert {"bf16"} == serving_formats(made)
    assert ["bf16"] == weights(made)
    assert [reason] == [one["reason"] for one in quality(made)["refused"]]
    assert [reason] == [one["reason"] for one in made.status(*KEY)["rollout"]["rejected"]]
    assert reason == conditions(made)["RolloutBlocked"][1]
    assert 1 == reasons(made).count("RolloutStarted")
    assert 2 == reasons(made).count("EvaluationRunning")
    assert "recommended" not in made.status(*KEY)


@pytest.mark.parametrize("exam", [WORSE, DOUBTFUL, replace(ENOUGH, prompts=60, noise=0.05)])
def test_what_the_gate_stops_does_not_stop_savings_that_alter_no_answer(exam: Exam):
    made = examined(exam)
    made.run(6 * HOUR, 2 * MINUTE)
    assert [L40S] == [accelerator for accelerator, _ in runs_on(made)]
    made.apply(prices(h100="1.00"))
    made.run(6 * HOUR, 2 * MINUTE)

    assert [(H100, 1)] == runs_on(made)
    assert ["bf16"] == weights(made)


def test_a_job_that_fails_holds_with_what_its_pod_said_and_is_tried_again_the_next_day():
    made = examined(replace(ENOUGH, failing="costpolicy: prompts.jsonl: line 7: not JSON"))
    until(made, "EvaluationFailed")
    assert "line 7: not JSON" in message(made, "RolloutBlocked")
    assert ["bf16"] == weights(made)
    before = made.store.writes
    made.run(20 * MINUTE)
    assert before == made.store.writes

    made.exams["default", "questions"] = ENOUGH
    made.run(24 * HOUR, 5 * MINUTE)
    made.run(5 * HOUR, 2 * MINUTE)
    assert ["fp8"] == weights(made)


def test_a_canary_that_cannot_be_asked_gives_its_accelerators_back_after_an_hour():
    made = examined(ENOUGH)
    until(made, "RolloutStarted")
    made.exams["default", "questions"] = replace(ENOUGH, failing="no answer")
    until(made, "EvaluationFailed")
    assert ["bf16", "fp8"] == weights(made)
    made.run(HOUR + 5 * MINUTE)

    assert ["bf16"] == weights(made)
    assert ["EvaluationFailed"] == [one["reason"] for one in made.status(*KEY)["rollout"]["rejected"]]
    assert [] == quality(made).get("refused", [])
    assert {"bf16"} == serving_formats(made)


def test_prompts_that_were_changed_in_between_are_all_asked_again():
    made = examined(ENOUGH)
    until(made, "RolloutStarted")
    made.exams["default", "questions"] = replace(ENOUGH, edition="second")
    until(made, "Promoted")

    assert 4 == reasons(made).count("EvaluationRunning")
    made.run(5 * MINUTE)
    assert ["fp8"] == weights(made)


def test_nothing_is_asked_while_what_serves_misses_its_objective():
    made = examined(ENOUGH, scaling={"maxReplicas": 3})
    until(made, "EvaluationRunning")
    made.run(MINUTE)
    made.traffic[KEY] = Traffic(curve=Constant(15.0))
    made.run(5 * MINUTE)
    [job] = jobs(made)
    [pause] = made.store.kind("v1", "ConfigMap")
    assert job["metadata"]["name"] == pause["metadata"]["name"]
    assert "pause" in pause["data"]
    assert "conditions" not in job["status"]

    made.traffic[KEY] = Traffic(curve=Constant(5.0))
    until(made, "RolloutStarted")
    [pause] = made.store.kind("v1", "ConfigMap")
    assert not pause.get("data")


def test_no_replica_is_taken_away_while_prompts_are_asked():
    made = examined(replace(ENOUGH, prompts=1000), rate=5.0)
    until(made, "EvaluationRunning")
    before = sum(count for _, count in runs_on(made))
    made.traffic[KEY] = Traffic(curve=Constant(0.5))
    made.run(30 * MINUTE)

    assert before <= sum(count for _, count in runs_on(made))


def test_an_edit_is_followed_at_once_and_ends_what_is_being_asked():
    made = examined(ENOUGH)
    until(made, "EvaluationRunning")
    policy = made.store.get(reference_of())
    made.apply({**policy, "spec": {**policy["spec"], "engine": {"env": [{"name": "SETTING", "value": "1"}]}}})
    made.run(QUARTER)

    assert 1 <= ready_behind_the_service(made)
    until(made, "Promoted")


def test_a_policy_that_goes_takes_its_jobs_along_even_where_what_serves_stays():
    made = examined(ENOUGH, deletionPolicy="Orphan")
    until(made, "EvaluationRunning")
    made.run(2 * MINUTE)
    assert 1 == len(jobs(made))
    made.delete_policy(*KEY)

    assert [] == jobs(made)
    assert [] == list(made.store.kind("v1", "ConfigMap"))
    assert ["bf16"] == weights(made)


def test_it_is_written_down_once_and_not_in_every_cycle():
    made = examined(replace(ENOUGH, prompts=1000))
    until(made, "EvaluationRunning")
    made.run(10 * MINUTE)
    before = made.store.writes
    made.run(20 * MINUTE)

    assert before == made.store.writes
