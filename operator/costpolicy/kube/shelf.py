"""A collection of one kind of object that keeps the newest of each although news arrive out of order."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

from costpolicy.kube.gateway import NamespacedName

Value = TypeVar("Value")


class Versioned(NamedTuple, Generic[Value]):
    """A value and the resourceVersion at which the cluster had it."""

    version: int
    value: Value


class Shelf(Generic[Value]):
    """Objects by key at their newest known version, reachable by group too.  Its owner does the locking."""

    def __init__(self, group_of: Callable[[Value], Hashable] | None = None) -> None:
        self._items: dict[NamespacedName, Versioned[Value]] = {}
        self._groups: dict[Hashable, set[NamespacedName]] = {}
        self._group_of = group_of

    def put(self, key: NamespacedName, version: int, value: Value) -> bool:
        """Keep a value unless a version as new is known; return whether it was kept."""
        known = self._items.get(key)
        if known is not None and known.version >= version:
            return False
        self._keep(key, Versioned(version, value))
        return True

    def drop(self, key: NamespacedName, version: int) -> bool:
        """Remove an object that was gone at this version, unless it is known to have come back since."""
        known = self._items.get(key)
        if known is None or known.version > version:
            return False
        self._forget(key)
        return True

    def replace(self, listed: Mapping[NamespacedName, Versioned[Value]], version: int) -> None:
        """Take over a whole list made at ``version``: what it lacks is gone, unless known to be younger.

        At the same version the list is right: while a CRD's schema changes, a watch may still send events by the old
        one, in which the new fields are missing.
        """
        for key in [key for key in self._items if key not in listed]:
            self.drop(key, version)
        for key, item in listed.items():
            known = self._items.get(key)
            if known is None or known.version <= item.version:
                self._keep(key, item)

    def get(self, key: NamespacedName) -> Value | None:
        """Return the value of a key, or None."""
        known = self._items.get(key)
        return None if known is None else known.value

    def values(self) -> tuple[Value, ...]:
        """Return all values by namespace and name."""
        return self._sorted(self._items)

    def group(self, group: Hashable) -> tuple[Value, ...]:
        """Return the values of one group by namespace and name."""
        return self._sorted(self._groups.get(group, ()))

    def __len__(self) -> int:
        return len(self._items)

    def _sorted(self, keys: Iterable[NamespacedName]) -> tuple[Value, ...]:
        return tuple(self._items[key].value for key in sorted(keys))

    def _keep(self, key: NamespacedName, item: Versioned[Value]) -> None:
        self._forget(key)
        self._items[key] = item
        if self._group_of is not None:
            self._groups.setdefault(self._group_of(item.value), set()).add(key)

    def _forget(self, key: NamespacedName) -> None:
        known = self._items.pop(key, None)
        if known is None or self._group_of is None:
            return
        group = self._group_of(known.value)
        self._groups[group].discard(key)
        if not self._groups[group]:
            del self._groups[group]
