"""Laws that every plan keeps, on generated requests.

Covered: soundness, brute force, monotony, invariance to order and to the scale of prices.
Not covered: the time of a plan (benchmark), golden situations.
"""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from asking import PRICES, offered, request
from costpolicy.planning.constraints import Question
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.options import options, other_batches
from costpolicy.planning.plan import Target, Verdict
from costpolicy.planning.planner import judge, plan
from costpolicy.planning.request import PlanRequest, limits_of
from costpolicy.units import Money

names = st.lists(st.sampled_from(sorted(PRICES)), min_size=1, max_size=3, unique=True)
ttfts = st.sampled_from(["150ms", "300ms", "800ms", "2s"])
rates = st.sampled_from([0.1, 1, 5, 20, 60])
tokens = st.sampled_from([100, 1000, 4000])


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    """Few values instead of a whole request, so that a failing example can be read."""
    return {
        "names": draw(names),
        "context": draw(st.sampled_from([8192, 32768])),
        "ttft": draw(ttfts),
        "rate": draw(rates),
        "prompt": draw(tokens),
        "output": draw(tokens),
        "replicas": draw(st.sampled_from([2, 50])),
        "quantization": draw(st.sampled_from(["Enabled", "Disabled"])),
    }


def asking(given_: dict[str, Any]) -> PlanRequest:
    return request(
        offered(*given_["names"]),
        model={"contextLength": given_["context"]},
        objectives={"ttft": {"p95": given_["ttft"]}},
        traffic={
            "requestsPerSecond": given_["rate"],
            "promptTokens": given_["prompt"],
            "outputTokens": given_["output"],
        },
        scaling={"maxReplicas": given_["replicas"]},
        techniques={"quantization": {"mode": given_["quantization"]}},
    )


def cost(asked: PlanRequest) -> Money | None:
    found = plan(asked).target
    return found.cost_per_hour if found else None


def dearer_or_equal(one: Money | None, other: Money | None) -> bool:
    """Whether one plan costs at least as much as the other; no plan is the dearest of all."""
    return one is None or (other is not None and one >= other)


@settings(max_examples=25)
@given(situations())
def test_equals_brute_force_over_all_options(given_: dict[str, Any]):
    asked = asking(given_)
    question = Question(request=asked, evaluation=Evaluation(asked))
    every = [
        outcome
        for option in options(asked, asked.supplies, gate=False)
        for variant in (option, *other_batches(asked, option))
        if isinstance(outcome := judge(variant, question, limits_of(asked)), Target)
    ]

    best = min((found.cost_per_hour for found in every), default=None)
    assert best == cost(asked)


@settings(max_examples=25)
@given(situations())
def test_every_candidate_is_chosen_dominated_or_rejected_with_a_reason(given_: dict[str, Any]):
    asked = asking(given_)
    answer = plan(asked)

    assert int(answer.target is not None) == sum(one.verdict is Verdict.CHOSEN for one in answer.candidates)
    assert all(one.reason and one.message for one in answer.candidates)
    assert (answer.target is None) == (answer.infeasible is not None)


@settings(max_examples=20)
@given(situations(), st.sampled_from([2.0, 4.0]))
def test_more_load_never_costs_less(given_: dict[str, Any], factor: float):
    asked = asking(given_)
    rate = asked.demand.requests_per_second * factor
    busier = replace(asked, demand=replace(asked.demand, requests_per_second=rate))

    assert dearer_or_equal(cost(busier), cost(asked))


@settings(max_examples=20)
@given(situations())
def test_one_more_offering_never_costs_more(given_: dict[str, Any]):
    asked = asking(given_)
    fewer = replace(asked, supplies=asked.supplies[:1])

    assert dearer_or_equal(cost(fewer), cost(asked))


@settings(max_examples=20)
@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_offerings_does_not_matter(given_: dict[str, Any], random):
    asked = asking(given_)
    shuffled = list(asked.supplies)
    random.shuffle(shuffled)

    assert plan(asked).target == plan(replace(asked, supplies=tuple(shuffled))).target


@settings(max_examples=20)
@given(situations(), st.sampled_from([3, 10]))
def test_the_scale_of_prices_does_not_change_the_choice(given_: dict[str, Any], factor: int):
    asked = asking(given_)
    scaled = tuple(
        replace(supply, offering=replace(supply.offering, hourly=supply.offering.hourly * factor))
        for supply in asked.supplies
    )
    here, there = plan(asked).target, plan(replace(asked, supplies=scaled)).target

    assert (here and here.configuration) == (there and there.configuration)
    assert (here and here.cost_per_hour * factor) == (there and there.cost_per_hour)
