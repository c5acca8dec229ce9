"""Whether a route's long requests are shortened: what is told to the router, and what is said.

Not covered: what pairs prove (unit/routing), who judges them (unit/evaluator), what the router does (contract/router).
"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from costpolicy.api.conditions import ConditionType
from costpolicy.api.model_route_status import CompressionSavings
from costpolicy.api.reasons import Reason
from costpolicy.observe.routes import RemovedTokens, RouteTraffic, TierTokens
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.routing.compression_proof import Pairs
from routed import (
    NOW,
    THREE,
    TODAY,
    Document,
    Seen,
    compression_data,
    external,
    hosted,
    proof_data,
    route,
    seen,
    snapshot,
    told,
)
from router_world import RouterWorld

WANTED = {"contextCompression": {"mode": "Enabled"}, "calibration": {"configMapRef": {"name": "proof"}}}
PLAIN = (external("small", "0.6"), external("large"))
UNLIKE = RouteTraffic(scores=(4000, 0, 0, 0, 0, 0, 0, 0, 0, 0))
ALIKE = RouteTraffic(scores=(400,) * 10)


def decided(data: dict[str, str] | None, tiers: Any = PLAIN, now: Any = NOW, **more: Any) -> Seen:
    """A route that asks for compression, whose ConfigMap says this; keywords are fields of the snapshot."""
    spec = WANTED | more.pop("spec", {})
    given = snapshot(route(tiers, **spec), proofs={} if data is None else {"proof": data})
    return seen(replace(given, **more), now=now)


def sent(found: Seen) -> Document:
    """What the router is told of the route."""
    [data] = [item["data"] for item in found.decision.objects if item["kind"] == "ConfigMap"]
    routed: Document = json.loads(data["routes.json"])["routes"]["chat"]
    return routed


def refused(reason: Reason, says: str, found: Seen) -> None:
    assert "compression" not in sent(found)
    assert ("False", reason) == found.says(ConditionType.COMPRESSING)
    assert says in found.condition(ConditionType.COMPRESSING).message
    assert found.status.compression is not None
    assert (reason, True) == (found.status.compression.verdict, says in found.status.compression.message)


def test_proven_it_is_told_to_the_router():
    found = decided(proof_data(None) | compression_data(judged=400, lost=1))
    status = found.status.compression

    assert {"minimum": 4000, "ratio": 0.5} == sent(found)["compression"]
    assert ("True", Reason.COMPRESSION_PROVEN) == found.says(ConditionType.COMPRESSING)
    assert status is not None
    assert ("Proven", 400, 1, None, "1.21%") == (
        status.verdict,
        status.pairs,
        status.lost,
        status.needed,
        status.loss_bound,
    )
    assert ("proof", TODAY.isoformat()) == (status.config_map, status.date)


def test_before_there_is_a_pair_it_says_how_many_are_needed():
    found = decided(None)

    refused(Reason.NOT_PROVEN, "ConfigMap proof says nothing of compression yet", found)
    assert found.status.compression is not None
    assert (0, 154) == (found.status.compression.pairs, found.status.compression.needed)


def test_too_few_pairs_prove_nothing_and_it_says_how_many_would():
    found = decided(compression_data(judged=150))

    refused(Reason.NOT_PROVEN, "0 of 150 shortened requests were answered worse: 154 pairs are needed", found)
    assert found.status.compression is not None
    assert (150, 154) == (found.status.compression.pairs, found.status.compression.needed)


def test_a_route_that_names_no_config_map_is_told_to():
    refused(Reason.NOT_PROVEN, "name a ConfigMap in spec.calibration", decided(None, spec={"calibration": {}}))


@pytest.mark.parametrize("settings", ["1-4000-0.4", "1-2000-0.5", "2-4000-0.5"])
def test_other_settings_need_another_proof(settings: str):
    refused(Reason.NOT_PROVEN, "of another minimumCharacters", decided(compression_data(settings=settings)))


def test_worse_answers_end_it_those_of_late_too():
    refused(Reason.QUALITY_LOST, "40 of 400", decided(compression_data(judged=400, lost=40)))
    late = compression_data(judged=9000, lost=45, newest=Pairs(judged=500, lost=30))
    refused(Reason.QUALITY_LOST, "30 of 500", decided(late))


def test_pairs_of_old_prove_nothing():
    data = compression_data(on=TODAY - timedelta(days=31))

    refused(Reason.EVIDENCE_STALE, "more than 30 days old", decided(data))


def test_prompts_that_are_not_like_those_that_were_judged():
    refused(Reason.TRAFFIC_DRIFTED, "stability index", decided(compression_data(), traffic={"chat": UNLIKE}))


def test_after_a_drift_it_begins_again_only_when_prompts_are_clearly_as_they_were():
    drifting = snapshot(route(PLAIN, **WANTED), proofs={"proof": compression_data()}, traffic={"chat": UNLIKE})
    after = told(drifting)

    refused(Reason.TRAFFIC_DRIFTED, "not clearly like them again", seen(replace(after, traffic={})))
    assert "compression" in sent(seen(replace(after, traffic={"chat": ALIKE})))


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 9}'])
def test_a_proof_that_cannot_be_read(text: str):
    refused(Reason.CALIBRATION_UNREADABLE, "ConfigMap proof: compression.json", decided({"compression.json": text}))


def test_losses_of_tiers_are_taken_off_what_compression_may_lose():
    """The tier's bound is 0.51 %: 1.49 % of 2 % is left, and nothing of 0.5 %."""
    data = proof_data("0.6", lost=8)
    enough, scarce = (data | compression_data(judged=count) for count in (210, 200))

    assert "compression" in sent(decided(enough))
    refused(Reason.NOT_PROVEN, "pairs are needed", decided(scarce))
    assert "compression" in sent(decided(proof_data(None) | compression_data(judged=200)))


