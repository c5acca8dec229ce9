"""What people are told of days that the real operator decided: the page, the explanation and the paragraph agree with status.

Covered: a change that saved, on days of a simulated cluster.  Not covered: forms of the answer (tests/unit), how the page looks
(tests/browser).
"""

from datetime import timedelta
from typing import Any

from costpolicy.api.policy import CostPolicy
from costpolicy.api.types import RolloutMode
from costpolicy.cli.explanation import explanation
from costpolicy.reporting.composing import statement
from costpolicy.reporting.page import page
from costpolicy.savings.month import month_of
from costpolicy.simulation.traffic import Steps
from costpolicy.simulation.world import World
from costpolicy.units import Money
from stories import H100, HOUR, KEY, L40S, START, chat, serving

MEASURED = {"measurement": {"window": "48h"}}
STEP = timedelta(minutes=5)
RATES = Steps(tuple((START + 6 * HOUR * number, 1.0 + 0.5 * (number % 3)) for number in range(30)))


def moved() -> World:
    """Two days on H100, a move to L40S, and two days more."""
    made = serving(RATES, hardware={"accelerators": [H100]}, **MEASURED)
    made.run(52 * HOUR, step=STEP)
    made.apply(chat(hardware={"accelerators": [L40S]}, **MEASURED))
    made.run(60 * HOUR, step=STEP)
    return made


def test_what_the_operator_wrote_is_what_people_are_told():
    made = moved()
    [policy] = [one for one in made.gateway.policies() if isinstance(one, CostPolicy)]
    now = made.clock.now()
    written: dict[str, Any] = made.status(*KEY)
    review = statement([policy], None, month_of(now)[0], now)
    [bill], [change] = review.bills, review.changes

    assert written["measurement"]["complete"]
    assert f"fell by {written['measurement']['costReduction']:.1%}" in change.paragraph
    assert written["history"][0]["undo"] in change.paragraph
    assert change.saved_per_month == Money.read(written["measurement"]["savedPerHour"]).monthly()
    assert bill.total >= Money.read(written["spending"]["spent"])
    assert abs(bill.total.micros - made.bill(STEP).micros) < bill.total.micros * 0.02
    assert change.paragraph in page(review)
    told = explanation(policy, RolloutMode.INITIAL, now)
    assert change.paragraph == told["changes"][0]["paragraph"]
    assert written["current"]["costPerHour"] == told["cost"]["perHour"]
