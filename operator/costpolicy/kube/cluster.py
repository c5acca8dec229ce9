"""The Gateway to a real cluster: every call is a request to the API server."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.clock import Clock
from costpolicy.kube.connection import APPLY_PATCH, Connection, Listing
from costpolicy.kube.errors import Conflict, GatewayError, Gone, NameTaken, NotLeader
from costpolicy.kube.gateway import (
    MANAGED_BY,
    MANAGED_BY_LABEL,
    POLICY_LABEL,
    Event,
    FieldManager,
    Json,
    Node,
    Object,
    ObjectRef,
    Pod,
    Unreadable,
    reference,
)
from costpolicy.kube.kinds import (
    COST_POLICY,
    NODE,
    OWNED,
    POD,
    PRICE_BOOK,
    Kind,
    group_path,
    object_path,
)
from costpolicy.kube.ownership import holds
from costpolicy.kube.parsing import concerns_us, parse_node, parse_pod, parse_policy, parse_price_book

logger = logging.getLogger(__name__)

REPORTER: Final = "costpolicy.dev/operator"
NOTE_BYTES: Final = 1024
"""The longest note that events.k8s.io/v1 accepts."""

_UNFINISHED = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}


class ClusterGateway:
    """Implements :class:`~costpolicy.kube.gateway.Gateway` over a connection to an API server.

    ``namespaces`` restricts policies and their children (empty: all); nodes, price books and the pods that
    hold accelerators are always read cluster-wide.  ``may_write`` is asked before every write: it is the
    lease's fence.
    """

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        *,
        namespaces: Sequence[str] = (),
        identity: str = "costpolicy-operator",
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._namespaces = tuple(namespaces)
        self._identity = identity
        self._may_write = may_write

    def policies(self) -> tuple[CostPolicy | Unreadable, ...]:
        """See :class:`Gateway`."""
        return tuple(parse_policy(item) for item in self.listing(COST_POLICY).items)

    def policy(self, namespace: str, name: str) -> CostPolicy | Unreadable | None:
        """See :class:`Gateway`."""
        ref = ObjectRef(
            api_version=COST_POLICY.api_version, kind=COST_POLICY.kind, name=name, namespace=namespace
        )
        item = self.read(ref)
        return None if item is None else parse_policy(item)

    def price_books(self) -> tuple[PriceBook | Unreadable, ...]:
        """See :class:`Gateway`."""
        return tuple(parse_price_book(item) for item in self.listing(PRICE_BOOK).items)

    def nodes(self) -> tuple[Node, ...]:
        """See :class:`Gateway`."""
        return tuple(
            sorted((parse_node(item) for item in self.listing(NODE).items), key=lambda node: node.name)
        )

    def pods(self) -> tuple[Pod, ...]:
        """See :class:`Gateway`."""
        pages = self._connection.pages(POD.path(), _UNFINISHED)
        pods = (parse_pod(item) for page in pages for item in page["items"])
        return tuple(pod for pod in pods if concerns_us(pod))

    def owned(self, namespace: str, policy: str) -> tuple[Object, ...]:
        """See :class:`Gateway`."""
        return tuple(
            item for kind in OWNED for item in self.listing(kind, namespace=namespace, policy=policy).items
        )

    def read(self, ref: ObjectRef) -> Object | None:
        """See :class:`Gateway`."""
        try:
            item: Object = self._connection.request("GET", object_path(ref))
        except Gone:
            return None
        return item

    def serves(self, api_version: str, kind: str) -> bool:
        """See :class:`Gateway`."""
        try:
            group = self._connection.request("GET", group_path(api_version))
        except Gone:
            return False
        return any(resource["kind"] == kind for resource in group["resources"])

    def listing(self, kind: Kind, *, namespace: str = "", policy: str = "") -> Listing:
        """List one kind page by page: of one namespace or of all that are watched, children by our label.

        The version is the oldest one that the items show.  A kind that the cluster does not have is an empty
        list.
        """
        labels = f"{MANAGED_BY_LABEL}={MANAGED_BY}" + (f",{POLICY_LABEL}={policy}" if policy else "")
        query = {"labelSelector": labels} if kind in OWNED else {}
        scopes = (namespace,) if namespace else self._scopes(kind)
        listings = [self._list(kind, scope, query) for scope in scopes]
        return Listing(
            items=tuple(item for listing in listings for item in listing.items),
            resource_version=min((listing.resource_version for listing in listings), key=_age),
        )

    def apply(self, intent: Object, manager: FieldManager) -> Object:
        """See :class:`Gateway`."""
        ref = reference(intent)
        live = self.read(ref)
        if live is None and manager is FieldManager.REPLICAS:
            raise Gone(f"{ref} does not exist")
        if live is not None:
            _require_ours(ref, live, intent)
            if holds(live, intent, manager):
                return live
            intent = {**intent, "metadata": {**intent["metadata"], "uid": live["metadata"]["uid"]}}
        query = {"fieldManager": manager.value, "fieldValidation": "Strict"}
        if live is not None:
            # The object is ours: what others changed in our fields is taken back.  A new one must not meet
            # any owner.
            query["force"] = "true"
        applied: Object = self._write(
            "PATCH", object_path(ref), query=query, body=intent, content_type=APPLY_PATCH
        )
        return applied

    def delete(self, ref: ObjectRef) -> None:
        """See :class:`Gateway`."""
        options: dict[str, Any] = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Background",
        }
        if ref.uid:
            options["preconditions"] = {"uid": ref.uid}
        try:
            self._write("DELETE", object_path(ref), body=options)
        except Gone:
            logger.debug("already deleted", extra={"object": str(ref)})

    def apply_status(self, ref: ObjectRef, status: Mapping[str, Any]) -> None:
        """See :class:`Gateway`."""
        self.write_status(ref, status)

    def write_status(self, ref: ObjectRef, status: Mapping[str, Any]) -> Object:
        """Apply a status and return the object as stored, which is untouched where nothing differs."""
        metadata = {"name": ref.name, "namespace": ref.namespace, "uid": ref.uid}
        body = {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "metadata": {name: value for name, value in metadata.items() if value},
            "status": dict(status),
        }
        query = {"fieldManager": FieldManager.OPERATOR.value, "force": "true", "fieldValidation": "Strict"}
        stored: Object = self._write(
            "PATCH", f"{object_path(ref)}/status", query=query, body=body, content_type=APPLY_PATCH
        )
        return stored

    def publish(self, event: Event) -> None:
        """See :class:`Gateway`."""
        try:
            self._write(
                "POST",
                f"/apis/events.k8s.io/v1/namespaces/{event.regarding.namespace or 'default'}/events",
                body=self._event_body(event),
            )
        except GatewayError as problem:
            logger.warning(
                "event not published", extra={"object": str(event.regarding), "problem": str(problem)}
            )

    def _event_body(self, event: Event) -> Object:
        now = self._clock.now()
        body: Object = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                # client-go's naming: the object and a moment; unlike generateName it makes a repeated POST
                # harmless.
                "name": f"{event.regarding.name}.{int(now.timestamp() * 1e6):x}",
                "namespace": event.regarding.namespace or "default",
            },
            "eventTime": now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "reportingController": REPORTER,
            "reportingInstance": self._identity[:128],
            "type": event.type.value,
            "reason": event.reason,
            "action": event.action,
            "note": event.note.encode()[:NOTE_BYTES].decode(errors="ignore"),
            "regarding": _event_reference(event.regarding),
        }
        if event.related is not None:
            body["related"] = _event_reference(event.related)
        return body

    def _write(self, method: str, path: str, **arguments: Json) -> Json:
        if not self._may_write():
            raise NotLeader(f"{method} {path} not sent: this process does not hold the lease")
        return self._connection.request(method, path, **arguments)

    def _scopes(self, kind: Kind) -> tuple[str, ...]:
        return (self._namespaces if kind.namespaced else ()) or ("",)

    def _list(self, kind: Kind, namespace: str, query: Mapping[str, str]) -> Listing:
        items: list[Object] = []
        version = "0"
        try:
            for page in self._connection.pages(kind.path(namespace), query):
                version = page["metadata"]["resourceVersion"]
                items.extend(_complete(page["items"], kind))
        except Gone:
            if not kind.optional:
                raise
            return Listing(items=(), resource_version=version)
        return Listing(items=tuple(items), resource_version=version)


def _complete(items: Sequence[Object], kind: Kind) -> Iterator[Object]:
    """Give each item the apiVersion and kind that lists leave out."""
    for item in items:
        yield {"apiVersion": kind.api_version, "kind": kind.kind, **item}


def _require_ours(ref: ObjectRef, live: Object, intent: Object) -> None:
    labels = live["metadata"].get("labels", {})
    policy = intent["metadata"].get("labels", {}).get(POLICY_LABEL, labels.get(POLICY_LABEL))
    if labels.get(MANAGED_BY_LABEL) != MANAGED_BY or labels.get(POLICY_LABEL) != policy:
        raise NameTaken(
            f"{replace(ref, uid='')} exists and is not this policy's: rename the policy or delete that object"
        )
    if "deletionTimestamp" in live["metadata"]:
        raise Conflict(f"{ref} is being deleted")


def _age(resource_version: str) -> int:
    return int(resource_version) if resource_version.isdecimal() else 0


def _event_reference(ref: ObjectRef) -> dict[str, str]:
    fields = {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "name": ref.name,
        "namespace": ref.namespace,
        "uid": ref.uid,
    }
    return {name: value for name, value in fields.items() if value}
