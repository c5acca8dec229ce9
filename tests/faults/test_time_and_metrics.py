"""Clocks that jump and metrics of which a part is missing: nothing is taken away on doubt.

Covered: an hour forth and back, at rest and while replicas wait to grow; each question unanswered; half of them.
Not covered: Prometheus as a whole gone (tests/scenarios/test_load.py), values that are wrong (tests/contract/observe).
"""

from datetime import timedelta

import pytest

from costpolicy.observe.fleet import ObserveSettings
from costpolicy.observe.questions import QUESTIONS
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.reconciler import Defaults, Reconciler
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World
from faulty import Deaf, WrongClock
from stories import HOUR, KEY, L40S, MINUTE, QUARTER, chat, conditions, reasons, runs_on, totals, world

SETTINGS = ObserveSettings()
ONLY_L40S = {"accelerators": [L40S]}


def loaded(rate: float = 12.0, **spec: object) -> World:
    """A world with more load than the policy expects, and the replicas for it."""
    made = world()
    made.apply(chat(hardware=ONLY_L40S, **spec))
    made.traffic[KEY] = Traffic(curve=Constant(rate))
    made.run(QUARTER + QUARTER)
    assert 2 < runs_on(made)[0][1]
    return made


def operate_by(made: World, clock: WrongClock) -> None:
    """Give the operator, and nobody else, another clock."""
    watch = FleetWatch(made.gateway, made.metrics, clock, SETTINGS)
    made._reconciler = Reconciler(made.gateway, watch, clock, Defaults())


@pytest.mark.parametrize("error", [HOUR, -HOUR, timedelta(days=30)])
def test_a_clock_that_jumps_and_returns_shrinks_nothing(error: timedelta):
    made = loaded()
    before, clock = runs_on(made), WrongClock(made.clock)
    operate_by(made, clock)
    jumped = made.clock.now()
    for wrong in (error, timedelta(0), error, timedelta(0)):
        clock.error = wrong
        made.run(7 * MINUTE)

    assert before == runs_on(made)
    assert {before[0][1]} == set(totals(made, jumped).values())
    assert ("True", "Serving") == conditions(made)["Ready"]


def test_growth_that_waits_is_not_forgotten_when_the_clock_is_set_back():
    made = loaded(scaling={"stabilization": {"scaleUp": "3m"}})
    before, clock = runs_on(made), WrongClock(made.clock)
    clock.error = HOUR
    operate_by(made, clock)
    made.run(MINUTE)
    made.traffic[KEY] = Traffic(curve=Constant(24.0))
    made.run(2 * MINUTE)
    clock.error = timedelta(0)
    made.run(10 * MINUTE)

    assert before < runs_on(made)


@pytest.mark.parametrize("name", QUESTIONS)
def test_one_question_without_an_answer_shrinks_nothing(name: str):
    """The traffic is heavier than the policy says: what is assumed in its place must not count as less load."""
    made = world()
    made.apply(chat(hardware=ONLY_L40S, traffic={"requestsPerSecond": 1, "promptTokens": 200, "outputTokens": 50}))
    made.traffic[KEY] = Traffic(curve=Constant(10.0))
    made.run(QUARTER + QUARTER)
    before = runs_on(made)
    question = QUESTIONS[name](SETTINGS.scope())
    deaf = Deaf(made.metrics, lambda asked: asked == question)
    watch = FleetWatch(made.gateway, deaf, made.clock, SETTINGS)
    made._reconciler = Reconciler(made.gateway, watch, made.clock, Defaults())
    made.run(12 * MINUTE)

    assert before == runs_on(made)


@pytest.mark.parametrize("half", [0, 1])
def test_half_of_the_answers_missing_shrinks_nothing(half: int):
    made = loaded()
    before = runs_on(made)
    asked = {ask(SETTINGS.scope()) for ask in list(QUESTIONS.values())[half::2]}
    deaf = Deaf(made.metrics, lambda question: question in asked)
    watch = FleetWatch(made.gateway, deaf, made.clock, SETTINGS)
    made._reconciler = Reconciler(made.gateway, watch, made.clock, Defaults())
    made.run(QUARTER)

    assert before == runs_on(made)
    assert ("True", "Serving") == conditions(made)["Ready"]
    assert "RolloutStarted" not in reasons(made)
