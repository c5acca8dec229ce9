"""Who owns an object, and which field of it: reads ``metadata.managedFields`` of server-side apply, without any schema.

A fieldsV1 set is a trie: ``f:name`` is a map entry, ``k:{...}`` a list item by its keys, ``v:...`` an item of
a set, ``.`` the item itself; an empty node is a leaf, below which the value is owned as a whole (Kubernetes
documentation, "Server-Side Apply", and structured-merge-diff's fieldpath serialisation).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from costpolicy.kube.errors import Conflict, NameTaken
from costpolicy.kube.gateway import (
    COMPONENT_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    POLICY_LABEL,
    ROUTER_COMPONENT,
    FieldManager,
    Json,
    Object,
    ObjectRef,
)

_IDENTITY = frozenset({"apiVersion", "kind"})
_ADDRESS = frozenset({"name", "namespace", "uid"})


def require_ours(ref: ObjectRef, live: Object, intent: Object) -> None:
    """Pass if a stored object is that policy's, or that router's, which is about to be applied.

    Raises:
        NameTaken: it belongs to somebody else.
        Conflict: it is being deleted.
    """
    labels = live["metadata"].get("labels", {})
    named = intent["metadata"].get("labels", {})
    policy = named.get(POLICY_LABEL, labels.get(POLICY_LABEL))
    if labels.get(MANAGED_BY_LABEL) != MANAGED_BY or labels.get(POLICY_LABEL) != policy:
        taken = f"{replace(ref, uid='')} exists and is not"
        if named.get(COMPONENT_LABEL) == ROUTER_COMPONENT:
            raise NameTaken(f"{taken} a router of ours: delete that object")
        raise NameTaken(f"{taken} this policy's: rename the policy or delete that object")
    if "deletionTimestamp" in live["metadata"]:
        raise Conflict(f"{ref} is being deleted")


def holds(live: Mapping[str, Any], intent: Mapping[str, Any], manager: FieldManager) -> bool:
    """Return whether applying ``intent`` would change nothing in ``live``.

    True only if the manager owns exactly the intent's fields and each has the intent's value.  A value that
    the API server stores in another notation (``1000m`` as ``1``) reads as a difference: the apply is sent,
    and changes nothing.
    """
    owned = applied_fields(live, manager)
    wanted = {name: value for name, value in intent.items() if name not in _IDENTITY}
    metadata = {name: value for name, value in intent["metadata"].items() if name not in _ADDRESS}
    wanted.pop("metadata")
    if metadata:
        wanted["metadata"] = metadata
    if owned is None or not wanted:
        return owned is None and not wanted
    return _same_fields(owned, wanted) and _contains(live, wanted)


def applied_fields(live: Mapping[str, Any], manager: str) -> Mapping[str, Any] | None:
    """Return the fieldsV1 trie that a manager applied (not through a subresource), or None."""
    for entry in live["metadata"].get("managedFields", ()):
        if entry["manager"] == manager and entry["operation"] == "Apply" and not entry.get("subresource"):
            fields: Mapping[str, Any] = entry.get("fieldsV1", {})
            return fields
    return None


def owners_of(live: Mapping[str, Any], path: Sequence[str]) -> frozenset[str]:
    """Return the managers of one field, as ``("spec", "replicas")``, whatever subresource they wrote."""
    return frozenset(
        entry["manager"]
        for entry in live["metadata"].get("managedFields", ())
        if _reaches(entry.get("fieldsV1", {}), path)
    )


def _reaches(fields: Mapping[str, Any], path: Sequence[str]) -> bool:
    for step in path:
        if f"f:{step}" not in fields:
            return False
        fields = fields[f"f:{step}"]
    return True


def _same_fields(owned: Mapping[str, Any], wanted: Json) -> bool:
    """Compare a trie with a value: each owned path is in the value and each leaf of the value is owned."""
    if not owned:
        return True
    steps = {step: below for step, below in owned.items() if step != "."}
    if isinstance(wanted, Mapping):
        return _same_entries(steps, wanted)
    if isinstance(wanted, list):
        return _same_items(steps, wanted)
    return not steps


def _same_entries(steps: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return steps.keys() == {f"f:{name}" for name in wanted} and all(
        _same_fields(steps[f"f:{name}"], value) for name, value in wanted.items()
    )


def _same_items(steps: Mapping[str, Any], wanted: Sequence[Any]) -> bool:
    if len(steps) != len(wanted):
        return False
    return all(any(_is_item(step, item) and _same_fields(steps[step], item) for step in steps) for item in wanted)


def _is_item(step: str, item: Json) -> bool:
    """Match ``k:{"name":"x"}`` or ``v:"x"`` with an item; a key that it lacks was defaulted by the server."""
    kind, _, text = step.partition(":")
    value = json.loads(text)
    if kind == "v":
        return bool(value == item)
    return isinstance(item, Mapping) and all(item.get(key, part) == part for key, part in value.items())


def _contains(live: Json, wanted: Json) -> bool:
    """Return whether every leaf of ``wanted`` has the same value in ``live``."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(
            name in live and _contains(live[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(live, list) and _contains_items(live, wanted)
    return bool(live == wanted)


def _contains_items(live: Sequence[Any], wanted: Sequence[Any]) -> bool:
    candidates: Iterator[Any] = iter(live)
    # In order: an engine's arguments are a list whose order matters, and the server appends others' items in
    # between.
    return all(any(_contains(candidate, item) for candidate in candidates) for item in wanted) and (
        _is_keyed(wanted) or len(live) == len(wanted)
    )


def _is_keyed(items: Sequence[Any]) -> bool:
    return all(isinstance(item, Mapping) for item in items)
