"""Each audit on a run where it must fire, and on its twin without the waste, where it must be silent.

Covered: what is found, how many tokens, and what they cost by planning anew.  Not covered: real engines
(tests/contract/engine/test_audited.py), recorded ones (tests/unit/cli/test_audit.py), and what switched-off kernels and old
releases cost (test_kernels.py, test_release.py).
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from auditing import (
    CACHED,
    OUTPUT,
    PROMPT,
    REQUESTS,
    SPAN,
    both,
    counting,
    equal,
    healthy,
    question,
    spread,
    twice_held,
)
from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.catalog.engines import engine
from costpolicy.savings.audit.audits import AUDITS, audit
from costpolicy.savings.audit.evidence import Evidence, Figure, Startup, Stated
from costpolicy.savings.audit.finding import Answer, Audit, Confidence, Found, Healthy, Kept
from costpolicy.savings.replan import Replanner, Saving

Waste = Callable[[Evidence], Evidence]


def named(name: str) -> Audit:
    return next(each for each in AUDITS if each.name == name)


def answer(name: str, evidence: Evidence) -> Answer:
    return named(name).answer(evidence)


def a_storm(run: Evidence) -> Evidence:
    """Half of the requests come again after a time-out in the middle of their answer."""
    more = REQUESTS / 2.0
    return counting(
        run,
        {
            Figure.FIRST_TOKENS: REQUESTS + more,
            Figure.PROMPT_TOKENS: (REQUESTS + more) * PROMPT,
            Figure.CACHED_TOKENS: REQUESTS * CACHED + more * PROMPT * 0.95,
            Figure.GENERATED_TOKENS: REQUESTS * OUTPUT + more * OUTPUT / 2.0,
        },
    )


def without_stop_sequence(run: Evidence) -> Evidence:
    """A third of the answers run on to a limit of 1,000."""
    third = REQUESTS / 3.0
    answers = both(spread(REQUESTS - third, 200.0), equal(third, 1000.0))
    return counting(
        run,
        {Figure.GENERATED_TOKENS: answers.tokens},
        answers=answers,
        finished={"stop": REQUESTS - third, "length": third},
    )


def started(**changes: object) -> Waste:
    return lambda run: replace(run, startup=replace(run.startup, **changes))


WASTES: dict[str, Waste] = {
    "idle-accelerators": lambda run: counting(run, dict.fromkeys(run.counted, 0.0)),
    "over-provisioning": lambda run: replace(run, held=twice_held(run)),
    "past-useful-length": without_stop_sequence,
    "abandoned-generation": a_storm,
    "max-tokens": lambda run: replace(run, limits=equal(REQUESTS, 4096.0)),
    "prefix-cache-misses": lambda run: counting(run, {Figure.CACHED_TOKENS: REQUESTS * 100.0}),
    "kv-cache-pressure": lambda run: counting(run, {Figure.PREEMPTIONS: REQUESTS / 20.0}),
    "host-bound": lambda run: counting(run, {Figure.END_TO_END_SECONDS: REQUESTS * 3.0}),
    "speculation-does-not-pay": lambda run: counting(run, {Figure.ACCEPTED_TOKENS: REQUESTS * 10.0}),
    "kernels-switched-off": started(arguments={"--enforce-eager": "true"}),
    "outdated-engine": started(release=engine("0.25")),
}


@pytest.mark.parametrize("name", WASTES)
def test_fires_on_the_waste_and_on_nothing_else(name: str):
    run = healthy()
    wasted = WASTES[name](run)

    assert isinstance(answer(name, wasted), Found)
    assert Healthy() == answer(name, run)


def test_a_healthy_run_yields_no_finding():
    said = audit(healthy())

    assert [] == [each.name for each, one in said.items() if isinstance(one, Found | Missing)]
    assert {each.name for each in AUDITS} == {*WASTES, "tokens-not-computed"}


def found(name: str, run: Evidence) -> tuple[Found, Saving]:
    one = answer(name, run)
    assert isinstance(one, Found)
    assert isinstance(one.saving, Saving)
    return one, one.saving


def test_the_tokens_of_a_storm_are_counted_and_priced_by_planning_without_it():
    run = a_storm(healthy())
    one, saving = found("abandoned-generation", run)

    assert REQUESTS / 2.0 * OUTPUT / 2.0 == pytest.approx(one.wasted_tokens, rel=0.01)
    assert 0.2 == pytest.approx(one.share, rel=0.01)
    assert "95% of their prompts' tokens had been computed before" in one.evidence
    replanner = Replanner(question())
    demands = run.demand(), healthy().demand()
    costs = [replanner.cost_per_hour(demand) for demand in demands]  # type: ignore[arg-type]
    assert saving.per_month.micros == (costs[0].micros - costs[1].micros) * 730 > 0  # type: ignore[union-attr]
    assert saving.accelerators_freed > 1.0


def test_what_still_runs_is_not_abandoned():
    run = counting(
        healthy(),
        {
            Figure.FIRST_TOKENS: REQUESTS * 1.1,
            Figure.RUNNING: REQUESTS / 10.0,
            Figure.GENERATED_TOKENS: REQUESTS * OUTPUT * 1.05,
        },
    )
    assert Healthy() == answer("abandoned-generation", run)


def test_requests_that_the_engine_itself_aborted_are_for_nobody_too():
    aborted = REQUESTS / 5.0
    run = replace(healthy(), finished={"stop": REQUESTS - aborted, "abort": aborted})
    one, _ = found("abandoned-generation", run)

    assert aborted * OUTPUT == pytest.approx(one.wasted_tokens, rel=0.01)
    assert "by the engine itself" in one.evidence


@pytest.mark.parametrize(
    ("useful", "wasted", "confidence"),
    [(200, REQUESTS / 3.0 * 800.0, Confidence.HIGH), (None, REQUESTS / 3.0 * 800.0, Confidence.LOW)],
)
def test_tokens_past_their_use_are_counted_whether_or_not_somebody_states_what_is_useful(useful, wasted, confidence):
    run = replace(without_stop_sequence(healthy()), stated=Stated(useful_tokens=useful))
    one, saving = found("past-useful-length", run)

    assert wasted == pytest.approx(one.wasted_tokens, rel=0.1)
    assert confidence is one.confidence
    assert saving.per_month.micros > 0


def test_where_every_answer_is_cut_nobody_can_say_what_is_useful():
    run = replace(healthy(), finished={"length": REQUESTS}, answers=equal(REQUESTS, 150.0))
    one = answer("past-useful-length", run)

    assert isinstance(one, Missing)
    assert Reason.NOT_STATED is one.reason


def test_a_limit_that_is_asked_for_and_not_generated_costs_nothing():
    one, saving = found("max-tokens", replace(healthy(), limits=equal(REQUESTS, 4096.0)))

    assert (0, 0.0) == (saving.per_month.micros, saving.accelerators_freed)
    assert "known to a router only" in one.evidence
    assert "cap answers at 500 tokens, which cuts 0.0% of them" in one.advice


def test_less_work_that_releases_no_accelerator_saves_no_money_but_frees_capacity():
    run = healthy(span=6000 * SPAN)  # a request every ten seconds: one accelerator, with or without the waste
    one, saving = found("past-useful-length", without_stop_sequence(run))

    assert 0 == saving.per_month.micros
    assert saving.accelerators_freed > 0
    assert one.wasted_tokens > 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({Figure.KV_CACHE_USAGE: 0.97}, "evicted"),
        ({Figure.FIRST_TOKENS: 20.0, Figure.PROMPT_TOKENS: 20.0 * PROMPT, Figure.CACHED_TOKENS: 0.0}, "hardly served"),
        ({}, "each of 4 engines"),
    ],
)
def test_prefix_misses_are_told_by_their_cause(changes, said):
    run = counting(healthy(), {Figure.CACHED_TOKENS: REQUESTS * 100.0, **changes})
    one = answer("prefix-cache-misses", run)

    assert isinstance(one, Found)
    assert said in one.evidence


def test_with_one_warm_engine_it_is_the_prompts():
    run = counting(healthy(engines=1), {Figure.CACHED_TOKENS: REQUESTS * 100.0})
    one, saving = found("prefix-cache-misses", run)

    assert "put what varies" in one.advice
    assert (CACHED - 100.0) * REQUESTS == pytest.approx(one.wasted_tokens)
    assert saving.per_month.micros > 0


@pytest.mark.parametrize("startup", [{"prefix_caching": False}, {"arguments": {"--enable-prefix-caching": "false"}}])
def test_a_cache_that_is_switched_off_is_found_and_has_no_price_until_somebody_says_what_prompts_share(startup):
    run = replace(started(**startup)(healthy()), stated=Stated())
    one = answer("prefix-cache-misses", run)

    assert isinstance(one, Found)
    assert "switched off" in one.evidence
    assert isinstance(one.saving, Missing)


def test_tokens_that_were_not_computed_are_priced_by_the_plan_that_computes_them():
    one = answer("tokens-not-computed", healthy())

    assert isinstance(one, Kept)
    assert REQUESTS * CACHED == one.spared_tokens
    assert isinstance(one.saving, Saving)
    assert one.saving.per_month.micros > 0
    assert Healthy() == answer("tokens-not-computed", counting(healthy(), {Figure.CACHED_TOKENS: 0.0}))


def test_twice_the_accelerators_are_one_half_too_many():
    run = healthy()
    one, saving = found("over-provisioning", replace(run, held=twice_held(run)))

    assert run.held is not None
    assert run.held.cost_per_hour.monthly() == saving.per_month
    assert float(run.held.accelerators) == saving.accelerators_freed
    assert Confidence.MEDIUM is one.confidence


def test_what_is_not_known_is_said_and_never_taken_for_nothing():
    bare = replace(healthy(), counted={}, answers=None, limits=None, startup=Startup(), held=None, finished={})
    said = audit(bare)

    assert {Missing} == {type(one) for one in said.values()}


def test_without_a_span_there_are_tokens_and_no_money():
    one = answer("abandoned-generation", replace(a_storm(healthy()), span=None))

    assert isinstance(one, Found)
    assert isinstance(one.saving, Missing)
    assert "--window" in one.saving.message
