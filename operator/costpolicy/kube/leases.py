"""The Lease objects of coordination.k8s.io/v1, read and written with optimistic locking."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from costpolicy.kube.connection import Connection
from costpolicy.kube.errors import Gone


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """Who leads, since when and for how long without renewal; an empty ``holder`` has released the lease."""

    holder: str
    duration: timedelta
    acquired: datetime
    renewed: datetime
    transitions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLease:
    """A record as stored; ``version``, its resourceVersion, is what the next write must be based on."""

    record: LeaseRecord
    version: str


class ClusterLease:
    """One Lease in a cluster."""

    def __init__(self, connection: Connection, namespace: str, name: str) -> None:
        self._connection = connection
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._namespace = namespace
        self._name = name

    def read(self) -> StoredLease | None:
        """Return the lease, or None while nobody has created it.

        Raises:
            GatewayError: no answer, or not allowed.
        """
        try:
            item = self._connection.request("GET", f"{self._collection}/{self._name}")
        except Gone:
            return None
        return StoredLease(record=_parse(item["spec"]), version=item["metadata"]["resourceVersion"])

    def write(self, record: LeaseRecord, based_on: StoredLease | None) -> StoredLease:
        """Create the lease, or replace the one that was read.

        Raises:
            Conflict: somebody else wrote it since.
            GatewayError: no answer, or not allowed.
        """
        metadata = {"name": self._name, "namespace": self._namespace}
        item = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": _spec(record),
        }
        if based_on is None:
            stored = self._connection.request("POST", self._collection, body=item)
        else:
            metadata["resourceVersion"] = based_on.version
            stored = self._connection.request("PUT", f"{self._collection}/{self._name}", body=item)
        return StoredLease(record=record, version=stored["metadata"]["resourceVersion"])


def _parse(spec: dict[str, Any]) -> LeaseRecord:
    """Read a spec; a field that is missing (a Lease made by hand) reads as released long ago."""
    long_ago = "1970-01-01T00:00:00.000000Z"
    return LeaseRecord(
        holder=spec.get("holderIdentity", ""),
        duration=timedelta(seconds=spec.get("leaseDurationSeconds", 1)),
        acquired=datetime.fromisoformat(spec.get("acquireTime", long_ago)),
        renewed=datetime.fromisoformat(spec.get("renewTime", long_ago)),
        transitions=spec.get("leaseTransitions", 0),
    )


def _spec(record: LeaseRecord) -> dict[str, Any]:
    return {
        "holderIdentity": record.holder,
        "leaseDurationSeconds": max(1, round(record.duration.total_seconds())),
        "acquireTime": _micro_time(record.acquired),
        "renewTime": _micro_time(record.renewed),
        "leaseTransitions": record.transitions,
    }


def _micro_time(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
