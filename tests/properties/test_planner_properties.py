"""Laws that every plan keeps, on generated requests.

Covered: soundness, monotony, the replica to spare, invariance to order and to the scale of prices.
Not covered: brute force (test_brute_force.py), the time of a plan (benchmark), golden situations.
"""

import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import inf
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from costpolicy.api.types import CapacityType, TechniqueMode
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.options import offers
from costpolicy.planning.plan import Verdict
from costpolicy.planning.planner import cheapest, plan
from costpolicy.planning.request import limits_of, objectives_of
from costpolicy.units import Money
from situations import NOISE, asking, cost, dearer_or_equal, interruptible, latency_holds_back, situations


@given(situations())
def test_every_candidate_is_chosen_dominated_or_rejected_with_a_reason(given_: dict[str, Any]):
    asked = asking(given_)
    answer = plan(asked)

    assert int(answer.target is not None) == sum(one.verdict is Verdict.CHOSEN for one in answer.candidates)
    assert all(one.reason and one.message for one in answer.candidates)
    assert (answer.target is None) == (answer.infeasible is not None)


@given(situations(), st.sampled_from(["0.90", "8.00", "40.00"]), st.sampled_from(TechniqueMode), st.booleans())
def test_the_cheapest_target_is_that_of_the_plan(given_: dict[str, Any], budget: str, mode: TechniqueMode, runs: bool):
    techniques = {name: {"mode": mode} for name in ("quantization", "kvCacheQuantization")}
    asked = asking(given_, budget={"hourly": budget}, techniques=techniques)
    running = plan(asking(given_)).target if runs else None
    asked = replace(asked, running=running.configuration if running else None)

    assert plan(asked).target == cheapest(asked)


@given(situations(), st.sampled_from([1, 2, 3]), st.sampled_from(["0.90", "8.00", "40.00"]))
def test_a_plan_keeps_every_constraint(given_: dict[str, Any], promised: int, budget: str):
    asked = asking(given_, objectives={"availability": {"minReadyReplicas": promised}}, budget={"hourly": budget})
    target = plan(asked).target
    if target is None:
        return
    objectives, limits, configuration = objectives_of(asked.spec), limits_of(asked), target.configuration
    supply = next(one for one in asked.supplies if offers(one, configuration))
    replica = Evaluation(asked).replica(configuration, supply.offering.accelerator)
    context = asked.spec.model.context_length if asked.spec.model else None

    assert target.predicted.ttft.p95 * replica.margins.ttft <= (objectives.ttft_p95 or inf) * NOISE
    assert target.predicted.inter_token.p95 * replica.margins.inter_token <= (objectives.inter_token_p95 or inf) * NOISE
    assert target.memory.kv_cache_tokens >= (context or 0)
    assert configuration.tensor_parallel_size <= supply.offering.accelerators_per_node
    assert promised <= target.replicas <= (limits.max_replicas or 10**6)
    assert target.cost_per_hour <= Money.parse(budget)
    assert target.cost_per_hour == supply.offering.hourly * target.accelerators


@given(situations(), st.booleans())
def test_with_one_replica_missing_the_promise_is_still_kept(given_: dict[str, Any], spot: bool):
    kept = {} if spot else {"objectives": {"availability": {"minReadyReplicas": 2}}}
    asked = asking(given_, **kept)
    if spot:
        asked = interruptible(asked)
    target = plan(asked).target
    if target is None:
        return
    supply = next(one for one in asked.supplies if offers(one, target.configuration))
    replica = Evaluation(asked).replica(target.configuration, supply.offering.accelerator)

    assert target.replicas >= 2
    rate = asked.demand.requests_per_second / (target.replicas - 1)
    assert rate <= replica.capacity.requests_per_second * NOISE


@given(situations(), st.sampled_from(["0.99", "0.995", "1.00"]))
def test_spot_that_is_barely_cheaper_loses_where_the_spare_replica_costs_more(given_: dict[str, Any], share: str):
    """From ten replicas on one to spare is less than a tenth, so the share is one that no fleet here gets below."""
    asked = asking(given_)
    spot = interruptible(asked, Fraction(share))
    allowed = asked.spec.hardware.model_copy(update={"capacity_types": (CapacityType.SPOT, CapacityType.ON_DEMAND)})
    both = replace(
        asked,
        spec=asked.spec.model_copy(update={"hardware": allowed}),
        supplies=(*asked.supplies, *spot.supplies),
    )
    here, there = plan(asked).target, plan(both).target
    if here is not None and here.replicas < 100:
        assert there is not None
        assert there.configuration.capacity_type == CapacityType.ON_DEMAND