def test_tiers_that_may_lose_everything_leave_nothing_to_compression():
    data = proof_data("0.6", lost=5)
    bound = json.loads(data["calibration.json"])["loss"]["bound"]
    found = decided(data | compression_data(), spec={"maxQualityLoss": f"{bound * 100:.3f}%"})

    refused(Reason.LOSS_NOT_ALLOWED, "may lose all of spec.maxQualityLoss", found)


def test_another_tier_in_place_of_the_trusted_one_was_never_judged():
    tiers = (external("small", "0.6"), hosted("large"))
    refused(Reason.TIER_NOT_READY, "the trusted tier large cannot be served", decided(compression_data(), tiers))


def test_switched_off_nothing_is_said_of_it():
    found = seen(snapshot(route(THREE)))

    assert found.status.compression is None
    assert ConditionType.COMPRESSING not in {one.type for one in found.status.conditions}


def test_long_samples_are_kept_so_that_they_can_be_asked_again_before_anything_is_proven():
    calibration = {"samples": {}, "storage": {"claimName": "traffic"}}
    compressing = decided(None, spec={"calibration": calibration})
    plain = seen(snapshot(route(PLAIN, calibration=calibration)))

    assert {"minimum": 4000, "ratio": 0.5} == sent(compressing)["sampling"]["compression"]
    assert "compression" not in sent(plain)["sampling"]


def day(**removed: int) -> dict[str, RouteTraffic]:
    tokens = {"small": TierTokens(prompt=9000, output=1), "large": TierTokens(prompt=7000, cached=1000, output=1)}
    return {"chat": RouteTraffic(tokens=tokens, removed=RemovedTokens(**removed))}


def saved(found: Seen) -> CompressionSavings | None:
    assert found.status.savings is not None
    return found.status.savings.compression


def test_what_it_saves_is_net_of_the_cache_hits_that_it_loses():
    found = decided(compression_data(), traffic=day(missed=2000, hit=1000))

    assert CompressionSavings(removed="30%", cache_hits_lost="10%", net="20%") == saved(found)


def test_where_a_tier_does_not_tell_its_cache_hits_the_net_is_not_known():
    found = saved(decided(compression_data(), traffic=day(missed=1000, unknown=2000)))

    assert found is not None
    assert ("30%", "", "") == (found.removed, found.cache_hits_lost, found.net)
    assert "--enable-prompt-tokens-details" in found.why_not


def test_before_anything_was_left_out_it_says_so_and_without_a_proof_it_says_nothing():
    nothing = saved(decided(compression_data(), traffic=day()))

    assert nothing is not None
    assert ("", "nothing was left out of a prompt in the last day") == (nothing.net, nothing.why_not)
    assert saved(decided(None, traffic=day())) is None
    assert saved(decided(compression_data(lost=300), traffic=day(missed=2000))) is not None


def test_without_metrics_it_stays_as_it_was_seen():
    proven = snapshot(route(PLAIN, **WANTED), proofs={"proof": compression_data()}, traffic=day(missed=2000, hit=1000))
    down = MetricsDown(reason=Reason.PROMETHEUS_UNREACHABLE, message="down")
    found = saved(seen(replace(told(proven), traffic=down)))

    assert CompressionSavings(removed="30%", cache_hits_lost="10%", net="20%") == found


def test_it_begins_and_ends_with_an_event():
    found = decided(compression_data())
    [status] = found.decision.statuses

    assert Reason.COMPRESSION_PROVEN in {news.reason for news in status.news}


def test_a_config_map_with_pairs_alone_starts_compression_and_proves_no_tier():
    world = RouterWorld()
    world.config_map("proof", compression_data())
    ref = world.route(tiers=list(PLAIN), **WANTED)
    world.settle()

    assert ("True", "CompressionProven") == world.says(ref, "Compressing")
    assert ("False", "CalibrationMissing") == world.says(ref, "Calibrated")
    world.config_map("proof", compression_data(judged=10))
    world.settle()
    assert ("False", "NotProven") == world.says(ref, "Compressing")
