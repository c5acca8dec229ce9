"""ModelRoutes under the whole operator, with the rights that the chart gives it, on a real API server.

Covered: a route from its creation to Ready, the Secret of the master key, silence when nothing changes, a second route, an edit,
what kubectl shows. Not covered: the router's pods (ring ``router``), collection when routes go (``integration/routing``).
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.api_server import ApiServer
from costpolicy.kube.connection import Connection, connect
from costpolicy.kube.errors import Forbidden
from costpolicy.kube.gateway import Object, ObjectRef, reference
from operating import Cluster, Running
from routed import IMAGE, prices, proof_data, route_document
from waiting import wait_until


def named(cluster: Cluster, api_version: str, kind: str, name: str) -> ObjectRef:
    return ObjectRef(api_version=api_version, kind=kind, name=name, namespace=cluster.namespace)


def router(cluster: Cluster, api_version: str = "apps/v1", kind: str = "Deployment") -> Object | None:
    return cluster.get(named(cluster, api_version, kind, "costpolicy-router"))


def condition(cluster: Cluster, kind: str, name: str = "chat") -> tuple[str, str] | None:
    stored = cluster.get(named(cluster, "costpolicy.dev/v1alpha1", "ModelRoute", name))
    assert stored is not None
    found = stored.get("status", {}).get("conditions", ())
    return next(((each["status"], each["reason"]) for each in found if each["type"] == kind), None)


def roll(cluster: Cluster) -> None:
    """All replicas of the router's last version are ready, as its controllers would say."""
    item = router(cluster)
    assert item is not None
    count = item["spec"]["replicas"]
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
    status = {**counts, "observedGeneration": item["metadata"]["generation"]}
    cluster.edit(reference(item), {"status": status}, "/status")


def configurations(cluster: Cluster) -> list[str]:
    query = {"labelSelector": "app.kubernetes.io/component=router"}
    listed = cluster.connection.request("GET", f"/api/v1/namespaces/{cluster.namespace}/configmaps", query=query)
    return [item["metadata"]["name"] for item in listed["items"]]


def create_route(cluster: Cluster, name: str = "chat", **spec: object) -> None:
    document = route_document(name=name, **spec)
    document["metadata"] = {"name": name, "namespace": cluster.namespace}
    cluster.create(document)


@pytest.fixture(scope="module", autouse=True)
def token_prices(administrator: Connection) -> Iterator[None]:
    cluster = Cluster(administrator, "default")
    stored = cluster.create(prices().to_json())
    yield
    cluster.remove(reference(stored))


@pytest.fixture
def running(operator_kubeconfig: Path, api_server: ApiServer, cluster: Cluster) -> Iterator[Running]:
    started = Running(operator_kubeconfig, cluster.namespace, router_image=IMAGE, image="operator:1").start()
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def routed(cluster: Cluster, running: Running) -> Running:
    """A route that is Ready."""
    for name, threshold in (("small", "0.6"), ("medium", "0.9")):
        metadata = {"name": name, "namespace": cluster.namespace}
        data = proof_data(threshold)
        cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    create_route(cluster, currentTier="medium")
    wait_until(lambda: router(cluster) is not None)
    roll(cluster)
    wait_until(lambda: condition(cluster, "Ready") == ("True", "Serving"))
    assert condition(cluster, "Routing") == ("True", "Routed")
    return running


def test_a_route_gets_its_router_and_says_what_it_saves(cluster: Cluster, routed: Running, api_server: ApiServer):
    kinds = (
        ("v1", "Service"),
        ("policy/v1", "PodDisruptionBudget"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("apps/v1", "Deployment"),
    )
    for api_version, kind in kinds:
        item = router(cluster, api_version, kind)
        assert item is not None, kind
        assert [owner["name"] for owner in item["metadata"]["ownerReferences"]] == ["chat"]

    shown = api_server.kubectl("get", "mroute", "-n", cluster.namespace, "-o", "wide").splitlines()
    assert shown[0].split() == [
        "NAME",
        "ROUTED",
        "$/M-TOKENS",
        "SAVED",
        "SAVED-TODAY",
        "READY",
        "REASON",
        "CALIBRATION",
        "AGE",
    ]
    assert shown[1].split()[:8] == ["chat", "90%", "2.55", "83%", "15%", "True", "Serving", "Proven"]


def test_a_router_that_is_as_it_should_be_costs_no_write(cluster: Cluster, routed: Running):
    def rounds(more: int) -> None:
        begin = routed.reconciles()
        wait_until(lambda: routed.reconciles() >= begin + more)

    rounds(2)  # what the rollout itself brings
    before = routed.writes()
    rounds(4)

    assert routed.writes() == before


def test_the_master_key_is_made_once_and_the_operator_cannot_read_it(
    cluster: Cluster, routed: Running, operator_kubeconfig: Path
):
    ref = named(cluster, "v1", "Secret", "costpolicy-router")
    made = cluster.get(ref)
    create_route(cluster, "code", currentTier="medium")
    wait_until(lambda: condition(cluster, "Stalled", "code") is not None)

    assert made is not None
    assert list(made["data"]) == ["master-key"]
    assert "ownerReferences" not in made["metadata"]
    assert cluster.get(ref) == made
    reader = connect(kubeconfig=str(operator_kubeconfig))
    for verb in ("GET", "DELETE"):
        with pytest.raises(Forbidden):
            reader.request(verb, f"/api/v1/namespaces/{cluster.namespace}/secrets/costpolicy-router")
    reader.close()


def test_a_master_key_that_was_there_before_is_kept(cluster: Cluster, operator_kubeconfig: Path):
    metadata = {"name": "costpolicy-router", "namespace": cluster.namespace}
    kept = cluster.create(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"master-key": "c2stMA=="}}
    )
    started = Running(operator_kubeconfig, cluster.namespace, router_image=IMAGE).start()
    try:
        create_route(cluster)
        wait_until(lambda: router(cluster) is not None)
    finally:
        started.stop()

    assert cluster.get(reference(kept)) == kept


