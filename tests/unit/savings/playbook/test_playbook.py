"""The playbook of a policy: states, money by planning anew, order.

Covered: every row and every state that it can have, money that is the difference of two plans, what is not guessed, one
plan at a time.  Not covered: when plans are made anew (test_renewal.py), how rows get into the status
(tests/unit/reconcile/test_played.py).
"""

from dataclasses import replace
from typing import Any

import pytest

from asking import INT8_CHECKPOINT, LLAMA_70B
from builders import configuration
from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.techniques import techniques
from costpolicy.planning.configuration import Proposer
from costpolicy.planning.demand import Demand
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest
from costpolicy.savings.playbook.facts import Routed, Row, State, Traffic
from costpolicy.savings.playbook.playbook import playbook, recommended
from costpolicy.savings.playbook.renewal import carried_on
from costpolicy.savings.playbook.replans import Case
from costpolicy.savings.playbook.techniques import ROWS
from costpolicy.units import ZERO, Money
from replanning import BUSY, HEALTHY, NOW, UNSEEN, book, cost, facts, question, row


def test_every_technique_of_the_catalogue_has_its_row():
    assert set(techniques()) == set(ROWS)
    assert set(techniques()) == {play.technique.name for play in book(question()).plays}


def test_rows_are_sorted_by_saving_over_effort_and_the_unknown_come_last():
    plays = book(question()).plays

    assert [play.worth for play in plays] == sorted((play.worth for play in plays), reverse=True)
    known = [play.row.saves is not None for play in plays]
    assert known == sorted(known, reverse=True)


def test_prefix_caching_is_worth_what_a_plan_without_it_costs_more():
    asked = question()
    found = row(book(asked), "prefix-caching")

    uncached = cost(replace(asked, demand=replace(BUSY, cached_tokens=0.0)))
    assert Row(State.APPLIED, Money((uncached - cost(asked)) * 730), found.reason) == found
    assert found.saves is not None
    assert found.saves.micros > 0
    assert "83% of prompt tokens" in found.reason


def test_prefix_caching_that_is_forbidden_is_blocked_and_not_priced_by_guess():
    found = row(book(question(techniques={"prefixCaching": {"mode": "Disabled"}})), "prefix-caching")
    assert (State.BLOCKED, None) == found[:2]


LARGE = Demand(requests_per_second=0.2, prompt_tokens=500.0, output_tokens=150.0, source="Spec")


def seventy(running: Any = None, mode: str = "Auto") -> PlanRequest:
    """A 70B model on A100s with a checkpoint in INT8: two accelerators, or one."""
    return question(
        LARGE,
        running,
        model={**LLAMA_70B, "checkpoints": INT8_CHECKPOINT},
        objectives={"ttft": {"p95": "5s"}},
        hardware={"accelerators": ["nvidia-a100-80gb"]},
        techniques={"quantization": {"mode": mode}, "kvCacheQuantization": {"mode": "Disabled"}},
    )


INT8 = configuration(accelerator="nvidia-a100-80gb", weights=WeightFormat.INT8, checkpoint=0)


@pytest.mark.parametrize(
    ("mode", "changes", "state", "said"),
    [
        ("Auto", {}, State.RECOMMENDED, "give prompts for the quality gate"),
        ("Auto", {"gate": True}, State.RECOMMENDED, "planned as the mode allows"),
        ("Auto", {"refused": True}, State.BLOCKED, "the quality gate did not let it pass"),
        ("Disabled", {}, State.BLOCKED, "spec.techniques.quantization is Disabled"),
        ("Auto", {"running": INT8}, State.APPLIED, "weights are served in int8"),
    ],
)
def test_quantization_of_the_70b_model_is_worth_one_of_two_accelerators(mode, changes, state, said):
    found = row(book(seventy(changes.get("running"), mode), **changes), "quantization")

    assert (state, Money.parse("3.00").monthly()) == found[:2]
    assert said in found.reason


def test_quantization_that_releases_no_accelerator_is_not_applicable():
    quiet = replace(BUSY, requests_per_second=1.0)
    assert (State.NOT_APPLICABLE, ZERO) == row(book(question(quiet)), "quantization")[:2]


def test_a_quantized_cache_that_serves_is_applied():
    running = configuration(kv_cache_dtype=KvCacheDtype.FP8)
    found = row(book(question(running=running), running=running), "kv-cache-quantization")
    assert State.APPLIED is found.state


def test_a_storm_is_recommended_with_what_a_plan_without_it_costs_less():
    asked = question()
    storm = replace(HEALTHY, abandoned=0.3)
    found = row(book(asked, 0.3, traffic=storm), "retry-storms")

    calm = cost(replace(asked, demand=replace(BUSY, requests_per_second=BUSY.requests_per_second * 0.7)))
    assert (State.RECOMMENDED, Money((cost(asked) - calm) * 730)) == found[:2]
    assert "30% of generated tokens" in found.reason
    assert (State.NOT_APPLICABLE, ZERO) == row(book(asked), "retry-storms")[:2]


def test_limits_that_are_not_reached_cost_nothing():
    found = row(book(question(), traffic=replace(HEALTHY, limit=4096.0)), "max-tokens-audit")

    assert (State.RECOMMENDED, ZERO) == found[:2]
    assert "limits are 4100 tokens, 99% of answers end by 300" in found.reason
    assert State.APPLIED is row(book(question()), "max-tokens-audit").state


