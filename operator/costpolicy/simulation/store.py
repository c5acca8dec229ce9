"""Objects as an API server stores them: versions, generations, owners of fields, collection of orphans."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from costpolicy.clock import Clock
from costpolicy.kube.errors import Conflict, Gone
from costpolicy.kube.gateway import Object, ObjectRef, reference
from costpolicy.kube.kinds import COST_POLICY
from costpolicy.simulation.fields import Path, copied, differing, leaves, lookup, merged, removed, trie

_Address = tuple[str, str, str, str]
_Writer = tuple[str, str]
_OWN_METADATA: Final = ("labels", "annotations", "ownerReferences")
_DEFAULT_REPLICAS: Final = 1


class Store:
    """A set of objects. What goes in is copied; what comes out is the stored object itself and only to be
    read.

    ``writes`` is how often anything was changed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._objects: dict[_Address, Object] = {}
        self._shown: dict[_Address, Object] = {}
        self._owners: dict[_Address, dict[_Writer, set[Path]]] = {}
        self._managed: dict[_Address, tuple[dict[_Writer, set[Path]], list[dict[str, Any]]]] = {}
        self._written: dict[_Address, str] = {}
        self._applied: dict[tuple[_Address, str], tuple[str, Object]] = {}
        self._in_order: dict[tuple[str, str], list[_Address]] = {}
        self._version = 0
        self.writes = 0
        self._told = 0

    @property
    def moves(self) -> int:
        """How often anything was changed but what the operator says in a policy's status, on which nothing else depends."""
        return self.writes - self._told

    def get(self, ref: ObjectRef) -> Object | None:
        """Return an object, or ``None``."""
        return self._shown.get(_address(ref))

    def kind(self, api_version: str, kind: str) -> Iterator[Object]:
        """Yield the objects of a kind by namespace and name."""
        if (api_version, kind) not in self._in_order:
            self._in_order[api_version, kind] = sorted(
                address for address in self._shown if address[:2] == (api_version, kind)
            )
        for address in self._in_order[api_version, kind]:
            yield self._shown[address]

    def create(self, item: Object, manager: str) -> Object:
        """Store a new object with all it says, its status included.

        Raises:
            Conflict: there is one of that name.
        """
        address = _address(reference(item))
        if address in self._objects:
            raise Conflict(f"{reference(item)} exists")
        self._owners[address] = {(manager, "Update"): set(_owned(item))}
        return self._write(address, {}, copied(item))

    def apply(self, intent: Object, manager: str) -> Object:
        """Apply fields for a manager by force: others lose what is set to another value.

        What a manager applies again while nobody changed more of the object than its status changes nothing, and is not
        looked at.
        """
        address = _address(reference(intent))
        before = self._objects.get(address, {})
        if self._applied.get((address, manager)) == (self._written.get(address), intent):
            return self._shown[address]
        intent = copied(intent)
        owners = {writer: set(paths) for writer, paths in self._owners.get(address, {}).items()}
        mine, others = (manager, "Apply"), set[Path]()
        wanted, had = set(_owned(intent)), owners.pop(mine, set())
        for paths in owners.values():
            taken = {path for path in paths & wanted if lookup(before, path) != lookup(intent, path)}
            paths.difference_update(taken)
            others |= paths
        after = merged(before, {key: value for key, value in intent.items() if key != "status"})
        for path in sorted(had - wanted, key=len):  # an item of a list before its parts
            if not any(other[: len(path)] == path for other in others | wanted):
                after = removed(after, path)
        if wanted:
            owners[mine] = wanted
        self._owners[address] = {writer: paths for writer, paths in owners.items() if paths}
        shown = self._write(address, before, after)
        self._applied[address, manager] = (self._written[address], intent)
        return shown

    def edit(self, ref: ObjectRef, change: Mapping[str, Any], manager: str) -> Object:
        """Merge a change as an ordinary update, which takes the ownership of what it changes.

        Raises:
            Gone: the object is not there.
        """
        address = _address(ref)
        before = self._require(ref)
        after = _merge_patch(before, change)
        changed = set(differing(_own_fields(before), _own_fields(after)))
        owners = self._owners.setdefault(address, {})
        for paths in owners.values():
            paths.difference_update(changed)
        owners.setdefault((manager, "Update"), set()).update(changed)
        return self._write(address, before, after)

    def set_status(self, ref: ObjectRef, status: Mapping[str, Any]) -> None:
        """Replace the status.

        Raises:
            Gone: the object is not there.
            Conflict: ``ref.uid`` is another object's.
        """
        before = self._require(ref)
        if before.get("status") != status:
            self._put(_address(ref), before, {**before, "status": copied(status)})
            self._told += ref.kind == COST_POLICY.kind

    def delete(self, ref: ObjectRef) -> None:
        """Delete an object and what nobody else owns; nothing happens if it is not there.

        Raises:
            Conflict: ``ref.uid`` is another object's.
        """
        if _address(ref) not in self._objects:
            return
        uid = self._require(ref)["metadata"]["uid"]
        for kept in (self._objects, self._shown, self._owners, self._managed, self._written):
            del kept[_address(ref)]
        self._in_order.pop((ref.api_version, ref.kind), None)
        self.writes += 1
        living = {item["metadata"]["uid"] for item in self._objects.values()}
        for item in list(self._objects.values()):
            owners = {owner["uid"] for owner in item["metadata"].get("ownerReferences", ())}
            if uid in owners and not owners & living:
                self.delete(reference(item))

    def _require(self, ref: ObjectRef) -> Object:
        found = self._objects.get(_address(ref))
        if found is None:
            raise Gone(f"{ref} does not exist")
        if ref.uid and ref.uid != found["metadata"]["uid"]:
            raise Conflict(f"{ref} was replaced by another object of that name")
        return found

    def _write(self, address: _Address, before: Object, after: Object) -> Object:
        """Put an object that may have changed in more than its status."""
        shown = self._put(address, before, after)
        self._written[address] = shown["metadata"]["resourceVersion"]
        return shown

    def _put(self, address: _Address, before: Object, after: Object) -> Object:
        if after["kind"] == "Deployment":
            spec = after.get("spec", {})
            after = {**after, "spec": {**spec, "replicas": spec.get("replicas", _DEFAULT_REPLICAS)}}
        if before != after:
            self._version += 1
            self.writes += 1
            metadata = {**after["metadata"], "resourceVersion": str(self._version)}
            metadata.setdefault("uid", f"00000000-0000-4000-8000-{self._version:012d}")
            metadata.setdefault("creationTimestamp", self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
            unchanged = before.get("spec") == after.get("spec") and before
            metadata["generation"] = metadata.get("generation", 0) + (0 if unchanged else 1)
            after = {**after, "metadata": metadata}
        if address not in self._objects:
            self._in_order.pop(address[:2], None)
        self._objects[address] = after
        owners = self._owners[address]
        known = self._managed.get(address)
        if known is None or known[0] != owners:
            copied = {writer: set(paths) for writer, paths in owners.items()}
            known = self._managed[address] = (copied, _managed_fields(address[0], owners))
        self._shown[address] = {**after, "metadata": {**after["metadata"], "managedFields": known[1]}}
        return self._shown[address]


def _managed_fields(api_version: str, owners: Mapping[_Writer, set[Path]]) -> list[dict[str, Any]]:
    return [
        {
            "manager": manager,
            "operation": operation,
            "apiVersion": api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": trie(paths),
        }
        for (manager, operation), paths in sorted(owners.items())
    ]


def _address(ref: ObjectRef) -> _Address:
    return ref.api_version, ref.kind, ref.namespace, ref.name


def _owned(item: Object) -> Iterator[Path]:
    """Yield the fields of an object that have owners."""
    fields = _own_fields(item)
    if fields:
        yield from leaves(fields)


def _own_fields(item: Object) -> Object:
    """Return what of an object has owners: not its address, not its status."""
    metadata = {key: item["metadata"][key] for key in _OWN_METADATA if key in item["metadata"]}
    rest = {key: value for key, value in item.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    return {**({"metadata": metadata} if metadata else {}), **rest}


def _merge_patch(value: Any, change: Any) -> Any:  # noqa: ANN401 - any JSON (RFC 7396)
    if not isinstance(change, Mapping):
        return copied(change)
    result = dict(value) if isinstance(value, Mapping) else {}
    for key, entry in change.items():
        if entry is None:
            result.pop(key, None)
        else:
            result[key] = _merge_patch(result.get(key), entry)
    return result
