"""Releases that are behind: what the newest one can do here and they cannot, by planning anew.

Covered: money, capacity without money, no price where only speed could save.  Not covered: how much faster a release is,
for which no figure was published.
"""

from dataclasses import replace

import pytest

from asking import offered, request
from auditing import counting, healthy
from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.catalog.engines import engine, newest_engine
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest
from costpolicy.savings.audit.evidence import Evidence, Figure, Startup
from costpolicy.savings.audit.finding import Confidence, Found, Healthy
from costpolicy.savings.audit.release import RELEASE
from costpolicy.savings.replan import Replanner, Saving

SECONDS = 3600.0
MIXTURE = request(
    offered("nvidia-h200"),
    model={
        "name": "m",
        "source": {"huggingFace": {"repository": "deepseek-ai/DeepSeek-V3"}},
        "contextLength": 8192,
    },
    objectives={"ttft": {"p95": "4s"}},
    scaling={"maxReplicas": 40},
)
"""From 0.17 on a mixture's experts are shared out over data-parallel ranks, which takes half the accelerators."""


def serving(rate: float, version: str) -> Evidence:
    """An hour of the mixture at a rate (requests a second of 1,000 + 500 tokens)."""
    requests = rate * SECONDS
    run = counting(
        healthy(pricing=Replanner(MIXTURE), startup=Startup(release=engine(version))),
        {
            Figure.FIRST_TOKENS: requests,
            Figure.PROMPT_TOKENS: requests * 1000.0,
            Figure.CACHED_TOKENS: 0.0,
            Figure.GENERATED_TOKENS: requests * 500.0,
        },
    )
    assert run.span is not None
    return replace(run, span=run.span * SECONDS / run.span.total_seconds())


def found(run: Evidence) -> Found:
    answer = RELEASE.answer(run)
    assert isinstance(answer, Found)
    return answer


def saved(run: Evidence) -> Saving:
    saving = found(run).saving
    assert isinstance(saving, Saving)
    return saving


def accelerators(asking: PlanRequest) -> int:
    target = plan(asking).target
    assert target is not None
    return target.accelerators


def test_what_only_a_newer_release_can_do_is_worth_the_accelerators_that_go():
    run = serving(40.0, "0.16")
    demand = run.demand()
    assert not isinstance(demand, Missing)
    old, new = (accelerators(replace(MIXTURE, demand=demand, engine=one)) for one in (engine("0.16"), newest_engine()))

    assert saved(run).per_month.micros == (old - new) * 5_500_000 * 730 > 0
    assert 0 < saved(run).accelerators_freed <= old
    assert Confidence.LOW is found(run).confidence


def test_where_no_accelerator_goes_it_saves_no_money_and_frees_capacity():
    saving = saved(serving(8.0, "0.16"))  # eight accelerators either way, whose cache is a little larger from 0.20 on

    assert 0 == saving.per_month.micros
    assert saving.accelerators_freed > 0


def test_where_only_speed_could_save_there_is_no_price_and_no_zero():
    run = serving(40.0, "0.20")
    one = found(run)

    assert "no published figure for any step" in one.evidence
    assert isinstance(one.saving, Missing)
    assert Reason.NOT_STATED is one.saving.reason
    assert "the plan uses nothing here that vLLM 0.20.2 lacks" in one.saving.message


@pytest.mark.parametrize(
    "changes", [{"span": None}, {"pricing": Missing(reason=Reason.NOT_STATED, message="no model")}]
)
def test_without_a_span_or_a_model_it_has_no_price(changes: dict[str, object]):
    assert isinstance(found(replace(serving(40.0, "0.16"), **changes)).saving, Missing)


@pytest.mark.parametrize("behind", [0, 5])
def test_a_release_that_is_not_far_behind_is_healthy(behind: int):
    minor = newest_engine().minor[1] - behind
    assert Healthy() == RELEASE.answer(serving(40.0, f"0.{minor}"))


def test_how_far_it_is_behind_is_told():
    assert "vLLM 0.25.1 is 8 minor releases behind 0.33.0" in found(serving(40.0, "0.25")).evidence