@pytest.mark.parametrize(
    ("cut", "rate", "state"),
    [(0.0, 600.0, State.NOT_APPLICABLE), (0.5, 600.0, State.UNKNOWN), (0.5, 1.0, State.NOT_APPLICABLE)],
)
def test_shorter_answers_are_a_matter_of_texts_unless_even_the_most_of_it_saves_nothing(cut, rate, state):
    asked = question(replace(BUSY, requests_per_second=rate))
    assert state is row(book(asked, traffic=replace(HEALTHY, cut_share=cut)), "output-length").state


def test_answers_within_what_is_useful_need_no_cap():
    asked = question(techniques={"outputLength": {"maxTokens": 400}})
    found = row(book(asked, traffic=replace(HEALTHY, cut_share=0.5)), "output-length")
    assert State.NOT_APPLICABLE is found.state


@pytest.mark.parametrize("name", ["context-compression", "prompt-optimization"])
def test_shorter_prompts_are_bounded_and_never_promised(name: str):
    long = replace(BUSY, prompt_tokens=6000.0, cached_tokens=0.0, requests_per_second=60.0)

    assert State.UNKNOWN is row(book(question(long)), name).state
    assert row(book(question(long)), name).saves is None
    assert State.NOT_APPLICABLE is row(book(question(replace(long, requests_per_second=0.1))), name).state


def test_speculation_is_for_latency_alone():
    running = configuration(proposer=Proposer(method="ngram", tokens=3))

    assert State.NOT_APPLICABLE is row(book(question()), "speculative-decoding").state
    assert State.APPLIED is row(book(question(), running=running), "speculative-decoding").state
    assert State.RECOMMENDED is row(book(question(), planned=running), "speculative-decoding").state
    assert State.UNKNOWN is row(book(question(), planned=None), "speculative-decoding").state


def test_batch_limits_are_blocked_where_they_are_forbidden():
    asked = question(techniques={"batching": {"mode": "Disabled"}})

    assert State.BLOCKED is row(book(asked), "batching").state
    assert State.APPLIED is row(book(question()), "batching").state


def test_custom_kernels_are_skipped_and_routing_waits_for_labels():
    found = book(question())

    assert State.NOT_APPLICABLE is row(found, "custom-kernels").state
    assert State.UNKNOWN is row(found, "smart-routing").state


ROUTED = Routed(route="chat", share="30%", saved="15%", compresses=False, caps=False)


def test_a_route_that_sends_requests_to_cheaper_tiers_is_applied_and_says_how_many():
    found = row(book(question(), routes=(ROUTED,)), "smart-routing")

    assert (State.APPLIED, None) == found[:2]
    assert "route chat sends 30% to cheaper tiers, 15% cheaper than all to the dearest" == found.reason


def test_a_route_of_which_nothing_is_proven_leaves_routing_unknown_and_says_where_to_look():
    found = row(book(question(), routes=(replace(ROUTED, share=""),)), "smart-routing")

    assert State.UNKNOWN is found.state
    assert "route chat sends nothing to cheaper tiers: see its condition Routing" == found.reason


def test_what_a_route_does_to_requests_is_applied_there():
    doing = book(question(), routes=(ROUTED, replace(ROUTED, route="help", compresses=True, caps=True)))
    idle = book(question(), routes=(ROUTED,))

    for name, told in (("context-compression", "route help shortens"), ("output-length", "route help caps answers")):
        assert State.APPLIED is row(doing, name).state
        assert row(doing, name).reason.startswith(told)
        assert row(idle, name) == row(book(question()), name)


def test_without_evidence_nothing_is_recommended_and_everything_says_what_is_missing():
    traffic = Traffic(hit_ratio=UNSEEN, long_answer=UNSEEN, limit=UNSEEN, cut_share=UNSEEN, abandoned=UNSEEN)
    bare = book(question(replace(BUSY, cached_tokens=0.0, requests_per_second=1.0)), traffic=traffic)
    for name in ("prefix-caching", "max-tokens-audit", "retry-storms", "output-length"):
        found = row(bare, name)
        assert (State.UNKNOWN, None) == found[:2]
        assert "not exported" in found.reason

    unseen = playbook(facts(question()), None)
    assert {State.UNKNOWN} == {play.row.state for play in unseen.plays}
    assert () == recommended(unseen)


def test_what_no_plan_can_be_made_for_is_not_recommended():
    small = question(objectives={"ttft": {"p95": "1ms"}})
    assert [] == [play.technique.name for play in recommended(book(small, planned=None))]


def test_rows_do_not_add_up_and_together_says_what_all_of_them_save():
    asked = question(replace(BUSY, cached_tokens=0.0))
    found = book(asked, 0.3, traffic=replace(HEALTHY, abandoned=0.3))
    rows = [play.row.saves.micros for play in recommended(found) if play.row.saves is not None]

    assert len([one for one in rows if one]) >= 2
    assert found.together is not None
    assert max(rows) < found.together.micros < sum(rows)


def test_one_plan_at_a_time_and_none_where_the_question_is_the_same():
    asked = question(replace(BUSY, cached_tokens=0.0))
    first = carried_on(None, asked, plan(asked), 0.0, NOW)
    second = carried_on(first, asked, plan(asked), 0.0, NOW)

    assert {Case.AS_IT_IS} == set(first.answers)
    # Nothing is cached: that case is answered already, and one more was planned.
    assert {Case.AS_IT_IS, Case.NOTHING_CACHED, Case.SOURCE_WEIGHTS} == set(second.answers)


@pytest.mark.parametrize("abandoned", [0.0, 0.3])
def test_reasons_fit_into_status(abandoned: float):
    found = book(question(), abandoned, traffic=replace(HEALTHY, limit=123456.0, abandoned=abandoned))
    assert [] == [play.row.reason for play in found.plays if len(play.row.reason.encode()) > 128]
