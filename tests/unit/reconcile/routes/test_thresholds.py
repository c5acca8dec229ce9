"""What is in force of a threshold: the smaller of asked and proven, while the proof holds, and why not.

Not covered: the proofs themselves and the guard's statistics (``tests/unit/routing``).
"""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from costpolicy.api.conditions import ConditionType
from costpolicy.api.reasons import Reason
from costpolicy.observe.routes import RouteTraffic
from costpolicy.reconcile.routes.proofs import read_proof
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.routing.guard import stability_index
from routed import NOW, TODAY, external, proof_data, route, seen, snapshot, told, with_coefficients

TWO = (external("small", "0.6"), external("large"))
CALIBRATED = {"configMapRef": {"name": "proof"}}


def two(**spec):
    return route(TWO, **{"calibration": CALIBRATED, **spec})


def test_no_more_is_routed_than_was_asked_for_and_no_more_than_is_proven():
    assert seen(snapshot(two(), proofs={"proof": proof_data("0.8")})).below["small"] == "0.6"
    found = seen(snapshot(two(), proofs={"proof": proof_data("0.35")}))

    assert found.below["small"] == "0.35"
    assert found.status.tiers[0].why_not == "0.6 was asked for, 0.35 is proven"


def test_what_is_proven_is_told_with_its_bound_its_labels_and_their_date():
    proven = seen(snapshot(two(), proofs={"proof": proof_data("0.35", lost=10)})).status.tiers[0].proven

    assert proven is not None
    assert (proven.config_map, proven.threshold, proven.labels, proven.date) == ("proof", "0.35", 3500, "2026-11-29")
    assert 0.3 < float(proven.loss_bound.rstrip("%")) < 1.0


def test_everything_is_calibrated_and_routed():
    found = seen(snapshot())

    assert found.says(ConditionType.CALIBRATED) == ("True", Reason.THRESHOLDS_PROVEN)
    assert found.says(ConditionType.ROUTING) == ("True", Reason.ROUTED)
    assert found.condition(ConditionType.ROUTING).message == "small below 0.6, medium below 0.9; large all the rest"
    assert found.status.calibration is not None
    assert found.status.calibration.verdict == "Proven"


def refused(reason: Reason, proofs, says: str, *, traffic=None, now=NOW, **spec):
    """Nothing is routed, for this reason, and the sentence says what to do."""
    found = seen(snapshot(two(**spec), proofs=proofs, traffic={"chat": traffic} if traffic else {}), now=now)
    assert found.below["small"] == ""
    assert found.says(ConditionType.CALIBRATED) == ("False", reason)
    assert found.says(ConditionType.ROUTING) == ("False", reason)
    assert says in found.condition(ConditionType.ROUTING).message
    assert found.condition(ConditionType.ROUTING).message.startswith("large answers everything")
    assert found.status.calibration is not None
    assert found.status.calibration.verdict == reason
    assert found.status.routed == "0%"


def test_a_calibration_that_proves_nothing_says_how_many_labels_would_be_the_least():
    refused(
        Reason.NOTHING_PROVEN,
        {"proof": proof_data(None, labels=300)},
        "300 labels cannot prove a loss of at most 1.00% of the strong model's score; about 387 are needed",
    )


def test_a_calibration_that_nobody_names():
    refused(Reason.CALIBRATION_MISSING, {}, "costpolicy route calibrate", calibration={"configMapRef": None})


def test_a_config_map_that_is_not_there():
    refused(Reason.CALIBRATION_MISSING, {}, "there is no ConfigMap proof")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "calibration.json is missing"),
        ({"calibration.json": "{}"}, "coefficients.json is missing"),
        ({**proof_data("0.6"), "calibration.json": "{"}, "calibration.json: JSONDecodeError"),
        ({**proof_data("0.6"), "calibration.json": '{"labels": 3}'}, "calibration.json: KeyError"),
        ({**proof_data("0.6"), "coefficients.json": "[]"}, "coefficients.json: not the coefficients of a score"),
        (with_coefficients(proof_data("0.6"), version=9), "these are coefficients of another version: calibrate again"),
    ],
)
def test_a_config_map_that_cannot_be_read(data, says):
    refused(Reason.CALIBRATION_UNREADABLE, {"proof": data}, says)


def test_a_threshold_that_is_no_share_is_not_believed():
    data = proof_data("0.6")
    data["calibration.json"] = data["calibration.json"].replace('"complexityBelow": "0.6"', '"complexityBelow": "6"')

    refused(Reason.CALIBRATION_UNREADABLE, {"proof": data}, "6 is not a share from 0 to 1")


def test_labels_that_are_too_old():
    old = {"proof": proof_data("0.6", on=date(2026, 10, 29))}

    refused(Reason.EVIDENCE_STALE, old, "more than 30 days old: calibrate on new ones")


