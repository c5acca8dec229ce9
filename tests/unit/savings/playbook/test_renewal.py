"""When a playbook's plans are made anew.

Covered: at once after what somebody decided, within the hour after what moved far, daily after what moved a little; an
unfinished playbook becomes whole.  Not covered: what the plans say (test_playbook.py).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asking import request
from builders import configuration
from costpolicy.catalog.engines import engine
from costpolicy.planning.demand import Demand
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest
from costpolicy.savings.playbook.renewal import LASTS, RESTS, carried_on
from costpolicy.savings.playbook.replans import Case, Replans

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DEMAND = Demand(
    requests_per_second=10.0, prompt_tokens=1000.0, output_tokens=250.0, cached_tokens=200.0, source="Observed"
)
ASKED = replace(request(hardware={"accelerators": ["nvidia-h100-80gb"]}, scaling={"maxReplicas": 100}), demand=DEMAND)


def asked(**changes: Any) -> PlanRequest:
    """The same question with another demand."""
    return replace(ASKED, demand=replace(DEMAND, **changes))


def begun(abandoned: float = 0.0) -> Replans:
    return carried_on(None, ASKED, plan(ASKED), abandoned, NOW)


@pytest.fixture(scope="module")
def whole() -> Replans:
    found = begun()
    while not found.complete:
        found = found.with_one_more()
    return found


def renewed(before: Replans, now: PlanRequest, after: timedelta, abandoned: float = 0.0) -> bool:
    """Whether other plans than those of before are made for a question."""
    return carried_on(before, now, plan(now), abandoned, NOW + after).begun != before.begun


DECIDED = (
    replace(ASKED, engine=engine("0.20.0")),
    replace(ASKED, running=configuration()),
    replace(ASKED, supplies=ASKED.supplies[1:]),
    replace(request(hardware={"accelerators": ["nvidia-h100-80gb"]}, scaling={"maxReplicas": 7}), demand=DEMAND),
    asked(source="Spec"),
)


@pytest.mark.parametrize("now", DECIDED, ids=("engine", "what runs", "offerings", "policy", "no guess any more"))
def test_what_somebody_decided_is_planned_at_once_but_not_before_the_playbook_is_whole(
    whole: Replans, now: PlanRequest
):
    assert renewed(whole, now, MINUTE)
    assert not renewed(begun(), now, MINUTE)


FAR = (
    {"requests_per_second": 12.1},
    {"requests_per_second": 7.9},
    {"prompt_tokens": 1250.0},
    {"output_tokens": 190.0},
    {"cached_tokens": 401.0},
)


@pytest.mark.parametrize("changes", FAR, ids=str)
def test_a_demand_that_leaves_its_band_waits_until_the_playbook_is_an_hour_old(
    whole: Replans, changes: dict[str, float]
):
    assert not renewed(whole, asked(**changes), RESTS - MINUTE)
    assert renewed(whole, asked(**changes), RESTS)


NEAR = (
    {"requests_per_second": 11.0},
    {"prompt_tokens": 1100.0},
    {"output_tokens": 230.0},
    {"cached_tokens": 300.0},
)


@pytest.mark.parametrize("changes", NEAR, ids=str)
def test_a_demand_within_its_band_waits_for_a_day(whole: Replans, changes: dict[str, float]):
    assert not renewed(whole, asked(**changes), LASTS - MINUTE)
    assert renewed(whole, asked(**changes), LASTS)


def test_a_load_that_needs_another_plan_is_no_small_one(whole: Replans):
    small = asked(requests_per_second=11.9)
    dearer = plan(asked(requests_per_second=40.0))

    assert whole is carried_on(whole, small, plan(ASKED), 0.0, NOW + RESTS)
    assert small is carried_on(whole, small, dearer, 0.0, NOW + RESTS).request


def test_a_storm_is_in_the_playbook_within_the_hour(whole: Replans):
    assert not renewed(whole, ASKED, RESTS, abandoned=0.04)
    assert renewed(whole, ASKED, RESTS, abandoned=0.06)
    assert renewed(whole, ASKED, LASTS, abandoned=0.04)


def test_without_any_change_a_playbook_stays_for_good(whole: Replans):
    assert whole is carried_on(whole, ASKED, plan(ASKED), 0.0, NOW + 30 * LASTS)


def test_a_load_that_flutters_does_not_keep_a_playbook_from_becoming_whole():
    found = begun()
    for minute in range(len(Case)):
        now = asked(requests_per_second=10.0 + 10.0 * (minute % 2))
        found = carried_on(found, now, plan(now), 0.0, NOW + minute * MINUTE)

    assert found.complete
    assert ASKED is found.request


def test_after_a_clock_that_was_set_back_a_playbook_is_made_anew(whole: Replans):
    assert renewed(whole, asked(requests_per_second=11.0), -LASTS)
