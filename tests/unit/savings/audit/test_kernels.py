"""What was switched off by hand: how it is found, and what that costs by the ranges that are claimed for it.

Covered: every way to switch something off, money at the low end by planning anew, capacity without money, what has no
figure.  Not covered: how much slower such an engine really is, which was measured nowhere.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from auditing import SPAN, healthy, question
from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.catalog.techniques import techniques
from costpolicy.planning.planner import plan
from costpolicy.savings.audit.evidence import Evidence
from costpolicy.savings.audit.finding import Confidence, Found, Healthy
from costpolicy.savings.audit.kernels import KERNELS
from costpolicy.savings.replan import Saving

EAGER = {"--enforce-eager": "true"}
NOT_ASKED = Missing(reason=Reason.NOT_STATED, message="no model")


def started(run: Evidence | None = None, **startup: Any) -> Evidence:
    run = run or healthy()
    return replace(run, startup=replace(run.startup, **startup))


def found(run: Evidence) -> Found:
    answer = KERNELS.answer(run)
    assert isinstance(answer, Found)
    return answer


def saved(run: Evidence) -> Saving:
    saving = found(run).saving
    assert isinstance(saving, Saving)
    return saving


def cost(run: Evidence, step_factor: float = 1.0) -> int:
    """The cheapest plan an hour for what was asked, with engines whose steps take so many times as long."""
    demand = run.demand()
    assert not isinstance(demand, Missing)
    target = plan(replace(question(), demand=demand, step_factor=step_factor)).target
    assert target is not None
    return target.cost_per_hour.micros


@pytest.mark.parametrize(
    ("startup", "share"),
    [
        ({"arguments": EAGER}, Fraction(5, 100)),
        ({"arguments": {"--optimization-level": "0"}}, Fraction(5, 100)),
        ({"arguments": {"--compilation-config": "0"}}, Fraction(5, 100)),
        ({"arguments": {"--compilation-config": '{"mode": "NONE"}'}}, Fraction(5, 100)),
        ({"arguments": {"--compilation-config.mode": "none"}}, Fraction(5, 100)),
        ({"arguments": {"--compilation-config": '{"mode": 3}', "--compilation-config.level": "0"}}, Fraction(5, 100)),
        ({"environment": {"TORCHDYNAMO_DISABLE": "1"}}, Fraction(5, 100)),
        ({"arguments": {**EAGER, "--optimization-level": "0"}}, Fraction(5, 100)),
        ({"arguments": {"--attention-backend": "TORCH_SDPA"}}, Fraction(10, 100)),
        ({"environment": {"VLLM_ATTENTION_BACKEND": "XFORMERS"}}, Fraction(10, 100)),
        ({"arguments": {"--attention-config": '{"backend": "FLEX_ATTENTION"}'}}, Fraction(10, 100)),
        ({"arguments": {"--attention-config.backend": "flex_attention"}}, Fraction(10, 100)),
        ({"arguments": {**EAGER, "--attention-backend": "flex_attention"}}, Fraction(145, 1000)),
    ],
)
def test_what_was_taken_away_saves_the_low_end_of_its_range_by_planning_anew(startup: dict[str, Any], share: Fraction):
    run = started(**startup)
    saving = saved(run)

    assert saving.per_month.micros == (cost(run, 1 / float(1 - share)) - cost(run)) * 730 > 0
    assert saving.accelerators_freed > 0
    assert Confidence.LOW is found(run).confidence


def test_the_range_its_source_and_what_both_ends_are_worth_are_told():
    run = started(arguments=EAGER)
    told = found(run).evidence
    high = (cost(run, 1 / 0.85) - cost(run)) * 730

    assert "--enforce-eager=true" in told
    assert "kernel fusion is claimed to spare 5% to 15% of the time per step (the catalogue of techniques" in told
    assert f"that is {saved(run).per_month.text(2)} a month at the low end, which is counted" in told
    assert f"and {high / 1e6:.2f} at the high end" in told
    assert high > saved(run).per_month.micros


def test_the_range_is_the_catalogues():
    claim = techniques()["kernel-fusion"].claim
    assert claim is not None
    assert (Fraction(5, 100), Fraction(15, 100)) == (claim.low, claim.high)


def test_where_no_accelerator_goes_it_costs_no_money_and_frees_capacity():
    saving = saved(started(healthy(span=600 * SPAN), arguments=EAGER))  # a request a second: one accelerator either way

    assert 0 == saving.per_month.micros
    assert saving.accelerators_freed > 0


@pytest.mark.parametrize(
    "startup",
    [
        {"arguments": {"--async-scheduling": "false"}},
        {"arguments": {"--compilation-config": '{"cudagraph_mode": "NONE"}'}},
        {"arguments": {"--compilation-config.cudagraph_mode": "NONE"}},
        {"arguments": {"--attention-backend": "FLASHINFER"}},
        {"environment": {"NCCL_P2P_DISABLE": "1"}},
    ],
)
def test_what_nobody_claims_anything_for_is_found_and_not_priced_by_guess(startup: dict[str, Any]):
    one = found(started(**startup))
    [given] = [f"{name}={value}" for given in startup.values() for name, value in given.items()]

    assert isinstance(one.saving, Missing)
    assert f"how much slower {given} makes an engine" in one.saving.message
    assert Confidence.HIGH is one.confidence


def test_beside_something_with_a_range_what_has_none_is_told_and_not_counted():
    both = {**EAGER, "--async-scheduling": "false"}

    assert "nothing is for --async-scheduling=false" in found(started(arguments=both)).evidence
    assert saved(started(arguments=both)) == saved(started(arguments=EAGER))


@pytest.mark.parametrize("changes", [{"span": None}, {"pricing": NOT_ASKED}])
def test_without_a_span_or_a_model_it_has_no_price(changes: dict[str, Any]):
    one = found(started(healthy(**changes), arguments=EAGER))

    assert isinstance(one.saving, Missing)
    assert "kernel fusion is claimed" in one.evidence
    assert "a month" not in one.evidence


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"--compilation-config": '{"cudagraph_mode": "FULL"}'},
        {"--compilation-config": "not json"},
        {"--compilation-config": '{"mode": null}'},
        {"--compilation-config.mode": "3"},
        {"--attention-backend": "auto"},
        {"--attention-config": '{"backend": null, "flash_attn_version": 3}'},
        {"--enforce-eager": "false"},
    ],
)
def test_arguments_that_take_nothing_away_are_left_alone(arguments: dict[str, str]):
    assert Healthy() == KERNELS.answer(started(arguments=arguments))
