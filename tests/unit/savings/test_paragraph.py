"""A change in words for somebody who pays.  Not covered: how its figures come about (test_measurement.py)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from costpolicy.api.measured import MeasurementStatus, Receipt
from costpolicy.savings.paragraph import amount, paragraph
from costpolicy.units import Money

AT = datetime(2026, 11, 9, 14, tzinfo=UTC)
RECEIPT = Receipt(
    at=AT,
    change="a cheaper plan",
    before="2 x nvidia-h100-80gb, bf16 weights",
    after="1 x nvidia-h100-80gb, fp8 weights",
    proof="1,200 prompts were answered no worse",
    undo="set in spec: techniques.quantization.mode: Disabled",
)
MEASURED: dict[str, Any] = {
    "changedAt": AT,
    "complete": True,
    "baseline": {
        "since": "2026-11-02T14:00:00Z",
        "until": "2026-11-09T14:00:00Z",
        "totalCost": "1680.00",
        "requests": 1_000_000,
        "promptTokens": 1,
        "outputTokens": 1,
        "hours": 168,
    },
    "current": {
        "since": "2026-11-09T15:00:00Z",
        "until": "2026-11-16T15:00:00Z",
        "totalCost": "840.00",
        "requests": 1_050_000,
        "promptTokens": 1,
        "outputTokens": 1,
        "hours": 168,
    },
    "costReduction": 0.5238,
    "interval": {"low": 0.47, "high": 0.52, "level": 0.95},
    "attribution": {"change": 0.4991, "traffic": 0.0246, "price": 0.0, "unexplained": 0.0001},
    "savedPerHour": "5.00",
    "realisedPerHour": "2.50",
    "qualityMaintained": True,
}


def told(receipt: Receipt = RECEIPT, **figures: Any) -> str:
    measured = MeasurementStatus.model_validate({**MEASURED, **figures})
    return paragraph(receipt, measured, policy="team-a/chat", currency="USD")


def test_a_change_that_saved_is_one_paragraph_with_all_that_finance_asks():
    assert told() == (
        "Since 9 November 2026, team-a/chat runs on 1 x nvidia-h100-80gb, fp8 weights instead of 2 x nvidia-h100-80gb, bf16 "
        "weights (a cheaper plan). Before the change, 7 days cost 1,680.00 USD for 1,000,000 requests: 1.68 USD a thousand. "
        "Since the change, 7 days cost 840.00 USD for 1,050,000 requests: 0.80 USD a thousand. The cost of a request fell by "
        "52.4%. Of that, +49.9 points are owed to the change itself, +2.5 points to more, fewer or other requests. With 95% confidence the "
        "change itself makes requests 47.0% to 52.0% cheaper than they would be without it. At the traffic "
        "since, that is 5.00 USD an hour, about 3,650.00 USD a month. "
        "2.50 USD an hour of it has left the bill; the rest is held by accelerators that stand idle on nodes, which are "
        "still paid for. Answers were tested and are no worse. It was made after this was shown: 1,200 prompts were answered no "
        "worse. To undo it: set in spec: techniques.quantization.mode: Disabled."
    )
    assert "\n" not in told()


def test_a_change_that_made_requests_dearer_says_so():
    parts = {"change": -0.17, "traffic": 0.0, "price": -0.02, "unexplained": -0.01}
    text = told(
        costReduction=-0.2,
        attribution=parts,
        interval={"low": -0.25, "high": -0.1, "level": 0.95},
        savedPerHour="-1.25",
    )

    assert "rose by 20.0%" in text
    assert (
        "Of that, +17.0 points are owed to the change itself, +2.0 points to prices, +1.0 points are not explained."
        in text
    )
    assert "10.0% to 25.0% dearer than they would be without it: it did not save" in text
    assert "it costs 1.25 USD an hour more than before" in text
    assert "left the bill" not in text


def test_an_interval_around_zero_proves_nothing():
    assert "that it saved is not proven" in told(interval={"low": -0.02, "high": 0.3, "level": 0.95})


def test_what_cannot_be_attributed_is_told_with_its_reason():
    text = told(interval=None, attribution=None, reason="the traffic now lies outside that of the baseline")

    assert "cannot be told: the traffic now lies outside that of the baseline." in text
    assert "confidence" not in text


def test_before_anything_is_known_the_reason_stands_alone():
    waiting = MeasurementStatus(changed_at=AT, reason="a day of costs and requests has to pass")
    text = paragraph(RECEIPT, waiting, policy="team-a/chat", currency="USD")

    assert "A day of costs and requests has to pass." in text
    assert "cost of a request" not in text


@pytest.mark.parametrize(("kept", "says"), [(True, "are no worse"), (False, "are worse"), (None, "was not tested")])
def test_quality_is_told_in_three_ways(kept: bool | None, says: str):
    assert says in told(qualityMaintained=kept)


def test_figures_of_another_change_are_not_told_of_this_one():
    older = RECEIPT.model_copy(update={"at": AT.replace(day=1), "measured": "cost per request -10.0%"})

    assert "What was measured: cost per request -10.0%." in told(older)
    assert "1,680.00" not in told(older)
    assert "What it saved was not measured." in told(older.model_copy(update={"measured": ""}))


def test_figures_that_still_move_say_so():
    assert "These figures still move" in told(complete=False)
    assert "These figures still move" not in told()


def test_all_of_it_may_have_left_the_bill():
    assert "All of it has left the bill." in told(realisedPerHour="5.00")


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (1_234_567_890_000, "1,234,567.89 USD"),
        (-2_500_000, "-2.50 USD"),
        (4_200, "0.004200 USD"),
        (0, "0.00 USD"),
    ],
)
def test_amounts_are_written_as_people_do(micros: int, text: str):
    assert text == amount(Money(micros), "USD")
