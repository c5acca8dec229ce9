"""An API server that only answers lists, from a simulated store: what is between it and the operator is the real code."""

from collections.abc import Mapping
from typing import Any

from costpolicy.kube.cluster import ClusterGateway
from costpolicy.kube.connection import Listing
from costpolicy.kube.gateway import MANAGED_BY, MANAGED_BY_LABEL, FieldManager, Object, ObjectRef, Pod
from costpolicy.kube.kinds import OWNED, POD, POD_MONITOR, Kind
from costpolicy.kube.parsing import concerns_us, parse_pod
from costpolicy.simulation.store import Store


class UnexpectedRequestError(Exception):
    """An unchanged policy made the operator ask or write something: then more than CPU would be measured."""


class StoredCluster(ClusterGateway):
    """The cluster of a simulated store for the operator's mirror; whatever costs a request in between is refused."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def listing(self, kind: Kind, *, namespace: str = "", policy: str = "") -> Listing:
        """Return all objects of a kind; of the children only those that an operator made."""
        items = tuple(self._store.kind(kind.api_version, kind.kind))
        if kind in OWNED:
            items = tuple(item for item in items if item["metadata"]["labels"].get(MANAGED_BY_LABEL) == MANAGED_BY)
        versions = [int(item["metadata"]["resourceVersion"]) for item in items]
        return Listing(items=items, resource_version=str(max(versions, default=0)))

    def pods(self) -> tuple[Pod, ...]:
        """Return the pods that concern us."""
        pods = (parse_pod(item) for item in self._store.kind(POD.api_version, POD.kind))
        return tuple(pod for pod in pods if concerns_us(pod))

    def serves(self, api_version: str, kind: str) -> bool:
        """Answer as the simulated cluster does: it has no PodMonitor."""
        return (api_version, kind) != (POD_MONITOR.api_version, POD_MONITOR.kind)

    def read(self, ref: ObjectRef) -> Object | None:
        """Refuse."""
        raise UnexpectedRequestError(f"GET {ref}")

    def apply(self, intent: Object, manager: FieldManager) -> Object:
        """Refuse."""
        raise UnexpectedRequestError(f"PATCH {intent['kind']} {intent['metadata']['name']}")

    def write_status(self, ref: ObjectRef, status: Mapping[str, Any]) -> Object:
        """Refuse."""
        raise UnexpectedRequestError(f"PUT status of {ref}")
