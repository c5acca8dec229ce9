"""A ModelRoute on the real cluster: the operator runs a real LiteLLM in front of a real vLLM, under requests that never pause.

Covered: the router's Deployment from the chart's operator, its master key, a tenant's key from a Secret that comes late, another
configuration rolled out under requests, a router's pod that dies, features and what they cost in Prometheus, everything gone
with the route.
Not covered: routing by score and tiers that die (tests/contract/router), whatever needs images of a registry.
"""

import base64
import contextlib
import json
from collections.abc import Iterator

import httpx
import pytest

from cluster.cluster import Cluster
from costpolicy.kube.errors import Gone
from costpolicy.observe.exported import Recorded
from demo import operator, real_engine
from demo.applications import Applications, applications, assert_nothing_was_lost
from demo.journal import Journal
from demo.routers import MANIFEST, ROUTE, ROUTER, Routers
from demo.stage import set_up
from demo.world import NAMESPACE, World

SOME = 10
"""Answers in every way of asking, before and after a change."""
INPUT_PRICE, OUTPUT_PRICE = 0.20, 0.80
"""Of the trusted tier's tokens, a million, as the manifest has it."""
KEY = "sk-of-the-shop-and-of-nobody-else"


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[World]:
    with set_up(cluster, Journal(), replicas=1, patience=900, keep=False) as world:
        operator.runs(world)
        yield world


@pytest.fixture(scope="module")
def routers(world: World) -> Routers:
    engine = real_engine.starts(world)
    routers = Routers.provided(world, engine)
    world.ready(real_engine.POLICY)
    return routers


@pytest.mark.timeout(1800)
def test_a_route_waits_for_its_tenants_key_and_says_which(world: World, routers: Routers):
    world.apply(MANIFEST)

    stalled = lambda: routers.condition("Stalled")  # noqa: E731
    told = world.until("the key is missed", stalled, lambda one: one["reason"] == "SecretMissing")
    assert told["status"] == "True"
    assert "shop-key" in told["message"]
    world.cluster.kubectl("create", "secret", "generic", "shop-key", "-n", NAMESPACE, f"--from-literal=token={KEY}")
    routers.ready()


@pytest.mark.timeout(1800)
def test_whoever_has_the_key_is_answered_under_the_routes_name_and_nobody_else(world: World, routers: Routers):
    url = world.service_url(ROUTER)

    assert 200 == ask(url, KEY).status_code
    assert 401 == ask(url, "sk-a-guess").status_code
    assert ask(url, KEY, model=f"{ROUTE}/small").status_code in {400, 401, 403}
    assert KEY not in routers.logs()


@pytest.mark.timeout(1800)
def test_another_configuration_and_a_dead_router_lose_no_answer(world: World, routers: Routers, callers: Applications):
    callers.answered(SOME)
    before = routers.pods()

    world.cluster.kubectl(
        *("patch", "-n", NAMESPACE, "modelroute", ROUTE, "--type=merge", "-p"),
        json.dumps({"spec": {"outputLength": {"mode": "Enforce", "features": [{"name": "search", "maxTokens": 3}]}}}),
    )
    after = world.until("all routers are new", routers.pods, lambda now: len(now) == 2 and not now & before)
    callers.answered(SOME)
    world.cluster.kubectl("delete", "pod", "-n", NAMESPACE, min(after))
    world.until("it is replaced", routers.pods, lambda now: len(now) == 2 and min(after) not in now)

    seen = callers.answered(SOME)
    assert routers.restarts() == 0
    assert_nothing_was_lost(seen)
    capped = ask(world.service_url(ROUTER), KEY, feature="search").json()
    assert capped["usage"]["completion_tokens"] == 3


@pytest.mark.timeout(1800)
def test_features_are_counted_where_prometheus_sees_them(world: World, routers: Routers):
    asked = 'sum(costpolicy_route_requests_total{route="chat",feature="%s",outcome="answered"})'
    assert 200 == ask(world.service_url(ROUTER), KEY, feature="search").status_code
    assert 200 == ask(world.service_url(ROUTER), KEY).status_code

    world.until("search is counted", lambda: world.query(asked % "search"), bool)
    world.until("the rest is unattributed", lambda: world.query(asked % "unattributed"), bool)


@pytest.mark.timeout(1800)
def test_what_a_features_tokens_cost_is_recorded(world: World, routers: Routers):
    of_search = 'sum(increase(costpolicy_route_tokens_total{route="chat",tier="large",feature="search",kind="%s"}[1h]))'
    by_hand = f"({INPUT_PRICE} * {of_search % 'prompt'} + {OUTPUT_PRICE} * {of_search % 'output'}) / 1e6"
    recorded = f'sum({Recorded.BOUGHT_COST}{{route="chat",tier="large",feature="search"}})'

    def off() -> float | None:
        """How far the two are apart; a counter has grown once it was seen twice."""
        ask(world.service_url(ROUTER), KEY, feature="search").raise_for_status()
        return world.query(f"abs({recorded} / ({by_hand} > 0) - 1)")

    world.until("its cost is that of its tokens", off, lambda apart: apart is not None and apart < 0.25)


@pytest.mark.timeout(1800)
def test_the_master_key_is_made_once_and_everything_goes_with_the_route(world: World, routers: Routers):
    made = world.connection.request("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets/{ROUTER}")
    key = base64.b64decode(next(iter(made["data"].values()))).decode()
    assert key.startswith("sk-")
    assert key not in routers.logs()
    assert 200 == ask(world.service_url(ROUTER), key).status_code

    world.cluster.kubectl("delete", "-n", NAMESPACE, "modelroute", ROUTE)

    world.until("the router is gone", lambda: exists(world, "deployments"), lambda there: not there)
    world.until("its pods are gone", routers.pods, lambda now: not now)


@pytest.fixture(scope="module")
def callers(world: World, routers: Routers) -> Iterator[Applications]:
    with applications(world, routers.engine, ROUTER, ROUTE, f"--key={KEY}", "--long-tokens=200") as callers:
        yield callers


def ask(url: str, key: str, model: str = ROUTE, feature: str = "") -> httpx.Response:
    headers = {"authorization": f"Bearer {key}", **({"x-costpolicy-feature": feature} if feature else {})}
    question = {"model": model, "messages": [{"role": "user", "content": "what does a token cost?"}], "max_tokens": 8}
    settings = {"ignore_eos": True}
    return httpx.post(
        f"{url}/v1/chat/completions", json=question | settings, headers=headers, timeout=60, trust_env=False
    )


def exists(world: World, plural: str) -> bool:
    with contextlib.suppress(Gone):
        world.connection.request("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/{plural}/{ROUTER}")
        return True
    return False
