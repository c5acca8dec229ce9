"""What status says that a change has saved, over days of a simulated cluster.

Covered: without a change, after one, when it is complete, an operator that restarts, a node that stays, a change that costs more.
Not covered: the arithmetic (tests/unit/savings), prices that change (there), a real Prometheus (tests/contract/observe/test_ledger.py).
"""

import re
from datetime import timedelta
from fractions import Fraction
from typing import Any

from costpolicy.api.reasons import Reason
from costpolicy.simulation.traffic import Steps
from costpolicy.simulation.world import World
from stories import H100, HOUR, KEY, L40S, START, chat, reasons, serving

MEASURED = {"measurement": {"window": "48h"}}
STEP = timedelta(minutes=5)
ROUNDED = 0.0001
RATES = Steps(tuple((START + 6 * HOUR * number, 1.0 + 0.5 * (number % 3)) for number in range(30)))


def serving_on(accelerator: str, hours: int) -> World:
    made = serving(RATES, hardware={"accelerators": [accelerator]}, **MEASURED)
    made.run(hours * HOUR, step=STEP)
    return made


def move(of: World, accelerator: str) -> None:
    of.apply(chat(hardware={"accelerators": [accelerator]}, **MEASURED))
    of.run(HOUR, step=STEP)


def measured(of: World) -> dict[str, Any]:
    found: dict[str, Any] = of.status(*KEY).get("measurement", {})
    return found


def cost_per_request(window: dict[str, Any]) -> float:
    return float(window["totalCost"]) / int(window["requests"])


def test_a_move_to_cheaper_accelerators_is_measured_and_gets_its_receipt():
    made = serving_on(H100, 52)
    said = measured(made)
    assert "nothing was changed yet" == said["reason"]
    assert "baseline" not in said
    assert 48 == said["current"]["hours"]

    move(made, L40S)
    assert "0 hours are known, 24 are needed: what it saves is said from then on" in measured(made)["reason"]

    for _ in range(3):
        made.run(11 * HOUR, step=STEP)
        made.restart_operator()
    so_far = measured(made)
    assert not so_far.get("complete")
    assert 48 == so_far["baseline"]["hours"]
    saved = 1 - cost_per_request(so_far["current"]) / cost_per_request(so_far["baseline"])
    assert abs(so_far["costReduction"] - saved) < 0.001
    assert saved > 0.3

    made.run(26 * HOUR, step=STEP)
    said = measured(made)
    assert said["complete"]
    assert 48 == said["current"]["hours"]
    truth = float(1 - Fraction("1.86") / Fraction("4.50"))
    assert said["interval"]["low"] - ROUNDED < truth < said["interval"]["high"] + ROUNDED
    assert said["attribution"]["traffic"] < 0, "fewer requests share what both cost by the hour"
    assert abs(sum(said["attribution"].values()) - said["costReduction"]) < 0.001
    assert "0.00" == said["realisedPerHour"], "the node with its eight H100 still stands there"
    assert float(said["savedPerHour"]) > 1.0
    receipt = made.status(*KEY)["history"][0]
    assert "set in spec: hardware.accelerators: [nvidia-h100-80gb]" == receipt["undo"]
    assert f"{-said['costReduction']:+.1%}" in receipt["measured"]

    made.run(8 * HOUR, step=STEP)
    assert said == measured(made), "what is complete stays"
    assert 1 == reasons(made).count(Reason.CHANGE_MEASURED)


def test_a_move_that_makes_requests_dearer_is_told_as_such():
    made = serving_on(L40S, 52)
    move(made, H100)
    made.run(60 * HOUR, step=STEP)
    assert measured(made)["interval"]["high"] < 0
    assert float(measured(made)["savedPerHour"]) < 0
    assert 1 == reasons(made).count(Reason.CHANGE_DID_NOT_SAVE)


def test_a_change_that_was_overtaken_gets_its_share_once_the_next_one_is_measured():
    made = serving_on(L40S, 52)
    move(made, H100)
    made.run(30 * HOUR, step=STEP)
    move(made, L40S)
    assert "" == made.status(*KEY)["history"][1].get("measured", "")

    made.run(60 * HOUR, step=STEP)
    last, overtaken = made.status(*KEY)["history"]
    found = re.fullmatch(
        r"by the change \+(\d+\.\d)% to \+(\d+\.\d)% \(95%\), told apart from the changes after it",
        overtaken["measured"],
    )
    assert found, overtaken
    dearer = 100 * (float(Fraction("4.50") / Fraction("1.86")) - 1)
    assert float(found[1]) - 0.1 < dearer < float(found[2]) + 0.1
    assert last["measured"].startswith("cost per request -")
