"""The router's pods and what stands around them: secrets by reference, rights, rollouts, network, monitoring.

Not covered: acceptance by an API server (tests/integration/manifests); LiteLLM in such an environment (tests/router).
"""

from datetime import timedelta
from typing import Any

import pytest

from costpolicy.api.containers import ResourceRequirements
from costpolicy.manifests.identity import POLICY_LABEL
from costpolicy.manifests.router.identity import ROUTER
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.router.litellm import LONGEST_ANSWER
from costpolicy.manifests.router.router_objects import router_objects
from costpolicy.manifests.timing import IDLE_CONNECTION
from routers import full_router, hosted, provider, route, router, secret, tier


def rendered(kind: str, of: Router, *, monitored: bool = False) -> dict[str, Any]:
    [found] = [each for each in router_objects(of, monitored=monitored) if each["kind"] == kind]
    document: dict[str, Any] = found
    return document


def pod(of: Router) -> dict[str, Any]:
    spec: dict[str, Any] = rendered("Deployment", of)["spec"]["template"]["spec"]
    return spec


def variables(of: Router) -> dict[str, Any]:
    [container] = pod(of)["containers"]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def test_objects_come_in_an_order_that_starts_no_pod_in_vain():
    kinds = [each["kind"] for each in router_objects(router(), monitored=True)]

    assert ["ConfigMap", "Service", "NetworkPolicy", "Deployment", "PodDisruptionBudget", "PodMonitor"] == kinds


def test_secrets_are_named_and_the_kubelet_brings_them():
    given = {name: value["secretKeyRef"] for name, value in variables(full_router()).items() if isinstance(value, dict)}

    assert {
        "LITELLM_MASTER_KEY": "costpolicy-router",
        "COSTPOLICY_TENANT_0": "shop",
        "COSTPOLICY_TENANT_1": "desk",
        "COSTPOLICY_PROVIDER_0": "provider",
    } == {name: reference["name"] for name, reference in given.items()}


def test_where_litellm_has_a_database_the_router_is_handed_its_address_and_no_tenants_key():
    given = variables(router(tenants=full_router().tenants, database=secret("database", "url")))

    assert {"name": "database", "key": "url"} == given["DATABASE_URL"]["secretKeyRef"]
    assert not [name for name in given if name.startswith("COSTPOLICY_TENANT")]


def test_every_stored_route_owns_every_object_and_none_controls_it():
    unstored = route("new", uid="")
    for each in router_objects(router(route(), route("mail"), unstored), monitored=True):
        owners = each["metadata"]["ownerReferences"]
        assert ["chat-uid", "mail-uid"] == [owner["uid"] for owner in owners]
        assert {False} == {owner["controller"] for owner in owners}


def test_routes_that_were_never_stored_own_nothing():
    assert "ownerReferences" not in rendered("Service", router(route(uid="")))["metadata"]


def test_no_policy_takes_the_router_for_an_engine():
    for each in router_objects(full_router(), monitored=True):
        assert POLICY_LABEL not in each["metadata"]["labels"]
    assert POLICY_LABEL not in rendered("Deployment", router())["spec"]["template"]["metadata"]["labels"]


def test_everything_that_selects_pods_selects_these():
    labels = rendered("Deployment", router())["spec"]["template"]["metadata"]["labels"]
    selectors = [
        rendered("Service", router())["spec"]["selector"],
        rendered("Deployment", router())["spec"]["selector"]["matchLabels"],
        rendered("PodDisruptionBudget", router())["spec"]["selector"]["matchLabels"],
        rendered("NetworkPolicy", router())["spec"]["podSelector"]["matchLabels"],
        rendered("PodMonitor", router(), monitored=True)["spec"]["selector"]["matchLabels"],
    ]

    assert [selectors[0]] * 5 == selectors
    assert selectors[0].items() <= labels.items()


def test_a_new_configuration_never_takes_a_replica_away_first():
    assert {"maxSurge": 1, "maxUnavailable": 0} == rendered("Deployment", router())["spec"]["strategy"]["rollingUpdate"]


