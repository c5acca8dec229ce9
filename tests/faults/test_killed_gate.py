"""The operator's process ends after the k-th change of the world, for every k, while answers are compared.

Covered: an evaluation of what serves, one of a canary that is promoted, a plain change that is rolled back because its engines
are slower than predicted, and a night; that no way to answer gets to clients unproven, whatever is lost; what runs, who owns
it, what status says, and that nothing is asked more often than without a kill.
Not covered: a canary that is worse (tests/scenarios/test_gate.py); events, which are best effort.
"""

from collections.abc import Iterator

import pytest

from costpolicy.simulation.examination import Exam
from costpolicy.simulation.world import World
from faulty import Life, slower
from stories import HOUR, KEY, L40S, MINUTE, QUESTIONS, children, essence, examined, prices, reasons, runs_on, weights

A100 = "nvidia-a100-80gb"
"""Its engines are slower than predicted."""
STEP = 2 * MINUTE
CHAPTERS = ((90 * MINUTE, {}), (45 * MINUTE, {"a100": "0.30"}), (HOUR, {}))
"""Answers compared, a worse plan, and a night."""
CHANGES = 80
"""How often the operator changes the world in this story; asserted below."""
EXAM = Exam(prompts=150, seconds=4.0)
QUALITY = {"maxLoss": "5%", "evaluation": {"prompts": QUESTIONS}}


def book(a100: str = "9.00"):
    document = prices(h100="20.00")
    offered = {"accelerator": A100, "capacityType": "OnDemand", "hourly": a100}
    return {**document, "spec": {**document["spec"], "offerings": [*document["spec"]["offerings"], offered]}}


@pytest.fixture(scope="module", autouse=True)
def slow_a100() -> Iterator[None]:
    with slower(A100, 20):
        yield


def told(kill_after: int | None = None) -> tuple[World, int]:
    """Tell the story; return the world and how often it was changed before the kill."""
    nights = [
        {"schedule": "20 10 * * *", "minReplicas": 0, "maxReplicas": 0},
        {"schedule": "50 10 * * *", "minReplicas": 1},
    ]
    rollout = {"mode": "Auto", "cooldown": "5m", "canary": {"duration": "5m"}}
    made = examined(EXAM, 4.0, book(), rollout=rollout, quality=QUALITY, scaling={"schedules": nights})
    made.cluster.add_node("a100", A100, 8)
    life = Life(made, kill_after, STEP)
    for length, changed in CHAPTERS:
        if changed:
            made.apply(book(**changed))
        life.run(length, _nothing_unproven)
    return made, life.changes


def _nothing_unproven(made: World) -> None:
    assert _unproven(made) <= {"bf16"}


def _unproven(made: World) -> set[str]:
    """Formats that clients got while nothing was known of them."""
    proven = [one["weights"] for one in made.status(*KEY).get("quality", {}).get("proven", ())]
    behind = {
        moment.configuration.weights.value for moment in made.timeline[-4:] if moment.offered and not _asking(made)
    }
    return behind - set(proven)


def _asking(made: World) -> bool:
    return made.status(*KEY).get("rollout", {}).get("phase") == "Evaluating"


@pytest.fixture(scope="module")
def undisturbed() -> tuple[World, int]:
    return told()


def test_the_story_has_an_evaluation_a_promotion_a_rollback_and_a_night(undisturbed: tuple[World, int]):
    made, changes = undisturbed
    seen = {moment.configuration.accelerator for moment in made.timeline}

    assert {L40S, A100} == seen
    assert [moment for moment in made.timeline if moment.replicas == 0]
    assert ["fp8"] == weights(made)
    assert [(L40S, 1)] == runs_on(made)
    assert ["CanaryMissesObjective"] == [one["reason"] for one in made.status(*KEY)["rollout"]["rejected"]]
    assert 2 == reasons(made).count("EvaluationRunning")
    assert CHANGES == changes


@pytest.mark.parametrize("k", range(1, CHANGES + 1))
def test_killed_after_any_change_it_ends_where_it_would_have_ended(k: int, undisturbed: tuple[World, int]):
    expected, made = undisturbed[0], told(k)[0]

    assert essence(expected) == essence(made)
    assert len(children(expected)) == len(children(made))
    assert 2 >= reasons(made).count("EvaluationRunning")
