"""From a score to a tier.  Not covered: whether a threshold is proven, which is decided before (``routing/``)."""

import json

import pytest

from costpolicy.router_plugin.choosing import tier_for
from costpolicy.router_plugin.routes import Route, parse_routes


def route(*below: float | None, trusted: int) -> Route:
    tiers = [{"name": f"t{number}", "policy": "", "below": value} for number, value in enumerate(below)]
    given = {"trusted": f"t{trusted}", "tiers": tiers}
    return parse_routes(
        json.dumps({"version": 1, "featureHeader": "x", "metricsPort": 1, "routes": {"chat": given}})
    ).routes["chat"]


def chosen(asked: Route, score: float) -> str:
    return tier_for(asked, lambda _: score).name


@pytest.mark.parametrize(
    ("score", "name"), [(0.0, "t0"), (0.29, "t0"), (0.3, "t1"), (0.69, "t1"), (0.7, "t2"), (1.0, "t2")]
)
def test_the_missions_tiers_answer_below_their_thresholds(score: float, name: str):
    assert name == tier_for(route(0.3, 0.7, None, trusted=2), lambda _: score).name


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_where_nothing_is_proven_the_trusted_tier_answers_everything(score: float):
    assert "t1" == tier_for(route(None, None, None, trusted=1), lambda _: score).name


def test_a_trusted_tier_in_the_middle_keeps_what_is_not_proven_for_a_cheaper_one():
    assert ["t0", "t1"] == [chosen(route(0.2, None, None, trusted=1), score) for score in (0.1, 0.2)]


def test_a_threshold_of_one_takes_everything_but_the_most_complex():
    assert ["t0", "t1"] == [chosen(route(1, None, trusted=1), score) for score in (0.999, 1.0)]


def test_each_tier_is_asked_with_its_own_score_and_one_whose_score_is_missing_gets_nothing():
    tiers = [
        {"name": "small", "below": 0.3, "coefficients": "own.json"},
        {"name": "middle", "below": 0.5},
        {"name": "large"},
    ]
    given = {"trusted": "large", "tiers": tiers, "coefficients": "routes.json"}
    document = {"version": 1, "featureHeader": "x", "metricsPort": 1, "routes": {"chat": given}}
    asked = parse_routes(json.dumps(document)).routes["chat"]
    names = [
        tier_for(asked, scores.get).name
        for scores in ({"own.json": 0.9, "routes.json": 0.4}, {"own.json": 0.1}, {"routes.json": 0.1}, {})
    ]

    assert ("routes.json", "own.json") == asked.scores
    assert ["middle", "small", "middle", "large"] == names
