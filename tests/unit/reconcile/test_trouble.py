"""Trouble outside the policy's own text: price books and stored objects that cannot be read, prices that are gone.

Covered: what is said.  Not covered: how the API server gets such an object (tests/integration/operator).
"""

from dataclasses import replace

from builders import offering, policy
from costpolicy.reconcile.answer import unreadable_answer
from costpolicy.reconcile.decide import decide
from staging import Stage

BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}


def test_a_price_book_that_was_left_out_is_named_where_no_price_is_found():
    snapshot = Stage(policy(traffic=BUSY), offerings=()).snapshot()
    problem = "PriceBook euros is in EUR, not USD: it is not used"
    decision = decide(replace(snapshot, prices=replace(snapshot.prices, problems=(problem,))), Stage(policy()).now)

    assert decision.status.infeasible is not None
    assert "NoPrice" == decision.status.infeasible.reason
    assert problem in decision.status.infeasible.message


def test_a_policy_that_no_longer_parses_stays_ready_while_it_serves():
    stage = Stage(policy(traffic=BUSY))
    stage.settle()
    found = {one.type: one for one in unreadable_answer(7, "spec.model: missing", stage.snapshot().live).conditions}

    assert ("True", "Serving") == (found["Ready"].status, found["Ready"].reason)
    assert ("True", "InvalidPolicy") == (found["Stalled"].status, found["Stalled"].reason)
    assert "spec.model: missing" in found["Ready"].message


def test_what_runs_without_a_price_has_no_cost_instead_of_none_to_pay():
    stage = Stage(policy(traffic=BUSY, budget={"hourly": "4.00"}), offerings=(offering("nvidia-l40s", "1.86"),))
    stage.settle()
    assert ("1.86", ("True", "WithinBudget")) == (
        stage.status().current.cost_per_hour,
        stage.condition("WithinBudget"),
    )
    stage.offerings = (offering(),)
    stage.step()

    assert stage.status().current.cost_per_hour is None
    assert ("Unknown", "NoPrice") == stage.condition("WithinBudget")
    (told,) = [one.message for one in stage.status().conditions if one.type == "WithinBudget"]
    assert "no price book prices nvidia-l40s OnDemand" in told
    assert not [one for one in stage.status().to_json()["current"] if one == "costPerHour"]
