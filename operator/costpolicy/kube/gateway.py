"""The Gateway: everything the operator asks of, and does to, a Kubernetes cluster.

The reconciler knows this protocol only.  ``kube.cluster`` keeps it against a real API server, ``kube.mirror``
from memory, ``simulation`` against a simulated world; ``tests/gateway_contract.py`` holds all of them to the
same promises.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple, Protocol

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook

Json = Any
"""A JSON value of which only the API server knows the schema."""

Object = dict[str, Any]
"""A Kubernetes object as JSON; ``apiVersion`` and ``kind`` are always present."""

MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "costpolicy-operator"
POLICY_LABEL: Final = "costpolicy.dev/policy"
VARIANT_LABEL: Final = "costpolicy.dev/variant"
COMPONENT_LABEL: Final = "app.kubernetes.io/component"
ROUTER_COMPONENT: Final = "router"
JOB_LABEL: Final = "batch.kubernetes.io/job-name"
"""On the pods of a Job, put there by its controller (Kubernetes 1.27 and newer)."""


class NamespacedName(NamedTuple):
    """The name of an object within its kind; ``namespace`` is empty for cluster-scoped kinds."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class FieldManager(StrEnum):
    """The two names under which fields are applied (server-side apply)."""

    OPERATOR = "costpolicy"
    REPLICAS = "costpolicy-replicas"
    """Owns ``.spec.replicas`` of engine Deployments, so that an autoscaler can take over that field alone."""


class EventType(StrEnum):
    """The two types of an events.k8s.io/v1 Event."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """The address of an object; ``namespace`` is empty for cluster-scoped kinds.

    ``uid`` is a precondition where it is given: the call touches that very object or raises ``Conflict``.
    """

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    uid: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A stored object that no longer parses (written under an older schema); it must not hide the others."""

    ref: ObjectRef
    generation: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """A node's taint; ``effect`` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node; ``allocatable`` holds extended resources (with a slash, as nvidia.com/gpu) in units."""

    name: str
    labels: Mapping[str, str]
    allocatable: Mapping[str, int]
    taints: tuple[Taint, ...]
    unschedulable: bool
    ready: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod that has not finished.

    ``node`` is empty until scheduled.  ``requests`` holds extended resources in units: the larger of the sum
    over containers and any one ordinary init container, as the scheduler counts.  ``termination_message`` is
    the last one of any container (empty: none, or the container left none), ``waiting_message`` the kubelet's, of the
    first container that waits, ``unschedulable`` the scheduler's
    message while it finds no node; ``unready_since`` is when it was last ready, or else made (``None``: it is ready),
    ``ready_since`` when it got ready (``None``: it is not), ``started`` when its node took it.
    """

    name: str
    namespace: str
    labels: Mapping[str, str]
    node: str
    phase: str
    ready: bool
    terminating: bool
    restarts: int
    requests: Mapping[str, int]
    priority: int = 0
    termination_message: str = ""
    waiting_reason: str = ""
    waiting_message: str = ""
    unschedulable: str = ""
    unready_since: datetime | None = None
    ready_since: datetime | None = None
    started: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of news about an object: CamelCase ``reason`` and ``action``, ``note`` cut at 1,024 bytes."""

    regarding: ObjectRef
    type: EventType
    reason: str
    action: str
    note: str
    related: ObjectRef | None = field(default=None)


