"""Laws that every plan keeps, on generated requests.

Covered: soundness, brute force, monotony, invariance to order and to the scale of prices.
Not covered: the time of a plan (benchmark), golden situations.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from asking import PRICES, offered, request
from costpolicy.perf.latency import Binding, Unpredictable
from costpolicy.planning.constraints import Question
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.judgement import judge
from costpolicy.planning.options import Option, options
from costpolicy.planning.plan import Target, Verdict
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest, limits_of
from costpolicy.units import GIB, Money

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
        "inter_token": draw(
            st.sampled_from([{}, {"interTokenLatency": {"p95": "25ms"}}, {"interTokenLatency": {"p95": "60ms"}}])
        ),
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
        objectives={"ttft": {"p95": given_["ttft"]}, **given_["inter_token"]},
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


def settings_of(asked: PlanRequest, option: Option) -> Iterator[Option]:
    """Every combination of the engine's settings for an option, in no relation to what holds it back."""
    default = option.replica.defaults
    served = option.replica.served
    seats = 0.0 if isinstance(served, Unpredictable) else served.kv_seats
    limit = option.replica.most_inter_token
    fewer = [one for one in (16, 32, 64, 128, 256, 512) if one < min(default.max_num_seqs, seats)]
    kept = limit is not None and not isinstance(served, Unpredictable)
    fewer = [one for one in fewer if served.decode_step(one) <= limit][-2:] if kept else []
    more = [default.max_num_seqs * factor for factor in (2, 4) if seats > default.max_num_seqs * factor / 2]
    outside = option.accelerator.memory_bytes * 0.05 - option.replica.memory.graph_bytes
    for tokens, sequences, memory in product(
        (None, 2048, 4096, 8192, 16384), (None, *fewer, *more), (None, 0.95) if outside >= GIB else (None,)
    ):
        changed = replace(
            option.configuration,
            max_num_batched_tokens=tokens,
            max_num_seqs=sequences,
            gpu_memory_utilization=memory,
        )
        yield replace(option, configuration=changed, replica=Evaluation(asked).replica(changed, option.accelerator))


def needless(option: Option, found: Target, asked: PlanRequest) -> bool:
    """Whether fewer sequences than the engine's default were taken although latency does not ask for it."""
    configuration = option.configuration
    if (configuration.max_num_seqs or 10**6) >= option.replica.defaults.max_num_seqs:
        return False
    default = replace(configuration, max_num_seqs=None)
    replica = Evaluation(asked).replica(default, option.accelerator)
    return replica.shortfall(asked.demand.requests_per_second / found.replicas) not in (
        Binding.TTFT,
        Binding.INTER_TOKEN,
    )


@settings(max_examples=10)
@given(situations())
def test_equals_brute_force_over_all_options_and_settings(given_: dict[str, Any]):
    asked = asking({**given_, "names": given_["names"][:2]})
    evaluation = Evaluation(asked)
    question = Question(request=asked, evaluation=evaluation)
    every = [
        outcome
        for option in options(asked, asked.supplies, evaluation, gate=False)
        for variant in settings_of(asked, option)
        if isinstance(outcome := judge(variant, question, limits_of(asked)), Target)
        and not needless(variant, outcome, asked)
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