def test_labels_are_as_old_as_the_route_allows():
    old = {"proof": proof_data("0.6", on=TODAY - timedelta(days=8))}

    refused(Reason.EVIDENCE_STALE, old, "more than 7 days old", calibration={**CALIBRATED, "maxAge": "168h"})
    assert seen(snapshot(two(), proofs=old)).below["small"] == "0.6"


def test_prompts_that_are_not_like_those_of_the_calibration():
    drifted = RouteTraffic(scores=(1000, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    refused(Reason.TRAFFIC_DRIFTED, {"proof": proof_data("0.6")}, "label today's traffic", traffic=drifted)


def test_labels_since_that_show_more_loss():
    data = proof_data("0.6")
    since = '"since": {"strongRight": 400, "lost": 40, "gained": 0}, "level"'
    data["calibration.json"] = data["calibration.json"].replace('"level"', since)

    refused(Reason.QUALITY_LOST, {"proof": data}, "newest labels show a loss of at least")


def test_a_proof_that_allows_more_loss_than_the_route_does():
    refused(
        Reason.LOSS_NOT_ALLOWED,
        {"proof": proof_data("0.6", lost=40, max_loss="0.02")},
        "calibrate with --max-loss 1.00%",
        maxQualityLoss="1%",
    )


def test_losses_of_tiers_add_up_so_the_second_has_what_the_first_leaves():
    both = {name: proof_data(below, lost=15) for name, below in (("small", "0.6"), ("medium", "0.9"))}

    enough = seen(snapshot(route(maxQualityLoss="2%"), proofs=both))
    scarce = seen(snapshot(route(maxQualityLoss="1.5%"), proofs=both))

    assert enough.below == {"small": "0.6", "medium": "0.9", "large": ""}
    assert scarce.below == {"small": "0.6", "medium": "", "large": ""}
    assert scarce.says(ConditionType.CALIBRATED) == ("False", Reason.LOSS_NOT_ALLOWED)
    assert scarce.says(ConditionType.ROUTING) == ("True", Reason.ROUTED)


def test_the_routes_own_config_map_is_for_the_first_tier_without_one():
    calibration = {"configMapRef": {"name": "rest"}, "tiers": [{"name": "small", "configMapRef": {"name": "small"}}]}
    data = {"small": proof_data("0.6"), "rest": proof_data("0.9")}
    found = seen(snapshot(route(calibration=calibration), proofs=data))

    assert found.below == {"small": "0.6", "medium": "0.9", "large": ""}


def test_a_tier_with_another_score_is_told_its_own():
    other = with_coefficients(proof_data("0.9"), basis="Other")
    found = seen(snapshot(proofs={"small": proof_data("0.6"), "medium": other}))
    [configuration] = [item for item in found.decision.objects if item["kind"] == "ConfigMap"]

    assert sum("coefficients" in key or key.startswith("score") for key in configuration["data"]) == 2


def scores(first: int) -> RouteTraffic:
    """A day of 10,000 requests, so many of them in the first tenth, the others spread evenly."""
    rest = (10_000 - first) // 9
    return RouteTraffic(scores=(first, *[rest] * 9))


def after(given, **changed):
    """The same snapshot one decision later, with something changed."""
    return seen(replace(told(given), **changed))


def drifting():
    return snapshot(two(), proofs={"proof": proof_data("0.6")}, traffic={"chat": scores(4_000)})


def test_routing_begins_again_only_when_prompts_are_clearly_like_those_of_the_calibration():
    near, back = after(drifting(), traffic={"chat": scores(2_500)}), after(drifting(), traffic={"chat": scores(1_200)})

    assert 0.1 < stability_index(scores(2_500).scores) < 0.2
    assert near.says(ConditionType.ROUTING) == ("False", Reason.TRAFFIC_DRIFTED)
    assert back.says(ConditionType.ROUTING) == ("True", Reason.ROUTED)
    assert seen(replace(drifting(), traffic={"chat": scores(2_500)})).says(ConditionType.ROUTING)[0] == "True"


def test_metrics_that_cannot_be_read_give_no_trust_back():
    down = MetricsDown(reason=Reason.PROMETHEUS_UNREACHABLE, message="no connection")

    assert after(drifting(), traffic=down).says(ConditionType.ROUTING) == ("False", Reason.TRAFFIC_DRIFTED)
    assert after(drifting(), traffic={}).says(ConditionType.ROUTING) == ("False", Reason.TRAFFIC_DRIFTED)


def test_another_calibration_is_judged_by_itself():
    anew = {"proof": read_proof("proof", proof_data("0.5", labels=3600))}

    assert after(drifting(), proofs=anew, traffic={"chat": scores(1_000)}).below["small"] == "0.5"