class Gateway(Protocol):
    """A cluster, seen by the operator.  All methods are safe to call from several threads.

    Every method may raise ``Unavailable`` or ``Forbidden``; every write also ``NotLeader``.  Reads of
    collections cost a number of requests that does not depend on the number of policies (one list a kind and
    page), or none at all.
    """

    def policies(self) -> tuple[CostPolicy | Unreadable, ...]:
        """Return every CostPolicy of the watched namespaces, by namespace and name."""

    def policy(self, namespace: str, name: str) -> CostPolicy | Unreadable | None:
        """Return one CostPolicy, or None when there is none."""

    def routes(self) -> tuple[ModelRoute | Unreadable, ...]:
        """Return every ModelRoute of the watched namespaces, by namespace and name."""

    def price_books(self) -> tuple[PriceBook | Unreadable, ...]:
        """Return every PriceBook, by name."""

    def nodes(self) -> tuple[Node, ...]:
        """Return every node, by name, ready or not."""

    def pods(self) -> tuple[Pod, ...]:
        """Return all unfinished pods in the cluster that are ours (engines, routers) or request an extended resource.

        What others hold decides what is spare, hence not only our own.
        """

    def pods_of_job(self, namespace: str, job: str) -> tuple[Pod, ...]:
        """Return the pods of a Job, finished ones too, by name: their termination messages are what it found."""

    def owned(self, namespace: str, policy: str) -> tuple[Object, ...]:
        """Return the children of one policy (found by label), by kind and name, with their managedFields."""

    def router(self, namespace: str) -> tuple[Object, ...]:
        """Return what a namespace's router is made of (found by label), by kind and name, but for ConfigMaps."""

    def autoscalers(self) -> tuple[Object, ...]:
        """Return every HorizontalPodAutoscaler and ScaledObject of the watched namespaces, whosever it is."""

    def read(self, ref: ObjectRef) -> Object | None:
        """Return any one object of a kind that the operator may read, or None when there is none."""

    def metadata(self, ref: ObjectRef) -> Object | None:
        """Return an object without its content, or None when there is none: what is large and rarely changes."""

    def serves(self, api_version: str, kind: str) -> bool:
        """Return whether the cluster has this kind (PodMonitor, HTTPRoute, ScaledObject ... are optional)."""

    def apply(self, intent: Object, manager: FieldManager) -> Object:
        """Make the object carry exactly these fields for this manager, and return it as stored.

        Server-side apply: fields that the manager applied before and that are no longer in ``intent`` are
        given up; fields of others stay.  A field of ours that somebody edited is taken back.  Applying the
        same intent twice changes nothing, not even the resourceVersion.

        Raises:
            NameTaken: an object of that name exists without our labels; nothing was written.
            Conflict: it is being deleted, or was created by somebody else in the same moment.
            Gone: ``FieldManager.REPLICAS`` was to change an object that is not there.
            Invalid: the API server refuses the content.
        """

    def create(self, item: Object) -> bool:
        """Create an object that is never read or changed again; return False where one of that name exists.

        Raises:
            Invalid: the API server refuses the content.
        """

    def delete(self, ref: ObjectRef) -> None:
        """Delete an object and, in the background, what it owns.  Not being there is success.

        Raises:
            Conflict: ``ref.uid`` is given and the object of that name is another one.
        """

    def apply_status(self, ref: ObjectRef, status: Mapping[str, Any]) -> None:
        """Make the status of an object exactly this; nothing is sent when it already is.

        Raises:
            Gone: the object is not there.
            Conflict: ``ref.uid`` is given and the object of that name is another one.
            Invalid: the schema refuses the status.
        """

    def publish(self, event: Event) -> None:
        """Publish an event.  Best effort: nothing that the operator decides may depend on it."""


def reference_of(found: CostPolicy | ModelRoute) -> ObjectRef:
    """Return the address of a policy or route."""
    return ObjectRef(
        api_version=found.api_version,
        kind=found.kind,
        name=found.metadata.name,
        namespace=found.metadata.namespace,
        uid=found.metadata.uid,
    )


def reference(item: Mapping[str, Any]) -> ObjectRef:
    """Return the address of an object in JSON."""
    metadata = item["metadata"]
    return ObjectRef(
        api_version=item["apiVersion"],
        kind=item["kind"],
        name=metadata["name"],
        namespace=metadata.get("namespace", ""),
        uid=metadata.get("uid", ""),
    )