def test_the_longest_answer_ends_before_the_kubelet_loses_patience():
    spec = pod(router())
    hook = spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    waits, longest = (int(word) for word in hook[-2:])

    assert timedelta(seconds=longest) == LONGEST_ANSWER
    assert spec["terminationGracePeriodSeconds"] > waits + longest


def test_idle_connections_end_at_the_client_first_and_at_the_engine_last():
    given = variables(router())

    assert timedelta(seconds=int(given["AIOHTTP_KEEPALIVE_TIMEOUT"])) < IDLE_CONNECTION
    assert timedelta(seconds=int(given["KEEPALIVE_TIMEOUT"])) == IDLE_CONNECTION


def test_it_has_no_rights_and_writes_only_to_volumes():
    spec = pod(router())
    security = spec["containers"][0]["securityContext"]

    assert (False, False) == (spec["automountServiceAccountToken"], spec["enableServiceLinks"])
    assert (True, True) == (security["readOnlyRootFilesystem"], spec["securityContext"]["runAsNonRoot"])
    assert "/tmp" in [mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]]
    assert "/tmp" == variables(router())["HOME"]


def test_claims_are_mounted_once_and_only_where_something_is_sampled():
    chat = full_router().routes[0]
    twice = router(chat, route("other", sampling=chat.sampling))

    assert 1 == sum("persistentVolumeClaim" in volume for volume in pod(twice)["volumes"])
    assert 0 == sum("persistentVolumeClaim" in volume for volume in pod(router())["volumes"])


def test_resources_that_the_user_gives_hold():
    given = ResourceRequirements.model_validate({"requests": {"cpu": "250m"}, "limits": {"memory": "700Mi"}})
    [container] = pod(router(resources=given))["containers"]

    assert {"requests": {"cpu": "250m"}, "limits": {"memory": "700Mi"}} == container["resources"]


def test_prometheus_finds_it_by_annotations_or_by_a_pod_monitor_and_not_by_both():
    template = rendered("Deployment", router())["spec"]["template"]["metadata"]
    monitored = rendered("Deployment", router(), monitored=True)["spec"]["template"]["metadata"]

    assert ("9401", "annotations" in monitored) == (template["annotations"]["prometheus.io/port"], False)
    endpoints = rendered("PodMonitor", router(), monitored=True)["spec"]["podMetricsEndpoints"]
    assert [("metrics", "/metrics"), ("http", "/metrics/")] == [(each["port"], each["path"]) for each in endpoints]


@pytest.mark.parametrize(
    ("backends", "expected"),
    [
        ((hosted(), hosted("other")), [53, 53, 8000]),
        ((hosted(), provider()), [53, 53, 8000, 443]),
        (
            (provider(base_url="http://one.example/v1"), provider(base_url="https://two.example:8443")),
            [53, 53, 80, 8443],
        ),
    ],
)
def test_it_reaches_only_what_its_tiers_need(backends: Any, expected: list[int]):
    tiers = tuple(tier(f"t{number}", backend) for number, backend in enumerate(backends))
    rules = rendered("NetworkPolicy", router(route(tiers=tiers, trusted="t0")))["spec"]["egress"]

    assert expected == [port["port"] for rule in rules for port in rule["ports"]]


def test_it_reaches_engines_of_its_own_policies_alone():
    rules = rendered("NetworkPolicy", full_router())["spec"]["egress"]
    [peer] = [rule["to"] for rule in rules if "to" in rule]

    assert [{"key": POLICY_LABEL, "operator": "In", "values": ["llama-70b", "llama-8b"]}] == peer[0]["podSelector"][
        "matchExpressions"
    ]


def test_it_reaches_a_database_where_there_is_one():
    rules = rendered("NetworkPolicy", router(database=secret("database", "url")))["spec"]["egress"]

    assert 5432 in [port["port"] for rule in rules for port in rule["ports"]]


def test_its_objects_are_all_called_alike():
    names = {each["kind"]: each["metadata"]["name"] for each in router_objects(router(), monitored=True)}

    assert {ROUTER} == {name for kind, name in names.items() if kind != "ConfigMap"}