@given(situations(), st.sampled_from(["ttft", "inter_token", "both"]))
def test_a_looser_objective_never_costs_more(given_: dict[str, Any], which: str):
    tighter = asking(given_)
    looser = dict(given_)
    if which in {"ttft", "both"}:
        looser["ttft"] = "60s"
    if which in {"inter_token", "both"}:
        looser["inter_token"] = {}

    assert dearer_or_equal(cost(tighter), cost(asking(looser)))


@given(situations(), st.sampled_from([("1.00", "4.00"), ("4.00", "30.00")]))
def test_a_larger_budget_never_costs_more_and_never_takes_an_answer_away(
    given_: dict[str, Any], budgets: tuple[str, str]
):
    small, large = (cost(asking(given_, budget={"hourly": budget})) for budget in budgets)

    assert small is None or small == large


@given(situations())
def test_one_more_technique_never_costs_more(given_: dict[str, Any]):
    off = {
        "quantization": {"mode": "Disabled"},
        "kvCacheQuantization": {"mode": "Disabled"},
        "batching": {"mode": "Disabled"},
    }
    steps = [{**off}, {**off, "batching": {"mode": "Auto"}}]
    steps.append({**steps[-1], "quantization": {"mode": "Enabled"}})
    steps.append({**steps[-1], "kvCacheQuantization": {"mode": "Enabled"}})
    costs = [cost(asking(given_, techniques=step)) for step in steps]

    assert all(dearer_or_equal(fewer, more) for fewer, more in pairwise(costs))


@given(situations(), st.integers(0, 2), st.sampled_from([2, 5]))
def test_a_higher_price_never_costs_less(given_: dict[str, Any], which: int, factor: int):
    asked = asking(given_)
    index = which % len(asked.supplies)
    raised = tuple(
        replace(one, offering=replace(one.offering, hourly=one.offering.hourly * factor)) if at == index else one
        for at, one in enumerate(asked.supplies)
    )

    assert dearer_or_equal(cost(replace(asked, supplies=raised)), cost(asked))


@given(situations())
def test_fewer_sequences_than_the_default_come_with_the_latency_that_asks_for_them(given_: dict[str, Any]):
    asked = asking(given_)
    answer = plan(asked)
    if answer.target is None or answer.target.configuration.max_num_seqs is None:
        return
    configuration = answer.target.configuration
    supply = next(one for one in asked.supplies if offers(one, configuration))
    default = Evaluation(asked).replica(replace(configuration, max_num_seqs=None), supply.offering.accelerator)
    if (configuration.max_num_seqs or 0) < default.defaults.max_num_seqs:
        assert latency_holds_back(default, asked.demand.requests_per_second / answer.target.replicas)
        assert any("the latency objective binds" in told for told in answer.settings)


@given(situations())
def test_what_a_relaxed_objective_would_save_is_true(given_: dict[str, Any]):
    asked = asking(given_)
    answer = plan(asked)
    found = re.match(
        r"(TTFT|inter-token latency) p95 of .* costs ([0-9.]+) USD a month: ([0-9.]+) (ms|s) ", answer.why_not_cheaper
    )
    if found is None or answer.target is None:
        return
    name, saved, value, unit = found.groups()
    needed = round(float(value) * (1000 if unit == "s" else 1)) + (1 if unit == "ms" else 0)
    relaxed = dict(given_)
    if name == "TTFT":
        relaxed["ttft"] = f"{needed}ms"
    else:
        relaxed["inter_token"] = {"interTokenLatency": {"p95": f"{needed}ms"}}
    cheaper = plan(asking(relaxed)).target

    assert cheaper is not None
    assert (answer.target.cost_per_hour - cheaper.cost_per_hour).monthly() >= Money.parse(saved) - Money(10_000)


@given(situations(), st.sampled_from([2.0, 4.0]))
def test_more_load_never_costs_less(given_: dict[str, Any], factor: float):
    asked = asking(given_)
    rate = asked.demand.requests_per_second * factor
    busier = replace(asked, demand=replace(asked.demand, requests_per_second=rate))

    assert dearer_or_equal(cost(busier), cost(asked))


@given(situations())
def test_one_more_offering_never_costs_more(given_: dict[str, Any]):
    asked = asking(given_)
    fewer = replace(asked, supplies=asked.supplies[:1])

    assert dearer_or_equal(cost(fewer), cost(asked))


@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_offerings_does_not_matter(given_: dict[str, Any], random):
    asked = asking(given_)
    shuffled = list(asked.supplies)
    random.shuffle(shuffled)

    assert plan(asked).target == plan(replace(asked, supplies=tuple(shuffled))).target


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
