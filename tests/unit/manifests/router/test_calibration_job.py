"""The CronJob that proves a route's thresholds anew.

Covered: that the command line accepts every argument, who is asked, keys, rights, order, names.
Not covered: acceptance by an API server and a run of its command (tests/integration/manifests).
"""

from dataclasses import replace
from typing import Any

from costpolicy.api.operation import Judge
from costpolicy.cli.judging import JUDGE_KEY
from costpolicy.cli.main import parser
from costpolicy.cli.route_label import ROUTER_KEY
from costpolicy.manifests.identity import POLICY_LABEL
from costpolicy.manifests.router.calibration_job import ACCOUNT, Renewal, calibration_cron_job
from costpolicy.manifests.router.identity import router_selector
from costpolicy.manifests.router.routes_file import routes_document
from routers import full_router, renewal, route, router, tier

RENEWAL = renewal()


def pod(of: Renewal = RENEWAL) -> dict[str, Any]:
    spec: dict[str, Any] = calibration_cron_job(of)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return spec


def arguments(container: dict[str, Any]) -> Any:
    command = [*container["command"], *container["args"]]
    assert ["python3", "-m", "costpolicy.cli.main"] == command[:3]
    return parser().parse_args(command[3:])


def test_each_tier_is_renewed_by_the_command_one_after_the_other():
    small, medium = (arguments(each) for each in (*pod()["initContainers"], *pod()["containers"]))

    assert ("chat/large", "chat/small", "chat-calibration") == (small.strong, small.weak, small.config_map)
    assert ("chat/large", "chat/medium", "chat-medium") == (medium.strong, medium.weak, medium.config_map)
    assert ("0.01", "0.02") == (small.max_loss, medium.max_loss)
    assert ("http://costpolicy-router:4000", 200, 30) == (small.router, small.per_day, small.keep)
    assert ("2.50,10.00", "0.10,0.40") == (small.strong_prices, small.weak_prices)


def test_a_lone_tier_needs_no_init_container():
    assert "initContainers" not in pod(replace(RENEWAL, tiers=RENEWAL.tiers[:1]))


def test_samples_are_read_where_the_router_writes_them():
    [container] = pod()["containers"]
    found = arguments(container)
    written = routes_document(full_router())["routes"]["chat"]["sampling"]["folder"]

    assert written == found.samples
    assert f"{written}/labels/medium.csv" == found.labels
    assert written.startswith(container["volumeMounts"][0]["mountPath"])


def test_keys_come_from_secrets_under_the_names_that_the_command_reads():
    [container] = pod()["containers"]
    keys = {each["name"]: each["valueFrom"]["secretKeyRef"]["name"] for each in container["env"]}

    assert {ROUTER_KEY: "costpolicy-router", JUDGE_KEY: "judge"} == keys
    assert {ROUTER_KEY} == {each["name"] for each in pod(replace(RENEWAL, judge=Judge()))["containers"][0]["env"]}


def test_without_a_price_nothing_is_told_of_it():
    free = router(route(tiers=(tier(prices=None), tier("large", prices=None)))).routes[0]
    [container] = pod(replace(RENEWAL, route=free, tiers=RENEWAL.tiers[:1]))["containers"]

    assert (None, None) == (arguments(container).strong_prices, arguments(container).weak_prices)


def test_it_writes_by_the_users_account_and_belongs_to_its_route_alone():
    job = calibration_cron_job(RENEWAL)

    assert ACCOUNT == pod()["serviceAccountName"]
    assert ["chat-uid"] == [owner["uid"] for owner in job["metadata"]["ownerReferences"]]
    assert ("chat-calibration", "Forbid") == (job["metadata"]["name"], job["spec"]["concurrencyPolicy"])


def test_neither_router_nor_policy_sends_it_requests():
    labels = calibration_cron_job(RENEWAL)["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]

    assert POLICY_LABEL not in labels
    assert not router_selector().items() <= labels.items()
