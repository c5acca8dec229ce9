"""The whole operator with its real reconciler, in this process, under the chart's own service account.

No node runs here: Nodes are objects that tests write, and pods are ready when a test says so.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.api_server import ApiServer
from costpolicy.catalog.accelerators import accelerators
from costpolicy.kube.connection import Connection
from costpolicy.kube.gateway import Object, reference
from operating import Cluster, Running
from stories import H100, L40S, prices


def gpu_node(name: str, accelerator: str, count: int = 8) -> Object:
    """Return a node as the device plugin and feature discovery leave it."""
    facts = accelerators()[accelerator]
    key, values = next(iter(facts.node_labels.items()))
    amounts = {"cpu": "192", "memory": "1Ti", facts.resource_name: str(count)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, key: values[0]}},
        "spec": {"taints": [{"key": facts.resource_name, "effect": "NoSchedule"}]},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready"}],
        },
    }


_numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def hardware(administrator: Connection) -> Iterator[None]:
    """One node of each kind and a price book, for all tests of a module."""
    cluster = Cluster(administrator, "default")
    items = [gpu_node("operator-h100", H100), gpu_node("operator-l40s", L40S), prices(priority=10)]
    for item in items:
        cluster.create(item)
    yield
    for item in items:
        cluster.remove(reference(item))


@pytest.fixture
def cluster(administrator: Connection) -> Cluster:
    """A namespace that no other test has."""
    name = f"operator-{next(_numbers)}"
    for path, kind, called in (
        ("/api/v1/namespaces", "Namespace", name),
        (f"/api/v1/namespaces/{name}/serviceaccounts", "ServiceAccount", "default"),
    ):
        body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": called}}
        administrator.request("POST", path, body=body)
    return Cluster(administrator, name)


@pytest.fixture
def running(operator_kubeconfig: Path, api_server: ApiServer, cluster: Cluster) -> Iterator[Running]:
    """The operator, serving the test's namespace."""
    started = Running(operator_kubeconfig, cluster.namespace).start()
    try:
        yield started
    finally:
        started.stop()
