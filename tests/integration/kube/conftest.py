"""The cluster as everybody else sees it, on the ring's API server; one namespace a test."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from cluster.api_server import ApiServer
from costpolicy.clock import SystemClock
from costpolicy.kube.cluster import ClusterGateway
from costpolicy.kube.connection import Connection
from costpolicy.kube.errors import Gone
from costpolicy.kube.gateway import Object, ObjectRef
from costpolicy.kube.kinds import kind_of, object_path


class ClusterWorld:
    """Implements ``gateway_contract.world.World`` with plain requests; ``settle`` is whatever the gateway needs."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self.namespace = namespace
        self.connection = connection
        self.settle: Callable[[], None] = lambda: None

    def create(self, item: Object) -> Object:
        kind, namespace = kind_of(_ref(item)), item["metadata"].get("namespace", "")
        stored: Object = self.connection.request("POST", kind.path(namespace), body=item)
        if "status" in item:
            stored = self.edit(_ref(item), {"status": item["status"]}, "somebody", subresource="/status")
        return stored

    def edit(self, ref: ObjectRef, change: dict[str, Any], manager: str, subresource: str = "") -> Object:
        stored: Object = self.connection.request(
            "PATCH",
            f"{object_path(ref)}{subresource}",
            query={"fieldManager": manager},
            body=change,
            content_type="application/merge-patch+json",
        )
        return stored

    def get(self, ref: ObjectRef) -> Object | None:
        try:
            stored: Object = self.connection.request("GET", object_path(ref))
        except Gone:
            return None
        return stored

    def remove(self, ref: ObjectRef) -> None:
        self.connection.request("DELETE", object_path(ref))

    def events(self) -> list[Object]:
        listed = self.connection.request("GET", f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events")
        return sorted(listed["items"], key=lambda event: str(event["eventTime"]))


def _ref(item: Object) -> ObjectRef:
    metadata = item["metadata"]
    return ObjectRef(
        api_version=item["apiVersion"],
        kind=item["kind"],
        name=metadata["name"],
        namespace=metadata.get("namespace", ""),
    )


@pytest.fixture(scope="session")
def kubeconfig(api_server: ApiServer) -> str:
    return str(api_server.kubeconfig)


@pytest.fixture(scope="session")
def connection(administrator: Connection) -> Connection:
    return administrator


@pytest.fixture
def world(connection: Connection) -> ClusterWorld:
    return ClusterWorld(connection, new_namespace(connection))


@pytest.fixture
def cluster_gateway(connection: Connection, world: ClusterWorld) -> ClusterGateway:
    return ClusterGateway(connection, SystemClock())


_numbers = itertools.count(1)


def new_namespace(connection: Connection) -> str:
    """Create a namespace that no other test has; admission wants its service account."""
    name = f"test-{next(_numbers)}"
    connection.request(
        "POST",
        "/api/v1/namespaces",
        body={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
    )
    connection.request(
        "POST",
        f"/api/v1/namespaces/{name}/serviceaccounts",
        body={"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}},
    )
    return name
