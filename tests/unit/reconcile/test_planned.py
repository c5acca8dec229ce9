"""The planner's last answer: it is used for the same question only.

Covered: the same question, and each part of the world that makes another one of it.  Not covered: what the planner
answers (tests/unit/planning).
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from builders import node, offering, policy
from costpolicy.reconcile.decide import decide
from costpolicy.reconcile.decision import Decision
from staging import Stage

BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}


@pytest.fixture
def stage() -> Stage:
    made = Stage(policy(traffic=BUSY))
    made.settle()
    return made


def told(stage: Stage, before: Decision) -> Decision:
    """The decision of an operator that remembers an answer that nobody else would give."""
    assert before.planned is not None
    doctored = replace(before.planned, plan=replace(before.planned.plan, why_not_cheaper="as remembered"))
    return decide(replace(stage.snapshot(), planned=doctored), stage.now)


def test_the_same_question_is_not_asked_again(stage: Stage):
    before = stage.step()

    assert "as remembered" == told(stage, before).status.why_not_cheaper


def _price(stage: Stage, _measured) -> None:
    stage.offerings = (offering("nvidia-l40s", "9.99"), offering())


def _stock(stage: Stage, _measured) -> None:
    stage.nodes = (node("l40s", "nvidia-l40s", 8), node("h100", count=4))


def _load(stage: Stage, measured) -> None:
    stage.observed = measured(40.0)


def _edit(stage: Stage, _measured) -> None:
    stage.edit(traffic=BUSY, hardware={"accelerators": ["nvidia-h100-80gb"]})


@pytest.mark.parametrize("change", [_price, _stock, _load, _edit])
def test_another_question_is_answered_as_if_nothing_were_remembered(
    change: Callable[..., None], stage: Stage, measured
):
    before = stage.step()
    change(stage, measured)

    found, fresh = told(stage, before), decide(stage.snapshot(), stage.now)
    assert (fresh, fresh.planned) == (found, found.planned)
    assert "as remembered" != found.status.why_not_cheaper


def test_what_is_remembered_is_what_the_planner_said(stage: Stage):
    first = stage.step()
    again, fresh = (
        decide(replace(stage.snapshot(), planned=first.planned), stage.now),
        decide(stage.snapshot(), stage.now),
    )

    assert (fresh, fresh.planned) == (again, again.planned)
