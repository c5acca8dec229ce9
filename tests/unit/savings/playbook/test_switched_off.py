"""The playbook's rows of kernels: what was switched off by hand, and what that costs by the least that is claimed.

Covered: money by planning anew, no money where no accelerator goes or nothing is claimed, that nothing is planned where
nothing is off.  Not covered: every way to switch something off (tests/unit/savings/audit/test_kernels.py), what was
calibrated with it (tests/unit/savings/test_replan.py).
"""

from dataclasses import replace
from typing import Any

from costpolicy.catalog.engines import engine
from costpolicy.savings.playbook.facts import State
from costpolicy.savings.playbook.replans import Case
from costpolicy.units import ZERO, Money
from replanning import BUSY, book, cost, question, replanned, row

EAGER: dict[str, Any] = {"extraArgs": ["--enforce-eager"]}
AS_THEY_ARE = {name: {"mode": "Disabled"} for name in ("quantization", "kvCacheQuantization")}
SLOW_ATTENTION: dict[str, Any] = {"env": [{"name": "VLLM_ATTENTION_BACKEND", "value": "TORCH_SDPA"}]}


def test_what_was_switched_off_by_hand_is_told_where_it_belongs_and_saves_the_least_that_is_claimed():
    asked = question(engine={**EAGER, **SLOW_ATTENTION})
    found = book(asked)
    kernels, attention = row(found, "kernel-fusion"), row(found, "flash-attention")

    assert (State.RECOMMENDED, State.RECOMMENDED) == (kernels.state, attention.state)
    assert "--enforce-eager" in kernels.reason
    assert "5% of a step, the least that is claimed" in kernels.reason
    assert "VLLM_ATTENTION_BACKEND" in attention.reason
    with_it = (cost(replace(asked, step_factor=factor)) for factor in (1 / 0.95, 1 / 0.90))
    assert [kernels.saves, attention.saves] == [Money((each - cost(asked)) * 730) for each in with_it]
    assert kernels.saves is not None
    assert kernels.saves > ZERO


def test_together_they_save_what_is_left_of_a_step_after_both():
    asked = question(engine={**EAGER, **SLOW_ATTENTION}, techniques=AS_THEY_ARE)

    assert book(asked).together == Money((cost(replace(asked, step_factor=1 / 0.95 / 0.90)) - cost(asked)) * 730)


def test_kernels_that_are_switched_off_where_no_accelerator_goes_save_nothing():
    asked = question(replace(BUSY, requests_per_second=1.0), engine=EAGER)
    assert (State.RECOMMENDED, ZERO) == row(book(asked), "kernel-fusion")[:2]


def test_what_was_switched_off_without_a_claim_is_told_without_money():
    found = row(book(question(engine={"extraArgs": ["--no-async-scheduling"]})), "kernel-fusion")

    assert (State.RECOMMENDED, None) == found[:2]
    assert "--async-scheduling=false" in found.reason


def test_nothing_switched_off_takes_no_plan_more():
    asked = replanned(question())

    assert len({id(asked.answers[case]) for case in (Case.AS_IT_IS, Case.UNFUSED, Case.FUSED, Case.OVERRIDDEN)}) == 1


def test_kernels_are_on_by_themselves():
    assert State.APPLIED is row(book(question()), "kernel-fusion").state
    assert "the newest is" in row(book(question(), release=engine("0.25")), "kernel-fusion").reason
