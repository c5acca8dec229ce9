"""The Gateway to a real cluster: every call is a request to the API server."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.clock import Clock
from costpolicy.kube.autoscaler import made_here
from costpolicy.kube.connection import APPLY_PATCH, METADATA, Connection, Listing
from costpolicy.kube.errors import Conflict, GatewayError, Gone, Invalid, NotLeader
from costpolicy.kube.events import event_body, events_path
from costpolicy.kube.gateway import (
    JOB_LABEL,
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
    AUTOSCALERS,
    COST_POLICY,
    MODEL_ROUTE,
    NODE,
    OWNED,
    POD,
    PRICE_BOOK,
    ROUTER,
    Kind,
    group_path,
    kind_of,
    object_path,
)
from costpolicy.kube.listing import complete, selector
from costpolicy.kube.ownership import holds, require_ours
from costpolicy.kube.parsing import (
    concerns_us,
    is_router,
    parse_node,
    parse_pod,
    parse_policy,
    parse_price_book,
    parse_route,
)

logger = logging.getLogger(__name__)

_VERSIONED: Final = ("name", "namespace", "resourceVersion")
_UNFINISHED: Final = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}


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
        ref = ObjectRef(api_version=COST_POLICY.api_version, kind=COST_POLICY.kind, name=name, namespace=namespace)
        item = self.read(ref)
        return None if item is None else parse_policy(item)

    def routes(self) -> tuple[ModelRoute | Unreadable, ...]:
        """See :class:`Gateway`."""
        return tuple(parse_route(item) for item in self.listing(MODEL_ROUTE).items)

    def price_books(self) -> tuple[PriceBook | Unreadable, ...]:
        """See :class:`Gateway`."""
        return tuple(parse_price_book(item) for item in self.listing(PRICE_BOOK).items)

    def nodes(self) -> tuple[Node, ...]:
        """See :class:`Gateway`."""
        return tuple(sorted((parse_node(item) for item in self.listing(NODE).items), key=lambda node: node.name))

    def pods(self) -> tuple[Pod, ...]:
        """See :class:`Gateway`."""
        pages = self._connection.pages(POD.path(), _UNFINISHED)
        pods = (parse_pod(item) for page in pages for item in page["items"])
        return tuple(pod for pod in pods if concerns_us(pod))

    def pods_of_job(self, namespace: str, job: str) -> tuple[Pod, ...]:
        """See :class:`Gateway`."""
        pages = self._connection.pages(POD.path(namespace), {"labelSelector": f"{JOB_LABEL}={job}"})
        return tuple(sorted((parse_pod(item) for page in pages for item in page["items"]), key=lambda pod: pod.name))

    def owned(self, namespace: str, policy: str) -> tuple[Object, ...]:
        """See :class:`Gateway`."""
        listed = (item for kind in OWNED for item in self.listing(kind, namespace=namespace, policy=policy).items)
        return tuple(item for item in listed if made_here(item))

    def router(self, namespace: str) -> tuple[Object, ...]:
        """See :class:`Gateway`."""
        listed = (item for kind in ROUTER for item in self.listing(kind, namespace=namespace).items)
        return tuple(item for item in listed if is_router(item["metadata"].get("labels", {})))

    def autoscalers(self) -> tuple[Object, ...]:
        """See :class:`Gateway`."""
        return tuple(item for kind in AUTOSCALERS for item in self.listing(kind).items)

    def read(self, ref: ObjectRef) -> Object | None:
        """See :class:`Gateway`."""
        try:
            item: Object = self._connection.request("GET", object_path(ref))
        except Gone:
            return None
        return item

    def metadata(self, ref: ObjectRef) -> Object | None:
        """See :class:`Gateway`."""
        try:
            item: Object = self._connection.request("GET", object_path(ref), accept=METADATA)
        except Gone:
            return None
        return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": item["metadata"]}

    def serves(self, api_version: str, kind: str) -> bool:
        """See :class:`Gateway`."""
        try:
            group = self._connection.request("GET", group_path(api_version))
        except Gone:
            return False
        return any(resource["kind"] == kind for resource in group["resources"])

    def listing(self, kind: Kind, *, namespace: str = "", policy: str = "") -> Listing:
        """List one kind page by page: of one namespace or of all that are watched.

        Children are listed by our label; autoscalers only where a policy is given, since those of others matter too.  The
        version is the oldest one that the items show.  A kind that the cluster does not have is an empty list.
        """
        query = selector(kind, policy)
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
            require_ours(ref, live, intent)
            if holds(live, intent, manager):
                return live
        return self._apply(ref, intent, manager, live)

    def _apply(self, ref: ObjectRef, intent: Object, manager: FieldManager, live: Object | None) -> Object:
        query = {"fieldManager": manager.value, "fieldValidation": "Strict"}
        if live is None:
            # Without force: should somebody create it in this very moment, that is a conflict, not a theft.
            return self._patch(object_path(ref), query, intent)
        # It is ours: what others changed in our fields is taken back.  The uid keeps it to this very object.
        uid = live["metadata"]["uid"]
        intent = {**intent, "metadata": {**intent["metadata"], "uid": uid}}
        try:
            return self._patch(object_path(ref), {**query, "force": "true"}, intent)
        except Invalid:
            # A uid that no longer fits is refused as an immutable field: tell that from refused content.
            now = self.read(ref)
            if now is None or now["metadata"]["uid"] != uid:
                raise Conflict(f"{ref} was replaced by another object of that name") from None
            raise

    def create(self, item: Object) -> bool:
        """See :class:`Gateway`."""
        ref = reference(item)
        try:
            self._write("POST", kind_of(ref).path(ref.namespace), body=item)
        except Conflict:
            return False
        return True

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
        """Apply a status unless it is the stored one; return the object as stored."""
        live = self.read(ref)
        if live is None:
            raise Gone(f"{ref} does not exist")
        metadata = live["metadata"]
        if ref.uid and ref.uid != metadata["uid"]:
            raise Conflict(f"{ref} was replaced by another object of that name")
        if live.get("status", {}) == status:
            return live
        body = {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            # A status subresource ignores a uid; the version keeps the write to the object that was read.
            "metadata": {name: metadata[name] for name in ("name", "namespace", "resourceVersion") if name in metadata},
            "status": dict(status),
        }
        query = {"fieldManager": FieldManager.OPERATOR.value, "force": "true", "fieldValidation": "Strict"}
        return self._patch(f"{object_path(ref)}/status", query, body)

    def publish(self, event: Event) -> None:
        """See :class:`Gateway`."""
        body = event_body(event, self._clock.now(), self._identity)
        try:
            self._write("POST", events_path(event), body=body)
        except GatewayError as problem:
            context = {"object": str(event.regarding), "problem": str(problem)}
            logger.warning("event not published", extra=context)

    def _patch(self, path: str, query: Mapping[str, str], body: Object) -> Object:
        stored: Object = self._write("PATCH", path, query=query, body=body, content_type=APPLY_PATCH)
        return stored

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
                items.extend(complete(page["items"], kind))
        except Gone:
            if not kind.optional:
                raise
            return Listing(items=(), resource_version=version)
        return Listing(items=tuple(items), resource_version=version)


def _age(resource_version: str) -> int:
    return int(resource_version) if resource_version.isdecimal() else 0
