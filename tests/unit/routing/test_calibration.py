"""What a calibration says and what a router is told.  Not covered: how often it holds (test_proof.py)."""

import json
from datetime import date
from fractions import Fraction
from functools import cache

import pytest

from costpolicy.router_plugin.score import Scorer
from costpolicy.routing.calibration import (
    Calibration,
    NothingProven,
    Proven,
    calibrate,
    config_map_data,
    message,
    summary,
)
from costpolicy.routing.coefficients import out_of_fold
from costpolicy.routing.labels import Label
from made_labels import held_out, made_labels

DAY = date(2026, 11, 29)


@cache
def calibrated(count: int, max_loss: str = "2/100") -> Calibration:
    return calibrate(made_labels(count), held_out(count), Fraction(max_loss), DAY)


def test_enough_labels_prove_a_threshold_and_the_router_gets_it_with_its_evidence():
    found = calibrated(1500)
    data = config_map_data(found)
    told = json.loads(data["calibration.json"])

    assert isinstance(found, Proven)
    assert ("Proven", "2026-11-29", 1500, "Learned") == (told["verdict"], told["date"], told["labels"], told["basis"])
    assert 0.0 < float(told["complexityBelow"]) < 0.3
    assert told["loss"]["estimate"] < told["loss"]["bound"] <= told["maxQualityLoss"] == 0.02
    assert 0 <= Scorer.parse(data["coefficients.json"]).score("What is a letter?") <= 1


def test_the_saving_has_an_interval_that_holds_what_was_seen():
    found = calibrated(1500)
    assert isinstance(found, Proven)
    low, share, high = found.saved

    assert low < share == found.examined.routed / 1500 < high
    assert high - low < 0.04


@pytest.mark.parametrize(("count", "basis"), [(40, "Form"), (300, "Anchored")])
def test_below_350_labels_nothing_is_proven_at_1_percent_and_it_says_what_is_needed(count: int, basis: str):
    found = calibrated(count, "1/100")

    assert isinstance(found, NothingProven)
    assert found.fewest_labels is not None
    assert 309 < found.fewest_labels < 380
    assert message(found).startswith(f"Nothing is routed: {count} labels cannot prove a loss of at most 1.00%")
    assert (None, basis) == (summary(found)["complexityBelow"], summary(found)["basis"])


def test_one_label_is_no_error_and_proves_nothing():
    assert isinstance(calibrated(1), NothingProven)


def test_labels_that_are_enough_but_show_too_much_loss_prove_nothing_either():
    found = calibrated(400, "1/100")

    assert isinstance(found, NothingProven)
    assert found.fewest_labels is None
    assert "do not show of any threshold" in message(found)


def test_a_smaller_loss_allows_less():
    one, two = calibrated(1500, "1/100"), calibrated(1500)

    assert isinstance(two, Proven)
    assert isinstance(one, NothingProven) or one.examined.threshold < two.examined.threshold


@pytest.mark.parametrize("count", [20, 600])
def test_prompts_that_look_all_alike_are_calibrated_too(count: int):
    """Of equal scores, quantiles are equal only up to rounding."""
    hard, easy = "Explain why Theorems Hold, At Length " * 5, "what is the name of it "
    labels = [
        Label(task="", prompt=f"{easy if number % 10 else hard}{number}", strong=True, weak=bool(number % 10))
        for number in range(count)
    ]
    calibration = calibrate(labels, out_of_fold(labels), Fraction(2, 100), date(2026, 11, 29))

    assert isinstance(calibration, Proven if count == 600 else NothingProven)
