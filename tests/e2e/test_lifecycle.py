"""What happens around a policy's life on a real cluster: the operator is killed in the middle of a change; policies go.

Covered: a change that goes on after the operator's death from what the cluster says alone; garbage collection by the
real controller; deletionPolicy Orphan. Not covered: engines (pods are simulated), two operators at once.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.cluster import Cluster
from costpolicy.kube.errors import Gone
from costpolicy.kube.gateway import POLICY_LABEL, VARIANT_LABEL
from costpolicy.kube.kinds import COST_POLICY, DEPLOYMENT, SERVICE
from demo import operator
from demo.journal import Journal
from demo.stage import RELEASE, SYSTEM, set_up
from demo.world import NAMESPACE, World, accelerators_of, is_true, variant_of

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[World]:
    with set_up(cluster, Journal(), replicas=1, patience=120, keep=False) as world:
        operator.runs(world)
        world.apply(EXAMPLES / "pricebook.yaml")
        yield world


@pytest.fixture(autouse=True)
def no_policies_are_left(world: World) -> Iterator[None]:
    yield
    world.cluster.kubectl("delete", "cpol", "--all", "-n", NAMESPACE, "--timeout=60s")
    world.cluster.kubectl("delete", "deployments,services", "-n", NAMESPACE, "-l", POLICY_LABEL, "--timeout=60s")


def test_a_change_goes_on_after_the_operator_was_killed_in_the_middle_of_it(world: World):
    world.apply(EXAMPLES / "llama-70b.yaml")
    before = world.ready("llama-70b")["current"]["variant"]
    with no_further_pods(world):
        world.apply(EXAMPLES / "llama-70b-int8.yaml")
        both = world.until("the new variant's Deployment", lambda: versions(world), lambda found: len(found) == 2)
        killed = leader(world)
        world.cluster.kubectl("delete", "pod", killed, "-n", SYSTEM, "--grace-period=0", "--force")
        world.until("another pod leads", lambda: leader(world), lambda name: name not in ("", killed))
        world.until("it has looked", lambda: answered(world), bool)
        assert both.keys() == versions(world).keys()
        assert before == service_variant(world, "llama-70b")
        assert [before] == [variant_of(pod) for pod in world.ready_pods("llama-70b")]

    world.until("one variant is left", lambda: versions(world), lambda found: len(found) == 1)

    (deployment,) = world.deployments("llama-70b")
    assert 1 == accelerators_of(deployment)
    assert before != variant_of(deployment)
    assert variant_of(deployment) == service_variant(world, "llama-70b")
    assert (
        "int8"
        == world.until(
            "status follows", lambda: world.ready("llama-70b")["current"], lambda seen: seen["variant"] != before
        )["weights"]
    )


def test_what_a_policy_owns_goes_with_it(world: World):
    world.apply(EXAMPLES / "chat-8b.yaml")
    world.ready("chat")

    delete(world, "chat")

    world.until("the children are collected", lambda: children(world, "chat"), lambda found: found == [])
    world.until("the pods are gone", lambda: world.pods("chat"), lambda found: found == [])


def test_an_orphaned_model_goes_on_serving(world: World, tmp_path: Path):
    orphan = yaml.safe_load((EXAMPLES / "llama-70b-int8.yaml").read_text())
    orphan["spec"]["deletionPolicy"] = "Orphan"
    (tmp_path / "orphan.yaml").write_text(yaml.safe_dump(orphan))
    world.apply(tmp_path / "orphan.yaml")
    world.apply(EXAMPLES / "chat-8b.yaml")
    world.ready("llama-70b")
    world.ready("chat")
    kept = children(world, "llama-70b")
    serving = [pod["metadata"]["uid"] for pod in world.ready_pods("llama-70b")]

    delete(world, "llama-70b")
    delete(world, "chat")

    # The other policy's children are collected: by then the collector has seen this policy's end as well.
    world.until("the others are collected", lambda: children(world, "chat"), lambda found: found == [])
    assert kept == children(world, "llama-70b")
    assert serving == [pod["metadata"]["uid"] for pod in world.ready_pods("llama-70b")]


@contextlib.contextmanager
def no_further_pods(world: World) -> Iterator[None]:
    """Keep the namespace from getting pods, so that a change stays in its middle for as long as it takes."""
    running = len(world.connection.request("GET", f"/api/v1/namespaces/{NAMESPACE}/pods")["items"])
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "no-further-pods", "namespace": NAMESPACE},
        "spec": {"hard": {"pods": str(running)}},
    }
    world.cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump(quota))
    enforced = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas/no-further-pods"
    world.until(
        "the quota counts", lambda: world.connection.request("GET", enforced), lambda seen: "used" in seen["status"]
    )
    try:
        yield
    finally:
        world.cluster.kubectl("delete", "resourcequota", "no-further-pods", "-n", NAMESPACE)


def versions(world: World) -> dict[str, str]:
    return {found["metadata"]["name"]: found["metadata"]["uid"] for found in world.deployments("llama-70b")}


def leader(world: World) -> str:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/{RELEASE}"
    return str(world.connection.request("GET", path)["spec"].get("holderIdentity", ""))


def answered(world: World) -> bool:
    status = world.status("llama-70b")
    return is_true(status, "Ready") and is_true(status, "RolloutInProgress")


def service_variant(world: World, name: str) -> str:
    service = world.connection.request("GET", f"{SERVICE.path(NAMESPACE)}/{name}")
    return str(service["spec"]["selector"].get(VARIANT_LABEL, "any"))


def children(world: World, policy: str) -> list[tuple[str, str]]:
    query = {"labelSelector": f"{POLICY_LABEL}={policy}"}
    found: list[dict[str, Any]] = []
    for kind in (DEPLOYMENT, SERVICE):
        found += [
            {"kind": kind.kind, **item}
            for item in world.connection.request("GET", kind.path(NAMESPACE), query=query)["items"]
        ]
    return sorted((item["kind"], item["metadata"]["name"]) for item in found)


def delete(world: World, policy: str) -> None:
    world.connection.request("DELETE", f"{COST_POLICY.path(NAMESPACE)}/{policy}")
    with pytest.raises(Gone):
        world.policy(policy)
