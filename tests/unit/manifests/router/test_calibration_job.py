"""The CronJob that proves a route's thresholds anew.

Covered: that the command line accepts every argument, who is asked, keys, rights, order, names.
Not covered: acceptance by an API server and a run of its command (tests/integration/manifests).
"""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from costpolicy.api.operation import Judge
from costpolicy.api.route_tiers import TierName
from costpolicy.cli.judging import JUDGE_KEY
from costpolicy.cli.main import parser
from costpolicy.cli.route_label import ROUTER_KEY, compression_of
from costpolicy.kube.parsing import is_router
from costpolicy.manifests.identity import POLICY_LABEL
from costpolicy.manifests.router.calibration_job import ACCOUNT, COMPRESSION, calibration_cron_job
from costpolicy.manifests.router.identity import router_selector
from costpolicy.manifests.router.inputs import Renewal, Router
from costpolicy.manifests.router.router_objects import router_objects
from costpolicy.manifests.router.routes_file import routes_document
from costpolicy.router_plugin.compression import Limits
from routers import full_router, renewal, route, router, tier

ROUTER = full_router()
RENEWAL = renewal()


def pod(of: Renewal = RENEWAL, router: Router = ROUTER) -> dict[str, Any]:
    spec: dict[str, Any] = calibration_cron_job(router, of)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return spec


def arguments(container: dict[str, Any]) -> Any:
    command = [*container["command"], *container["args"]]
    assert ["python3", "-m", "costpolicy.cli.main"] == command[:3]
    return parser().parse_args(command[3:])


def test_each_tier_is_renewed_by_the_command_one_after_the_other():
    small, medium = (arguments(each) for each in pod()["initContainers"])

    assert ("chat/large", "chat/small", "chat-calibration") == (small.strong, small.weak, small.config_map)
    assert ("chat/large", "chat/medium", "chat-medium") == (medium.strong, medium.weak, medium.config_map)
    assert ("0.01", "0.02") == (small.max_loss, medium.max_loss)
    assert ("http://costpolicy-router:4000", 200, 30) == (small.router, small.per_day, small.keep)
    assert ("2.50,10.00", "0.10,0.40") == (small.strong_prices, small.weak_prices)


def test_compression_is_judged_last_on_the_trusted_tier_alone_by_labels_of_its_own_settings():
    [container] = pod()["containers"]
    found = arguments(container)

    assert ("chat/large", "", None) == (found.strong, found.weak, found.weak_prices)
    assert (4000, "0.5", "0.01", "chat-calibration") == (
        found.compress_minimum,
        found.compress_ratio,
        found.max_loss,
        found.config_map,
    )
    assert found.labels.endswith("/labels/compression.1-4000-0.5.csv")
    assert Limits(minimum=4000, ratio=0.5) == compression_of(found)


def test_no_tier_can_be_called_as_the_container_of_compression_is():
    assert len(COMPRESSION) <= 63
    with pytest.raises(ValidationError):
        TypeAdapter(TierName).validate_python(COMPRESSION)


def test_a_lone_tier_needs_no_init_container_and_neither_does_a_lone_compression():
    assert "initContainers" not in pod(replace(RENEWAL, tiers=RENEWAL.tiers[:1], compression=None))
    assert "initContainers" not in pod(replace(RENEWAL, tiers=()))


def test_samples_are_read_where_the_router_writes_them():
    container = pod()["initContainers"][-1]
    found = arguments(container)
    written = routes_document(ROUTER)["routes"]["chat"]["sampling"]["folder"]

    assert written == found.samples
    assert f"{written}/labels/medium.csv" == found.labels
    assert written.startswith(container["volumeMounts"][0]["mountPath"])


def test_keys_come_from_secrets_under_the_names_that_the_command_reads():
    [container] = pod()["containers"]
    keys = {each["name"]: each["valueFrom"]["secretKeyRef"]["name"] for each in container["env"]}

    assert {ROUTER_KEY: "costpolicy-router", JUDGE_KEY: "judge"} == keys
    assert {ROUTER_KEY} == {each["name"] for each in pod(replace(RENEWAL, judge=Judge()))["containers"][0]["env"]}


def test_without_a_price_nothing_is_told_of_it():
    free = router(route(tiers=(tier(prices=None), tier("large", prices=None))), operator_image="o")
    renewed = pod(replace(RENEWAL, tiers=RENEWAL.tiers[:1]), free)

    for container in (*renewed["initContainers"], *renewed["containers"]):
        assert (None, None) == (arguments(container).strong_prices, arguments(container).weak_prices)


def test_it_writes_by_the_users_account_and_belongs_to_its_route_alone():
    job = calibration_cron_job(ROUTER, RENEWAL)

    assert ACCOUNT == pod()["serviceAccountName"]
    assert ["chat-uid"] == [owner["uid"] for owner in job["metadata"]["ownerReferences"]]
    assert ("chat-calibration", "Forbid") == (job["metadata"]["name"], job["spec"]["concurrencyPolicy"])


def test_neither_router_nor_policy_sends_it_requests():
    labels = calibration_cron_job(ROUTER, RENEWAL)["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]

    assert POLICY_LABEL not in labels
    assert not router_selector().items() <= labels.items()


def test_without_an_image_of_the_operator_there_is_no_cron_job():
    kinds = [each["kind"] for each in router_objects(replace(ROUTER, operator_image=""), monitored=True)]

    assert "CronJob" not in kinds
    assert "CronJob" in [each["kind"] for each in router_objects(ROUTER, monitored=False)]


def test_the_operator_finds_it_again_among_the_routers_objects():
    assert is_router(calibration_cron_job(ROUTER, RENEWAL)["metadata"]["labels"])
