"""``routes.json`` as it is read.  Not covered: what writes it (tests of ``manifests/router``)."""

import json
from typing import Any

import pytest

from costpolicy.router_plugin.compression import Limits
from costpolicy.router_plugin.routes import Cap, RoutesError, Sampling, parse_routes

TIERS = [{"name": "small", "policy": "llama-8b", "below": 0.3}, {"name": "large", "policy": ""}]


def document(**changes: Any) -> dict[str, Any]:
    route = {"trusted": "large", "tiers": TIERS} | changes
    return {"version": 1, "featureHeader": "X-Feature", "metricsPort": 9401, "routes": {"chat": route}}


def test_everything_that_the_decision_names_is_read():
    given = document(
        coefficients="chat.json",
        features=["search"],
        caps={"search": {"maxTokens": 300, "stop": ["\n\n"]}, "": {"stop": ["END"]}},
        compression={"minimum": 4000, "ratio": 0.5},
        sampling={
            "share": 0.01,
            "perDay": 500,
            "folder": "/samples/chat",
            "retentionSeconds": 2592000,
            "compression": {"minimum": 2000, "ratio": 0.4},
        },
    )
    given["tenants"] = [{"name": "shop", "variable": "COSTPOLICY_TENANT_0", "routes": ["chat"]}]
    routing = parse_routes(json.dumps(given))
    route = routing.routes["chat"]

    assert ("x-feature", 9401) == (routing.feature_header, routing.metrics_port)
    assert [("small", "llama-8b", 0.3), ("large", "", None)] == [(t.name, t.policy, t.below) for t in route.tiers]
    assert ("large", "chat.json", {"search"}) == (route.trusted.name, route.coefficients, route.features)
    assert {"search": Cap(max_tokens=300, stop=("\n\n",)), "": Cap(max_tokens=None, stop=("END",))} == route.caps
    assert Limits(minimum=4000, ratio=0.5) == route.compression
    judged = Limits(minimum=2000, ratio=0.4)
    assert (
        Sampling(share=0.01, per_day=500, folder="/samples/chat", retention_seconds=2592000, compression=judged)
        == route.sampling
    )
    assert [("shop", "COSTPOLICY_TENANT_0", {"chat"})] == [(t.name, t.variable, t.routes) for t in routing.tenants]


def test_the_trusted_tier_is_the_route_itself_and_the_others_are_below_it():
    routing = parse_routes(json.dumps(document()))
    route = routing.routes["chat"]
    small, large = route.tiers

    assert ["chat/small", "chat"] == [route.model_of(small), route.model_of(large)]
    assert [small, large, large] == [route.tier_of(name) for name in ("chat/small", "chat", "chat/large")]
    assert [route, route, None, None] == [routing.route_of(one) for one in ("chat", "chat/small", "else", None)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a router's routes"),
        ("[]", "not a router's routes"),
        ("{}", "version"),
        (json.dumps(document() | {"version": 2}), "version 2 is not 1"),
        (json.dumps(document() | {"metricsPort": None}), "not a router's routes"),
        (json.dumps(document(trusted="middle")), "one tier must be the trusted one, 'middle'"),
        (json.dumps(document(trusted=None)), "one tier must be the trusted one"),
        (json.dumps(document(tiers=TIERS + TIERS)), "one tier must be the trusted one"),
        (json.dumps(document(tiers=[TIERS[0] | {"below": 1.5}, TIERS[1]])), "between 0 and 1, not at 1.5"),
        (json.dumps(document(tiers=[TIERS[0], {"name": "m", "below": 0.1}, TIERS[1]])), "thresholds must rise"),
        (json.dumps(document(caps={"": {"maxTokens": 0}})), "a token at least"),
        (json.dumps(document(caps={"": {"stop": "END"}})), "a list is needed"),
        (json.dumps(document(compression={"minimum": 10, "ratio": 0})), "share to keep"),
        (json.dumps(document(sampling={"share": 0.1})), "perDay"),
        (
            json.dumps(document() | {"tenants": [{"name": "x", "variable": "V", "routes": ["no"]}]}),
            "there is no route no",
        ),
        (json.dumps(document() | {"tenants": [{"name": "x", "variable": "V", "routes": "chat"}]}), "a list is needed"),
    ],
)
def test_a_file_that_says_half_of_a_decision_is_refused_as_a_whole(text: str, says: str):
    with pytest.raises(RoutesError, match=says):
        parse_routes(text)
