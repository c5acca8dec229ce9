"""A route by itself: defaults, what a schema cannot say, and a status that fits whatever is put into it."""

import json
from datetime import UTC, datetime

import pytest

from costpolicy.api.conditions import ConditionType, condition, merge_conditions
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.model_route_status import (
    ModelRouteStatus,
    ProvenThreshold,
    RouteCalibrationStatus,
    RouterStatus,
    RouteSavings,
    TierStatus,
    TierTokenPrice,
)
from costpolicy.api.reasons import Reason
from costpolicy.api.route_tiers import MOST_TIERS
from costpolicy.api.route_validation import fallbacks, route_problems
from costpolicy.api.status import STATUS_LIMIT
from plain_documents import TIERS, route
from route_examples import LARGE, MEDIUM, SMALL

NOW = datetime(2026, 11, 29, tzinfo=UTC)
MOST = "999999999999.999999"


def parsed(tiers=TIERS, **spec) -> ModelRoute:
    return ModelRoute.model_validate(route(tiers, **spec))


def test_a_route_of_two_tiers_has_the_documented_defaults():
    spec = parsed().spec

    assert (spec.provider, spec.max_quality_loss, spec.trusted) == ("LiteLLM", "2%", "large")
    assert (spec.calibration.max_age, spec.calibration.retention) == ("720h", "720h")
    assert (spec.context_compression.mode, spec.output_length.mode) == ("Disabled", "Recommend")
    assert (spec.router.replicas, spec.attribution.header) == (2, "x-costpolicy-feature")


def test_what_was_read_is_written_the_same():
    document = route(calibration={"samples": {"share": "1%"}, "storage": {"claimName": "samples"}})

    assert ModelRoute.model_validate(parsed().to_json()) == parsed()
    assert ModelRoute.model_validate(document).to_json()["spec"]["calibration"]["samples"]["perDay"] == 500


def test_the_tiers_after_one_answer_in_its_place_then_those_before_it():
    assert fallbacks(parsed([SMALL, MEDIUM, LARGE]).spec) == {
        "small": ("medium", "large"),
        "medium": ("large", "small"),
        "large": ("medium", "small"),
    }


def test_fallbacks_that_are_named_are_the_only_ones():
    tiers = [{**SMALL, "fallbacks": ["large"]}, MEDIUM, LARGE]

    assert fallbacks(parsed(tiers).spec)["small"] == ("large",)


@pytest.mark.parametrize(
    ("named", "circle"),
    [
        ({"small": ["large"], "large": ["small"]}, "small to large to small"),
        ({"small": ["medium"], "medium": ["large"], "large": ["small"]}, "small to medium to large to small"),
        ({"medium": ["small", "large"], "large": ["medium"]}, "medium to large to medium"),
        ({"small": ["medium", "large"], "medium": ["large"]}, ""),
    ],
)
def test_fallbacks_in_a_circle_are_a_problem(named, circle):
    tiers = [{**tier, "fallbacks": named.get(tier["name"], [])} for tier in (SMALL, MEDIUM, LARGE)]
    found = route_problems(parsed(tiers))

    assert [one.reason for one in found] == ([Reason.FALLBACK_CYCLE] if circle else [])
    assert all(circle in one.message for one in found)


def test_a_schedule_that_never_comes_is_a_problem():
    calibration = {"schedule": "0 25 * * *", "storage": {"claimName": "samples"}}

    [found] = route_problems(parsed(calibration=calibration))
    assert (found.reason, found.message.split(":")[0]) == (Reason.INVALID_SCHEDULE, "spec.calibration.schedule")


@pytest.mark.parametrize("text", ["x", "ä", '"', "\n", "😀"])
def test_even_the_fullest_status_fits(text: str):
    long = text * 600
    conditions = [condition(kind, False, Reason.CALIBRATION_UNREADABLE, long) for kind in list(ConditionType)[:8]]
    price = TierTokenPrice(input=MOST, output=MOST, cached_input=MOST, basis="PriceBook")
    proven = ProvenThreshold(config_map=long, threshold=long, loss_bound=long, labels=2**53, date=long)
    status = ModelRouteStatus(
        observed_generation=2**53,
        conditions=merge_conditions((), conditions, NOW),
        tiers=tuple(
            TierStatus(
                name=f"{number}{long}",
                model=long,
                below=long,
                proven=proven,
                why_not=long,
                price_per_million=price,
                share=long,
            )
            for number in range(MOST_TIERS)
        ),
        routed=long,
        blended_per_million_tokens=MOST,
        currency=long,
        savings=RouteSavings(against_dearest=long, against_current=long, dearest=long, basis="Expected"),
        calibration=RouteCalibrationStatus(config_map=long, verdict=long, message=long, labelling_per_day=MOST),
        router=RouterStatus(name=long, configuration=long, ready_replicas=2**53),
    )

    written = json.dumps(status.to_json(), separators=(",", ":"), ensure_ascii=False).encode()
    assert len(written) <= STATUS_LIMIT
