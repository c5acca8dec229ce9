"""The Gateway over a simulated store."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.kube.autoscaler import made_here
from costpolicy.kube.errors import Gone
from costpolicy.kube.gateway import (
    JOB_LABEL,
    POLICY_LABEL,
    Event,
    FieldManager,
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
    POD,
    POD_MONITOR,
    PRICE_BOOK,
    ROUTER,
    ROUTER_ONLY,
    SCALED_OBJECT,
    Kind,
)
from costpolicy.kube.ownership import require_ours
from costpolicy.kube.parsing import (
    concerns_us,
    is_router,
    parse_node,
    parse_pod,
    parse_policy,
    parse_price_book,
    parse_route,
)
from costpolicy.simulation.store import Store

_ABSENT = (POD_MONITOR, SCALED_OBJECT)
_KINDS = {
    (kind.api_version, kind.kind)
    for kind in (COST_POLICY, MODEL_ROUTE, PRICE_BOOK, NODE, POD, CONFIG_MAP, *OWNED, *ROUTER_ONLY)
    if kind not in _ABSENT
}
_Parsed = TypeVar("_Parsed")


class SimulatedGateway:
    """Implements :class:`costpolicy.kube.gateway.Gateway`; published events are kept in ``published``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parsed: dict[tuple[str, str, str], tuple[Object, Any]] = {}
        self._listed: dict[Kind, tuple[int, tuple[Any, ...]]] = {}
        self.published: list[Event] = []

    def policies(self) -> tuple[CostPolicy | Unreadable, ...]:
        """See :class:`Gateway`."""
        return self._list(COST_POLICY, self._policy)

    def policy(self, namespace: str, name: str) -> CostPolicy | Unreadable | None:
        """See :class:`Gateway`."""
        ref = ObjectRef(api_version=COST_POLICY.api_version, kind=COST_POLICY.kind, name=name, namespace=namespace)
        item = self._store.get(ref)
        return None if item is None else self._read(item, self._policy)

    def routes(self) -> tuple[ModelRoute | Unreadable, ...]:
        """See :class:`Gateway`."""
        return tuple(self._read(item, parse_route) for item in self._all(MODEL_ROUTE))

    def price_books(self) -> tuple[PriceBook | Unreadable, ...]:
        """See :class:`Gateway`."""
        return self._list(PRICE_BOOK, parse_price_book)

    def nodes(self) -> tuple[Node, ...]:
        """See :class:`Gateway`."""
        return self._list(NODE, parse_node)

    def pods(self) -> tuple[Pod, ...]:
        """See :class:`Gateway`."""
        return tuple(filter(concerns_us, self._list(POD, parse_pod)))

    def pods_of_job(self, namespace: str, job: str) -> tuple[Pod, ...]:
        """See :class:`Gateway`."""
        pods = self._list(POD, parse_pod)
        return tuple(pod for pod in pods if pod.namespace == namespace and pod.labels.get(JOB_LABEL) == job)

    def owned(self, namespace: str, policy: str) -> tuple[Object, ...]:
        """See :class:`Gateway`."""
        return tuple(
            item
            for kind in OWNED
            for item in self._all(kind)
            if item["metadata"].get("namespace") == namespace
            and item["metadata"].get("labels", {}).get(POLICY_LABEL) == policy
            and made_here(item)
        )

    def router(self, namespace: str) -> tuple[Object, ...]:
        """See :class:`Gateway`."""
        return tuple(
            item
            for kind in ROUTER
            for item in self._all(kind)
            if item["metadata"].get("namespace") == namespace and is_router(item["metadata"].get("labels", {}))
        )

    def autoscalers(self) -> tuple[Object, ...]:
        """See :class:`Gateway`."""
        return tuple(item for kind in AUTOSCALERS for item in self._all(kind))

    def read(self, ref: ObjectRef) -> Object | None:
        """See :class:`Gateway`."""
        return self._store.get(ref)

    def metadata(self, ref: ObjectRef) -> Object | None:
        """See :class:`Gateway`."""
        item = self._store.get(ref)
        return None if item is None else {name: item[name] for name in ("apiVersion", "kind", "metadata")}

    def serves(self, api_version: str, kind: str) -> bool:
        """See :class:`Gateway`."""
        return (api_version, kind) in _KINDS

    def apply(self, intent: Object, manager: FieldManager) -> Object:
        """See :class:`Gateway`."""
        ref = reference(intent)
        live = self._store.get(ref)
        if live is None and manager is FieldManager.REPLICAS:
            raise Gone(f"{ref} does not exist")
        if live is not None:
            require_ours(ref, live, intent)
        return self._store.apply(intent, manager.value)

    def create(self, item: Object) -> bool:
        """See :class:`Gateway`."""
        if self._store.get(reference(item)) is not None:
            return False
        self._store.apply(item, FieldManager.OPERATOR.value)
        return True

    def delete(self, ref: ObjectRef) -> None:
        """See :class:`Gateway`."""
        self._store.delete(ref)

    def apply_status(self, ref: ObjectRef, status: Mapping[str, Any]) -> None:
        """See :class:`Gateway`."""
        self._store.set_status(ref, status)

    def publish(self, event: Event) -> None:
        """See :class:`Gateway`."""
        self.published.append(event)

    def _policy(self, item: Object) -> CostPolicy | Unreadable:
        """Parse a policy; its spec only where that is another one than the last time."""
        known = self._parsed.get(_key(item))
        if known is not None and isinstance(known[1], CostPolicy) and known[0]["spec"] is item["spec"]:
            return parse_policy({**item, "spec": known[1].spec})
        return parse_policy(item)

    def _list(self, kind: Kind, parse: Callable[[Object], _Parsed]) -> tuple[_Parsed, ...]:
        """Return all parsed objects of a kind: the same until anything is written."""
        known = self._listed.get(kind)
        if known is None or known[0] != self._store.writes:
            items = tuple(self._read(item, parse) for item in self._all(kind))
            known = self._listed[kind] = (self._store.writes, items)
        return known[1]

    def _read(self, item: Object, parse: Callable[[Object], _Parsed]) -> _Parsed:
        """Parse a stored object, once for each of its versions."""
        key = _key(item)
        known = self._parsed.get(key)
        if known is None or known[0] is not item:
            known = self._parsed[key] = (item, parse(item))
        parsed: _Parsed = known[1]
        return parsed

    def _all(self, kind: Kind) -> list[Object]:
        return list(self._store.kind(kind.api_version, kind.kind))


def _key(item: Object) -> tuple[str, str, str]:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]
