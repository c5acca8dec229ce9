"""An API server that fails, answers late or shows yesterday's world.

Covered: each kind of error at each call of a first deployment and of a change, taken effect or not; reads that lag.
Not covered: which HTTP answer is which error (tests/unit/kube/test_connection.py); back-off (tests/unit/runtime).
"""

from datetime import timedelta

import pytest

from costpolicy.kube.errors import Conflict, Forbidden, GatewayError, Gone, Unavailable
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World
from faulty import FailingOnce, Lagging, run_on
from stories import KEY, MINUTE, QUARTER, chat, children, conditions, runs_on, totals, world

FIRST, SECOND = {"accelerators": ["nvidia-l40s"]}, {"accelerators": ["nvidia-h100-80gb"]}
SPREAD = (1, 2, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 25)
"""Calls of the first deployment are dense; later ones repeat."""


def first_deployment(made: World) -> None:
    made.restart_operator()
    made.apply(chat(hardware=FIRST))
    made.traffic[KEY] = Traffic(curve=Constant(2.0))
    run_on(made, 8 * MINUTE)


def names(of: World) -> list[tuple[str, str]]:
    return [(item["kind"], item["metadata"]["name"]) for item in children(of)]


@pytest.fixture(scope="module")
def healthy() -> list[tuple[str, str]]:
    made = world()
    first_deployment(made)
    return names(made)


@pytest.mark.parametrize("done", [False, True], ids=["not-done", "answer-lost"])
@pytest.mark.parametrize("number", SPREAD)
def test_a_request_that_times_out_is_made_again_whether_it_took_effect_or_not(number: int, done: bool, healthy):
    made = world()
    failing = FailingOnce(made.gateway, number, Unavailable("429 or 500 or no answer in time"), done=done)
    made.gateway = failing  # type: ignore[assignment]
    first_deployment(made)

    assert failing.left <= 0
    assert healthy == names(made)
    assert [("nvidia-l40s", 1)] == runs_on(made)
    assert ("True", "Serving") == conditions(made)["Ready"]


@pytest.mark.parametrize("error", [Conflict("409: it changed"), Gone("404: it went"), Forbidden("403: not now")])
@pytest.mark.parametrize("number", SPREAD[3:10])
def test_a_refusal_that_passes_leaves_no_trace(number: int, error: GatewayError, healthy):
    made = world()
    failing = FailingOnce(made.gateway, number, error)
    made.gateway = failing  # type: ignore[assignment]
    first_deployment(made)

    assert failing.left <= 0
    assert healthy == names(made)
    assert ("True", "Serving") == conditions(made)["Ready"]
    assert "False" == conditions(made)["Stalled"][0]


@pytest.mark.parametrize("lag", [MINUTE, 3 * MINUTE])
def test_reads_that_lag_double_nothing_and_interrupt_nothing(lag: timedelta):
    made = world()
    made.gateway = Lagging(made.gateway, made.clock, lag)  # type: ignore[assignment]
    first_deployment(made)
    made.run(QUARTER)
    made.apply(chat(hardware=SECOND))
    made.run(QUARTER)
    made.run(QUARTER)

    assert [("nvidia-h100-80gb", 1)] == runs_on(made)
    assert 3 == len(names(made))
    assert 2 >= max(totals(made).values())
    served = [moment for moment in made.timeline if moment.offered]
    assert {2.0} == {moment.offered for moment in served[1:] if moment.replicas == moment.ready}
