"""The Gateway answered from memory: a mirror of the cluster, fed by watch events and checked by lists.

Why not lists alone: with 1,000 policies one list a change costs more than the change.  Why not events alone:
a watch that was interrupted never tells what was deleted meanwhile, so ``refresh`` compares with lists once a
cycle.  An unchanged policy then costs no request at all, neither to read nor, because the mirror knows what
is stored, to write.

Own writes are entered from the API server's answer, so the next decision sees them; versions keep a late
event from undoing that (the resourceVersions of one kind compare as integers: KEP-5504, and etcd's revision
before it).
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.kube.autoscaler import made_here
from costpolicy.kube.cluster import ClusterGateway
from costpolicy.kube.connection import Listing
from costpolicy.kube.gateway import (
    POLICY_LABEL,
    Event,
    FieldManager,
    NamespacedName,
    Node,
    Object,
    ObjectRef,
    Pod,
    Unreadable,
    reference,
)
from costpolicy.kube.kinds import (
    AUTOSCALERS,
    CONFIG_MAP,
    COST_POLICY,
    MODEL_ROUTE,
    NODE,
    OWNED,
    PRICE_BOOK,
    ROUTER,
    ROUTER_ONLY,
    Kind,
    kind_of,
)
from costpolicy.kube.ownership import holds
from costpolicy.kube.parsing import is_router, parse_node, parse_policy, parse_price_book, parse_route
from costpolicy.kube.shelf import Shelf, Versioned

_CHILDREN: Final = (*OWNED, *ROUTER_ONLY)


class _Stored(NamedTuple):
    """A policy or route and its status as stored: equality is decided on JSON, not on what the model makes of it."""

    parsed: Any
    uid: str
    status: Mapping[str, Any]


_PARSERS: Final[Mapping[Kind, Callable[[Object], Any]]] = {
    COST_POLICY: lambda item: _Stored(parse_policy(item), item["metadata"]["uid"], item.get("status", {})),
    MODEL_ROUTE: lambda item: _Stored(parse_route(item), item["metadata"]["uid"], item.get("status", {})),
    PRICE_BOOK: parse_price_book,
    NODE: parse_node,
}


class MirrorGateway:
    """Implements :class:`~costpolicy.kube.gateway.Gateway`: reads memory, writes only what changes something.

    Call :meth:`refresh` before the first read and once a cycle, :meth:`observe` with every watch event.
    """

    def __init__(self, cluster: ClusterGateway) -> None:
        self._cluster = cluster
        self._lock = threading.Lock()
        self._shelves: dict[Kind, Shelf[Any]] = {
            COST_POLICY: Shelf[_Stored](),
            MODEL_ROUTE: Shelf[_Stored](),
            PRICE_BOOK: Shelf[PriceBook | Unreadable](),
            NODE: Shelf[Node](),
            **{kind: Shelf[Object](group_of=_policy_of) for kind in _CHILDREN},
        }
        self._pods: tuple[Pod, ...] = ()
        self._served: dict[tuple[str, str], bool] = {}

    def refresh(self) -> None:
        """Compare everything with the cluster: one list a kind and page, however many policies there are.

        Raises:
            GatewayError: a list failed; the mirror keeps what it had.
        """
        listings = {kind: self._cluster.listing(kind) for kind in self._shelves}
        pods = self._cluster.pods()
        with self._lock:
            for kind, listing in listings.items():
                self._shelves[kind].replace(_versioned(kind, listing), int(listing.resource_version))
            self._pods = pods
            self._served.clear()

    def observe(self, item: Object, *, deleted: bool = False) -> bool:
        """Enter a watch event; return whether it told something new that a decision may depend on."""
        kind, key, version = _address(item)
        shelf = self._shelves[kind]
        with self._lock:
            if deleted:
                return shelf.drop(key, version)
            before = shelf.get(key)
            value = _value(kind, item)
            return shelf.put(key, version, value) and value != before

    def policies(self) -> tuple[CostPolicy | Unreadable, ...]:
        """See :class:`Gateway`."""
        return tuple(stored.parsed for stored in self._values(COST_POLICY))

    def policy(self, namespace: str, name: str) -> CostPolicy | Unreadable | None:
        """See :class:`Gateway`."""
        with self._lock:
            stored = self._shelves[COST_POLICY].get(NamespacedName(namespace, name))
        parsed: CostPolicy | Unreadable | None = None if stored is None else stored.parsed
        return parsed

    def routes(self) -> tuple[ModelRoute | Unreadable, ...]:
        """See :class:`Gateway`."""
        return tuple(stored.parsed for stored in self._values(MODEL_ROUTE))

    def price_books(self) -> tuple[PriceBook | Unreadable, ...]:
        """See :class:`Gateway`."""
        return self._values(PRICE_BOOK)

    def nodes(self) -> tuple[Node, ...]:
        """See :class:`Gateway`."""
        return self._values(NODE)

    def pods(self) -> tuple[Pod, ...]:
        """See :class:`Gateway`; as of the last refresh (a whole cluster's pods are too many to watch)."""
        return self._pods

    def pods_of_job(self, namespace: str, job: str) -> tuple[Pod, ...]:
        """See :class:`Gateway`; asked of the API server, since finished pods are not mirrored."""
        return self._cluster.pods_of_job(namespace, job)

    def owned(self, namespace: str, policy: str) -> tuple[Object, ...]:
        """See :class:`Gateway`."""
        with self._lock:
            return tuple(item for kind in OWNED for item in self._shelves[kind].group((namespace, policy)))

    def router(self, namespace: str) -> tuple[Object, ...]:
        """See :class:`Gateway`."""
        with self._lock:
            unattended = [item for kind in ROUTER for item in self._shelves[kind].group((namespace, ""))]
        return tuple(item for item in unattended if is_router(item["metadata"].get("labels", {})))

    def autoscalers(self) -> tuple[Object, ...]:
        """See :class:`Gateway`; as of the last refresh, since the status of each changes all the time."""
        return tuple(item for kind in AUTOSCALERS for item in self._values(kind))

    def read(self, ref: ObjectRef) -> Object | None:
        """See :class:`Gateway`; from memory what is ours, from the API server what may be somebody else's."""
        return self._child(ref) or self._cluster.read(ref)

    def metadata(self, ref: ObjectRef) -> Object | None:
        """See :class:`Gateway`; asked of the API server, since ConfigMaps are not mirrored."""
        return self._cluster.metadata(ref)

    def serves(self, api_version: str, kind: str) -> bool:
        """See :class:`Gateway`; remembered until the next refresh."""
        asked = (api_version, kind)
        if asked not in self._served:
            self._served[asked] = self._cluster.serves(api_version, kind)
        return self._served[asked]

    def apply(self, intent: Object, manager: FieldManager) -> Object:
        """See :class:`Gateway`; nothing is sent when the mirrored object already is as intended."""
        live = self._child(reference(intent)) or self._configuration(intent)
        if live is not None and holds(live, intent, manager):
            return live
        return self._enter(self._cluster.apply(intent, manager))

    def create(self, item: Object) -> bool:
        """See :class:`Gateway`."""
        return self._cluster.create(item)

    def delete(self, ref: ObjectRef) -> None:
        """See :class:`Gateway`."""
        self._cluster.delete(ref)
        with self._lock:
            shelf = self._shelves.get(kind_of(ref))
            live = shelf.get(NamespacedName(ref.namespace, ref.name)) if shelf else None
            if shelf is not None and live is not None:
                shelf.drop(NamespacedName(ref.namespace, ref.name), int(live["metadata"]["resourceVersion"]))

    def apply_status(self, ref: ObjectRef, status: Mapping[str, Any]) -> None:
        """See :class:`Gateway`."""
        with self._lock:
            stored = self._shelves[kind_of(ref)].get(NamespacedName(ref.namespace, ref.name))
        if stored is None or stored.uid != ref.uid or stored.status != status:
            self._enter(self._cluster.write_status(ref, status))

    def publish(self, event: Event) -> None:
        """See :class:`Gateway`."""
        self._cluster.publish(event)

    def _enter(self, item: Object) -> Object:
        kind, key, version = _address(item)
        if kind in self._shelves:  # ConfigMaps are asked for when they are needed
            with self._lock:
                self._shelves[kind].put(key, version, _value(kind, item))
        return item

    def _child(self, ref: ObjectRef) -> Object | None:
        kind = kind_of(ref)
        if kind not in _CHILDREN:
            return None
        with self._lock:
            live: Object | None = self._shelves[kind].get(NamespacedName(ref.namespace, ref.name))
        return live

    def _configuration(self, intent: Object) -> Object | None:
        """Return an immutable ConfigMap: its name is made of its content, so what is stored under it has the same."""
        ref = reference(intent)
        if kind_of(ref) != CONFIG_MAP or not intent.get("immutable"):
            return None
        live = self._cluster.metadata(ref)
        return None if live is None else {**intent, "metadata": live["metadata"]}

    def _values(self, kind: Kind) -> tuple[Any, ...]:
        with self._lock:
            return self._shelves[kind].values()


def _versioned(kind: Kind, listing: Listing) -> dict[NamespacedName, Versioned[Any]]:
    addressed = ((_address(item), item) for item in listing.items)
    return {key: Versioned(version, _value(kind, item)) for (_, key, version), item in addressed}


def _value(kind: Kind, item: Object) -> object:
    parse = _PARSERS.get(kind)
    return item if parse is None else parse(item)


def _address(item: Object) -> tuple[Kind, NamespacedName, int]:
    ref = reference(item)
    return kind_of(ref), NamespacedName(ref.namespace, ref.name), int(item["metadata"]["resourceVersion"])


def _policy_of(item: Object) -> tuple[str, str]:
    policy = item["metadata"].get("labels", {}).get(POLICY_LABEL, "") if made_here(item) else ""
    return item["metadata"].get("namespace", ""), policy
