"""Which routes get a CronJob that proves their thresholds anew, and with which part of the loss.

Not covered: what the CronJob does (tests/unit/manifests, tests/integration/manifests).
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from costpolicy.reconcile.routes.decide import decide_routes
from costpolicy.reconcile.routes.snapshot import RoutesSnapshot
from routed import BOTH_PROVEN, NOW, THREE, external, hosted, route, running, serving, snapshot
from router_world import RouterWorld

NIGHTLY = {"schedule": "0 3 * * *", "storage": {"claimName": "traffic"}}
OURS = "costpolicy.example/operator:1"


def cron_jobs(given: RoutesSnapshot) -> list[Any]:
    return [
        item for item in decide_routes(replace(given, operator_image=OURS), NOW).objects if item["kind"] == "CronJob"
    ]


def scheduled(tiers: Any = THREE, **calibration: Any) -> RoutesSnapshot:
    return snapshot(route(tiers, maxQualityLoss="2%", calibration={**BOTH_PROVEN, **NIGHTLY, **calibration}))


def arguments(job: Any) -> list[dict[str, str]]:
    spec = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    containers = [*spec.get("initContainers", ()), *spec["containers"]]
    return [dict(word.removeprefix("--").split("=", 1) for word in each["args"]) for each in containers]


def test_a_schedule_brings_a_cron_job_that_proves_each_tier():
    [job] = cron_jobs(scheduled())
    small, medium = arguments(job)

    assert ("chat-calibration", "0 3 * * *") == (job["metadata"]["name"], job["spec"]["schedule"])
    assert ("chat/small", "small") == (small["weak"], small["config-map"])
    assert ("chat/medium", "medium") == (medium["weak"], medium["config-map"])
    assert {"chat/large"} == {small["strong"], medium["strong"]}


def test_tiers_share_the_loss_that_is_allowed():
    [job] = cron_jobs(scheduled())

    assert [Fraction(1, 100), Fraction(1, 100)] == [Fraction(each["max-loss"]) for each in arguments(job)]


def test_compression_is_proven_beside_the_tiers_and_has_an_equal_part_of_the_loss():
    wanted = {"mode": "Enabled", "minimumCharacters": 2000, "ratio": "40%"}
    calibration = {**BOTH_PROVEN, **NIGHTLY}
    [job] = cron_jobs(snapshot(route(maxQualityLoss="3%", calibration=calibration, contextCompression=wanted)))
    *tiers, compression = arguments(job)

    assert ["small", "medium"] == [each["config-map"] for each in tiers]
    assert ("2000", "0.4", "small") == (
        compression["compress-minimum"],
        compression["compress-ratio"],
        compression["config-map"],
    )
    assert ["0.01"] * 3 == [each["max-loss"] for each in arguments(job)]


def test_compression_alone_is_reason_enough_for_a_cron_job():
    only = {"configMapRef": {"name": "proof"}, **NIGHTLY}
    trusted_first = (external("large"), external("small"))
    asked = route(trusted_first, trustedTier="large", calibration=only, contextCompression={"mode": "Enabled"})
    [job] = cron_jobs(snapshot(asked))

    assert ["proof"] == [each["config-map"] for each in arguments(job)]


def test_without_a_config_map_compression_has_nowhere_to_be_proven():
    asked = route(calibration={"tiers": [], **NIGHTLY}, contextCompression={"mode": "Enabled"})

    assert [] == cron_jobs(snapshot(asked))


def test_a_tier_without_a_config_map_is_not_proven_and_leaves_all_the_loss_to_the_other():
    named = {"configMapRef": {"name": "small"}, **NIGHTLY}
    [job] = cron_jobs(snapshot(route(maxQualityLoss="2%", calibration={"tiers": [], **named})))

    assert [("small", "0.02")] == [(each["config-map"], each["max-loss"]) for each in arguments(job)]


def test_how_answers_are_judged_and_how_many_a_day_is_what_the_samples_say():
    [job] = cron_jobs(scheduled(samples={"perDay": 50, "judge": {"type": "Contains"}}))

    assert {("50", "Contains")} == {(each["per-day"], each["judge"]) for each in arguments(job)}


@pytest.mark.parametrize(
    "given",
    [
        snapshot(),
        snapshot(route(calibration={"tiers": [], **NIGHTLY})),
        snapshot(
            route((hosted("llama", "0.6"), hosted("gone")), calibration={"configMapRef": {"name": "small"}, **NIGHTLY}),
            policies={"llama": serving("llama")},
        ),
    ],
    ids=["no schedule", "no ConfigMap is named", "the trusted tier cannot be served"],
)
def test_there_is_none_where_nothing_can_be_proven(given: RoutesSnapshot):
    assert [] == cron_jobs(given)


def test_without_an_image_of_its_own_the_operator_makes_none():
    assert [] == [item for item in decide_routes(scheduled(), NOW).objects if item["kind"] == "CronJob"]


def test_a_schedule_that_goes_takes_the_cron_job_along():
    before = running(replace(scheduled(), operator_image=OURS))
    after = replace(before, routes=(route(),))

    assert ["CronJob"] == [ref.kind for ref in decide_routes(after, NOW).deletions]


def test_the_operator_writes_it_once():
    world = RouterWorld(operator_image=OURS)
    world.route(calibration={**BOTH_PROVEN, **NIGHTLY})
    world.settle()
    writes = world.store.writes
    world.turn()

    assert "chat-calibration" == world.one("CronJob")["metadata"]["name"]
    assert writes == world.store.writes
