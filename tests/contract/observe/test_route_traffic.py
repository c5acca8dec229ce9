"""What routers count, asked in the question about the installation, against a real Prometheus; numbers by hand.

Not covered: what a real router serves (ring ``router``); guards that read the scores (unit ring).
"""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from contract.observe.tapes import END, Tape, ramp
from costpolicy.observe.fleet import FleetObservations, ObserveSettings, observe_fleet
from costpolicy.observe.routes import RemovedTokens, TierTokens

POLICY = "costpolicy_build_info"


def tape() -> Tape:
    """Two replicas of one router with two routes, and a namespace with another; an operator beside them."""
    made = Tape()
    made.add(POLICY, {"version": "1"}, ramp(1, 1))
    for pod, share, prometheus in (
        ("a", 1.0, "0"),
        ("b", 0.5, "0"),
        ("b", 0.5, "1"),
    ):  # the second replica is scraped twice
        target = {"namespace": "shop", "pod": pod, "job": "router", "replica": prometheus}
        for route, tier, kind, tokens in (
            ("chat", "small", "prompt", 6000),
            ("chat", "small", "cached", 2000),
            ("chat", "small", "output", 400),
            ("chat", "large", "prompt", 1000),
            ("code", "small", "prompt", 80),
        ):
            for feature in ("search", "other"):
                labels = {**target, "route": route, "tier": tier, "policy": "llama", "feature": feature, "kind": kind}
                made.add("costpolicy_route_tokens_total", labels, ramp(0, tokens * share))
        for tenth in range(10):
            labels = {**target, "route": "chat", "tenth": str(tenth)}
            made.add("costpolicy_route_scores_total", labels, ramp(0, 100 * (tenth + 1) * share))
        for cache, tokens in (("missed", 400), ("hit", 100)):
            labels = {**target, "route": "chat", "cache": cache}
            made.add("costpolicy_route_removed_tokens_total", labels, ramp(0, tokens * share))
    away = {"namespace": "lab", "pod": "c", "route": "chat", "tier": "small", "kind": "prompt"}
    made.add("costpolicy_route_tokens_total", away, ramp(0, 7))
    return made


@pytest.fixture(scope="module")
def fleet(backfilled: Callable[[Tape], "object"]) -> FleetObservations:
    return observe_fleet(backfilled(tape()).source(), datetime.fromtimestamp(END, tz=UTC), ObserveSettings())


def test_tokens_are_summed_over_replicas_and_features_and_split_by_tier_and_kind(fleet: FleetObservations) -> None:
    counted = fleet.routes["shop", "chat"].tokens

    assert counted["small"] == TierTokens(prompt=18000, cached=6000, output=1200)
    assert counted["large"] == TierTokens(prompt=3000)


def test_scores_are_requests_by_tenth(fleet: FleetObservations) -> None:
    assert fleet.routes["shop", "chat"].scores == tuple(150 * (tenth + 1) for tenth in range(10))


def test_tokens_that_were_left_out_are_told_by_what_the_cache_would_have_had(fleet: FleetObservations) -> None:
    assert fleet.routes["shop", "chat"].removed == RemovedTokens(missed=600, hit=150)
    assert fleet.routes["shop", "code"].removed == RemovedTokens()


def test_routes_of_one_name_in_two_namespaces_are_two(fleet: FleetObservations) -> None:
    assert fleet.routes["lab", "chat"].tokens == {"small": TierTokens(prompt=7)}


def test_what_routers_count_makes_no_policy_and_the_installation_is_told_as_before(fleet: FleetObservations) -> None:
    assert fleet.policies() == ()
    assert fleet.operator_scraped
    assert not fleet.rules_loaded