def test_a_second_route_rolls_the_router_and_the_former_configuration_goes(cluster: Cluster, routed: Running):
    [first] = configurations(cluster)
    create_route(cluster, "code")
    wait_until(lambda: len(configurations(cluster)) == 2)
    wait_until(lambda: condition(cluster, "Ready", "code") == ("False", "WaitingForReplicas"))
    assert condition(cluster, "Ready") == ("True", "Serving")
    roll(cluster)
    wait_until(lambda: len(configurations(cluster)) == 1)
    wait_until(lambda: condition(cluster, "Ready", "code") == ("True", "Serving"))

    assert configurations(cluster) != [first]
    deployment = router(cluster)
    assert deployment is not None
    assert [owner["name"] for owner in deployment["metadata"]["ownerReferences"]] == ["chat", "code"]


def test_a_calibration_that_goes_sends_everything_to_the_trusted_tier(cluster: Cluster, routed: Running):
    cluster.remove(named(cluster, "v1", "ConfigMap", "small"))
    cluster.remove(named(cluster, "v1", "ConfigMap", "medium"))
    wait_until(lambda: condition(cluster, "Routing") == ("False", "CalibrationMissing"))

    route = cluster.get(named(cluster, "costpolicy.dev/v1alpha1", "ModelRoute", "chat"))
    assert route is not None
    stored = cluster.get(named(cluster, "v1", "ConfigMap", route["status"]["router"]["configuration"]))
    assert stored is not None
    told = json.loads(stored["data"]["routes.json"])["routes"]["chat"]
    assert told["trusted"] == "large"
    assert not any("below" in tier for tier in told["tiers"])


def test_a_secret_that_the_kubelet_misses_is_told_and_the_route_is_served_on(cluster: Cluster, routed: Running):
    labels = {"app.kubernetes.io/managed-by": "costpolicy-operator", "app.kubernetes.io/component": "router"}
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "openai" not found'}
    container = {
        "name": "litellm",
        "ready": False,
        "restartCount": 0,
        "image": IMAGE,
        "imageID": "",
        "state": {"waiting": waiting},
    }
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "costpolicy-router-x", "namespace": cluster.namespace, "labels": labels},
            "spec": {"containers": [{"name": "litellm", "image": IMAGE}]},
            "status": {"phase": "Pending", "containerStatuses": [container]},
        }
    )

    wait_until(lambda: condition(cluster, "Stalled") == ("True", "SecretMissing"))
    assert condition(cluster, "Ready") == ("True", "Serving")


def test_a_change_of_mind_is_an_event(cluster: Cluster, routed: Running):
    def events() -> list[str]:
        path = f"/apis/events.k8s.io/v1/namespaces/{cluster.namespace}/events"
        listed = cluster.connection.request("GET", path)["items"]
        return sorted(event["reason"] for event in listed if event["regarding"]["kind"] == "ModelRoute")

    assert events() == ["Routed"]
    cluster.remove(named(cluster, "v1", "ConfigMap", "small"))
    cluster.remove(named(cluster, "v1", "ConfigMap", "medium"))
    wait_until(lambda: condition(cluster, "Routing") == ("False", "CalibrationMissing"))
    wait_until(lambda: events() == ["CalibrationMissing", "Routed"])


def test_an_edited_router_is_taken_back(cluster: Cluster, routed: Running):
    service = router(cluster, "v1", "Service")
    assert service is not None
    cluster.edit(reference(service), {"spec": {"selector": {"app.kubernetes.io/component": "mine"}}})

    def selector() -> str:
        item = router(cluster, "v1", "Service")
        return "" if item is None else str(item["spec"]["selector"].get("app.kubernetes.io/component"))

    wait_until(lambda: selector() == "router")


def test_a_schedule_makes_a_cron_job_that_goes_with_it(cluster: Cluster, routed: Running):
    route = named(cluster, "costpolicy.dev/v1alpha1", "ModelRoute", "chat")
    job = named(cluster, "batch/v1", "CronJob", "chat-calibration")
    schedule = {"schedule": "0 3 * * *", "storage": {"claimName": "traffic"}}
    cluster.edit(route, {"spec": {"calibration": schedule}})
    wait_until(lambda: cluster.get(job) is not None)
    stored = cluster.get(job)
    cluster.edit(route, {"spec": {"calibration": {"schedule": None}}})
    wait_until(lambda: cluster.get(job) is None)

    assert stored is not None
    assert [owner["name"] for owner in stored["metadata"]["ownerReferences"]] == ["chat"]
