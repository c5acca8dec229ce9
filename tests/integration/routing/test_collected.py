"""What becomes of a router when its routes go, with the cluster's real controllers.

Covered: collection by owner references, one route of two and then the last; the real Deployment controller's ReplicaSet.
Not covered: pods that serve (ring ``router``); here none finds a node.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from charting import grant_operator_rights
from cluster.api_server import ApiServer
from controlled import administrator, control_plane, own_namespace
from costpolicy.kube.gateway import ObjectRef
from operating import Cluster, Running
from routed import IMAGE, route_document
from waiting import wait_until

KINDS = (
    ("apps/v1", "Deployment"),
    ("v1", "Service"),
    ("policy/v1", "PodDisruptionBudget"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
)


@pytest.fixture(scope="module")
def controlled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with control_plane(tmp_path_factory.mktemp("controlled")) as server:
        yield server


@pytest.fixture
def cluster(controlled: ApiServer) -> Iterator[Cluster]:
    with administrator(controlled) as connection, own_namespace(connection) as made:
        yield made


def left(cluster: Cluster) -> list[str]:
    refs = (
        ObjectRef(api_version=version, kind=kind, name="costpolicy-router", namespace=cluster.namespace)
        for version, kind in KINDS
    )
    query = {"labelSelector": "app.kubernetes.io/component=router"}
    listed = cluster.connection.request("GET", f"/api/v1/namespaces/{cluster.namespace}/configmaps", query=query)
    return [ref.kind for ref in refs if cluster.get(ref) is not None] + ["ConfigMap"] * len(listed["items"])


def owners(cluster: Cluster) -> list[str]:
    ref = ObjectRef(api_version="v1", kind="Service", name="costpolicy-router", namespace=cluster.namespace)
    stored = cluster.get(ref)
    return [] if stored is None else [owner["name"] for owner in stored["metadata"]["ownerReferences"]]


def test_the_last_route_takes_the_router_along_and_leaves_the_key(
    controlled: ApiServer, cluster: Cluster, tmp_path: Path
):
    started = Running(
        grant_operator_rights(controlled, tmp_path / "kubeconfig"), cluster.namespace, router_image=IMAGE
    ).start()
    routes = []
    try:
        for name in ("chat", "code"):
            document = route_document(name=name)
            document["metadata"] = {"name": name, "namespace": cluster.namespace}
            cluster.create(document)
            routes.append(
                ObjectRef(
                    api_version="costpolicy.dev/v1alpha1", kind="ModelRoute", name=name, namespace=cluster.namespace
                )
            )
        wait_until(lambda: owners(cluster) == ["chat", "code"])
        cluster.remove(routes[0])
        wait_until(lambda: owners(cluster) == ["code"])
        alone = left(cluster)
        cluster.remove(routes[1])
        wait_until(lambda: left(cluster) == [], 60)
    finally:
        started.stop()

    assert alone[:4] == [kind for _, kind in KINDS]
    key = ObjectRef(api_version="v1", kind="Secret", name="costpolicy-router", namespace=cluster.namespace)
    assert cluster.get(key) is not None
