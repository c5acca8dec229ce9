"""Laws of plans that may speculate: what a policy loosens never costs it more.

Covered: looser objectives step by step, less load, what speculation is for, nothing lost against a plan without it, brute
force.  Not covered: the same without a proposer (test_planner_properties), the model's laws (test_speculation_properties).

Capacity is found to a thousandth, so the dearer side of a comparison carries that much more load.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asking import PRICES, offered, request
from costpolicy.perf.latency import Binding
from costpolicy.planning.constraints import Question
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.judgement import judge
from costpolicy.planning.options import Option, offers, options
from costpolicy.planning.plan import Target
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest, limits_of

NOISE = 1.002
STEPS = (10, 14, 20, 25, 30, 38, 50, 65, 90, 130, 200, 400, None)
"""Inter-token objectives in milliseconds, the last of which is none."""
TTFTS = ("150ms", "500ms", "2s", "20s")
PROPOSERS: tuple[dict[str, Any], ...] = (
    {"method": "eagle", "model": "example/head"},
    {"method": "eagle3", "model": "example/head", "tokens": 6},
    {"method": "draft_model", "model": "meta-llama/Llama-3.2-1B", "tokens": 2},
)


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    """Few values instead of a whole request, so that a failing example can be read."""
    return {
        "names": draw(st.lists(st.sampled_from(sorted(PRICES)), min_size=1, max_size=2, unique=True)),
        "context": draw(st.sampled_from([8192, 32768])),
        "ttft": draw(st.sampled_from(TTFTS)),
        "rate": draw(st.floats(0.05, 80.0)),
        "prompt": draw(st.sampled_from([100, 500, 2000, 6000])),
        "output": draw(st.sampled_from([50, 300, 1000])),
        "promised": draw(st.sampled_from([1, 2])),
        "proposer": draw(st.sampled_from(PROPOSERS)),
    }


def asking(given_: dict[str, Any], inter_token: int | None, **changed: Any) -> PlanRequest:
    said = given_ | changed
    promised = {} if inter_token is None else {"interTokenLatency": {"p95": f"{inter_token}ms"}}
    return request(
        offered(*said["names"]),
        model={"contextLength": said["context"]},
        objectives={
            "ttft": {"p95": said["ttft"]},
            "availability": {"minReadyReplicas": said["promised"]},
            **promised,
        },
        traffic={
            "requestsPerSecond": said["rate"],
            "promptTokens": said["prompt"],
            "outputTokens": said["output"],
        },
        scaling={"maxReplicas": 1000},
        techniques={"quantization": {"mode": "Disabled"}, "speculativeDecoding": said["proposer"]},
    )


def price(asked: PlanRequest) -> float:
    """What the plan costs; no plan is the dearest of all."""
    found = plan(asked).target
    return float("inf") if found is None else float(found.cost_per_hour.micros)


CORNER = {
    "names": ["nvidia-l40s"],
    "context": 8192,
    "ttft": "2s",
    "rate": 20.0,
    "prompt": 2000,
    "output": 300,
    "promised": 1,
    "proposer": PROPOSERS[0],
}
"""Where speculation stops being called for between 130 ms and 200 ms, and its throughput once made the tighter one cheaper."""

LONG_PROMPTS = {**CORNER, "names": ["nvidia-h100-80gb"], "ttft": "20s", "rate": 61.0, "prompt": 6000}
"""Where prompts make steps so long that at 25 ms a quarter of the sequences serves more whose decoding would keep it."""


@pytest.mark.thorough
@given(situations())
@example(CORNER)
@example({**CORNER, "names": ["nvidia-a10g"]})
@example(LONG_PROMPTS)
def test_a_looser_inter_token_objective_never_costs_more(given_: dict[str, Any]):
    tighter = [price(asking(given_, step, rate=given_["rate"] * NOISE)) for step in STEPS]
    looser = [price(asking(given_, step)) for step in STEPS]

    assert all(one >= other for one, other in zip(tighter, looser[1:], strict=False))


@given(situations(), st.sampled_from(STEPS))
def test_a_looser_ttft_objective_never_costs_more(given_: dict[str, Any], inter_token: int | None):
    for tight, loose in pairwise(TTFTS):
        dearest = price(asking(given_, inter_token, ttft=tight, rate=given_["rate"] * NOISE))
        assert dearest >= price(asking(given_, inter_token, ttft=loose))


@given(situations(), st.sampled_from(STEPS), st.floats(0.3, 0.98))
def test_less_load_never_costs_more(given_: dict[str, Any], inter_token: int | None, share: float):
    rate = given_["rate"]

    assert price(asking(given_, inter_token, rate=rate)) >= price(asking(given_, inter_token, rate=rate * share))


@given(situations(), st.sampled_from(STEPS))
def test_a_plan_speculates_only_where_it_is_cheaper_and_the_same_without_misses_inter_token_latency(
    given_: dict[str, Any], inter_token: int | None
):
    asked = asking(given_, inter_token)
    found = plan(asked).target
    without = asking(given_, inter_token, proposer={"mode": "Disabled"})
    if found is None or found.configuration.proposer is None:
        assert price(asked) == price(without)
        return
    supply = next(one for one in asked.supplies if offers(one, found.configuration))
    usual = replace(
        found.configuration,
        proposer=None,
        max_num_seqs=None,
        max_num_batched_tokens=None,
        gpu_memory_utilization=None,
        api_servers=None,
    )
    plain = Evaluation(asked).replica(usual, supply.offering.accelerator)
    carrying = found.replicas - int(given_["promised"] > 1)

    assert price(asked) < price(without)
    assert plain.capacity.binding is Binding.INTER_TOKEN
    assert plain.capacity.requests_per_second * carrying < asked.demand.requests_per_second


def settings_of(asked: PlanRequest, option: Option) -> Iterator[Option]:
    """Every step budget and number of sequences, in no relation to what holds an option back."""
    default = option.replica.defaults
    for tokens, sequences in product((None, 2048, 4096, 8192, 16384), (None, 16, 32, 64, 128)):
        if sequences is not None and sequences >= default.max_num_seqs:
            continue
        changed = replace(option.configuration, max_num_batched_tokens=tokens, max_num_seqs=sequences)
        yield replace(option, configuration=changed, replica=Evaluation(asked).replica(changed, option.accelerator))


@given(situations(), st.sampled_from(STEPS))
def test_no_setting_of_an_engine_that_speculates_would_be_cheaper(given_: dict[str, Any], inter_token: int | None):
    asked = asking(given_, inter_token)
    evaluation = Evaluation(asked)
    question = Question(request=asked, evaluation=evaluation)
    judged = (
        judge(variant, question, limits_of(asked))
        for option in options(asked, asked.supplies, evaluation, gate=False)
        if option.plain is not None
        for variant in settings_of(asked, option)
    )
    best = min((found.cost_per_hour.micros for found in judged if isinstance(found, Target)), default=None)

    assert best is None or price(asked) <= best
