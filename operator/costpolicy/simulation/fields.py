"""Fields of objects, as server-side apply sees them: which exist, who may own them, how they merge.

A path is a tuple of fieldsV1 steps: ``f:name`` for an entry of a map, ``k:{...}`` for an item of a list by
its keys. Which lists have keys and which maps are owned as a whole comes from the OpenAPI schema of
Kubernetes (``x-kubernetes-list-map-keys``, ``x-kubernetes-map-type: atomic``), cut down to what this operator
writes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

Path = tuple[str, ...]
Json = Any

_ATOMIC_MAPS: Final = frozenset({"selector", "labelSelector", "nodeSelector"})
_KEYS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "containers": (("name",),),
    "initContainers": (("name",),),
    "env": (("name",),),
    "volumes": (("name",),),
    "volumeMounts": (("mountPath",),),
    "imagePullSecrets": (("name",),),
    "ownerReferences": (("uid",),),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
}
_KEY_DEFAULTS: Final[Mapping[str, str]] = {"protocol": "TCP"}


def leaves(value: Json, path: Path = ()) -> Iterator[Path]:
    """Yield the paths that somebody who writes ``value`` owns."""
    name = path[-1][2:] if path else ""
    if isinstance(value, dict) and value and name not in _ATOMIC_MAPS:
        for key, entry in value.items():
            yield from leaves(entry, (*path, f"f:{key}"))
    elif isinstance(value, list) and value and _is_keyed(name, value):
        for item in value:
            step = (*path, _step(name, item))
            yield step
            yield from leaves(item, step)
    else:
        yield path


def copied(value: Json) -> Json:
    """Return a copy of a JSON document, of which no part is shared; several times as fast as ``deepcopy``."""
    if isinstance(value, dict):
        return {key: copied(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [copied(entry) for entry in value]
    return value


def merged(live: Json, wanted: Json, name: str = "") -> Json:
    """Return ``live`` with what is wanted written into it; parts of both are parts of the result, and none is altered."""
    if isinstance(wanted, dict) and isinstance(live, dict) and name not in _ATOMIC_MAPS:
        return {**live, **{key: merged(live.get(key), value, key) for key, value in wanted.items()}}
    if isinstance(wanted, list) and isinstance(live, list) and _is_keyed(name, [*live, *wanted]):
        items = {_step(name, item): item for item in live}
        for item in wanted:
            step = _step(name, item)
            items[step] = merged(items.get(step, {}), item)
        return list(items.values())
    return wanted


def differing(before: Json, after: Json, path: Path = ()) -> Iterator[Path]:
    """Yield those of the leaves of ``after`` that ``before`` has otherwise, or has not."""
    name = path[-1][2:] if path else ""
    if before is after:
        return
    if isinstance(after, dict) and after and name not in _ATOMIC_MAPS:
        for key, entry in after.items():
            yield from differing(_child(before, f"f:{key}", name), entry, (*path, f"f:{key}"))
    elif isinstance(after, list) and after and _is_keyed(name, after):
        for item in after:
            step = _step(name, item)
            live = _child(before, step, name)
            if live != item:
                yield (*path, step)
            yield from differing(live, item, (*path, step))
    elif before != after:
        yield path


def lookup(value: Json, path: Path) -> Json:
    """Return the value at a path, or ``None``."""
    name = ""
    for step in path:
        value = _child(value, step, name)
        name = step[2:]
        if value is None:
            return None
    return value


def removed(value: Json, path: Path, name: str = "") -> Json:
    """Return a value without what is at a path; what becomes empty goes too."""
    step, rest = path[0], path[1:]
    child = _child(value, step, name)
    if child is None:
        return value
    kept = removed(child, rest, step[2:]) if rest else None
    gone = kept is None or (rest and kept in ({}, []))
    if isinstance(value, list):
        others = [kept if item is child else item for item in value]
        return [item for item in others if item is not None] if gone else others
    without = {key: entry for key, entry in value.items() if key != step[2:]}
    return without if gone else {**value, step[2:]: kept}


def trie(paths: Iterable[Path]) -> dict[str, Json]:
    """Return paths as fieldsV1."""
    root: dict[str, Json] = {}
    for path in sorted(paths):
        node = root
        for step in path:
            node = node.setdefault(step, {})
        if path[-1].startswith("k:"):
            node["."] = {}
    return root


def _is_keyed(name: str, items: list[Json]) -> bool:
    return name in _KEYS and all(isinstance(item, dict) and _keys(name, item) for item in items)


def _keys(name: str, item: Mapping[str, Json]) -> tuple[str, ...] | None:
    return next((keys for keys in _KEYS[name] if keys[0] in item), None)


def _step(name: str, item: Mapping[str, Json]) -> str:
    keys = _keys(name, item) or ()
    return _text(tuple((key, item.get(key, _KEY_DEFAULTS.get(key))) for key in keys))


@lru_cache(maxsize=1024)
def _text(keys: tuple[tuple[str, Json], ...]) -> str:
    return "k:" + json.dumps(dict(keys), separators=(",", ":"))


def _child(value: Json, step: str, name: str) -> Json:
    if step.startswith("f:"):
        return value.get(step[2:]) if isinstance(value, dict) else None
    items = value if isinstance(value, list) else []
    return next((item for item in items if _keys(name, item) and _step(name, item) == step), None)
