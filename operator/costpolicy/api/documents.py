"""Reads documents of this API from YAML, and says what is wrong in the user's words."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from costpolicy.api import API_VERSION, GROUP
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.api.types import EXPECTED

Document: TypeAlias = CostPolicy | ModelRoute | PriceBook

KINDS: Final[Mapping[str, type[Document]]] = {
    "CostPolicy": CostPolicy,
    "ModelRoute": ModelRoute,
    "PriceBook": PriceBook,
}


class DocumentError(ValueError):
    """A document cannot be used.

    The message has a line for each thing that is wrong: which document, which field, and what to write.
    """


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: a key that occurs twice is an error, and a date stays text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name} occurs twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_documents(text: str) -> list[Document]:
    """Return the policies, routes and price books of a multi-document YAML text, in order.

    A policy or route without a namespace is in ``default``; a ``List`` counts as its items.

    Raises:
        DocumentError: the text is not YAML, holds another kind, or a document is wrong.
    """
    found: list[Document] = []
    wrong: list[str] = []
    for where, document in _documents(text):
        try:
            found.append(parse_document(document, where))
        except DocumentError as error:
            wrong.append(str(error))
    if wrong:
        raise DocumentError("\n".join(wrong))
    return found


def parse_document(document: object, where: str = "document") -> Document:
    """Return one policy, route or price book; ``where`` begins every line of the message.

    Raises:
        DocumentError: it is another kind, or wrong.
    """
    model, fields = _kind_of(document, where)
    where = f"{where} ({_called(fields)})"
    empty = [
        f"{where}: {path}: is empty: give it a value, or leave it out" for path in _empty(fields.get("spec"), "spec")
    ]
    if empty:
        raise DocumentError("\n".join(empty))
    try:
        parsed = model.model_validate(fields)
    except ValidationError as error:
        raise DocumentError("\n".join(f"{where}: {line}" for line in explain(error))) from None
    return parsed if isinstance(parsed, PriceBook) else _in_namespace(parsed)


def _in_namespace(parsed: CostPolicy | ModelRoute) -> CostPolicy | ModelRoute:
    if parsed.metadata.namespace:
        return parsed
    metadata = parsed.metadata.model_copy(update={"namespace": "default"})
    return parsed.model_copy(update={"metadata": metadata})


def explain(error: ValidationError) -> tuple[str, ...]:
    """Return a line ``field: what is wrong and what to write`` for each error of a document."""
    return tuple(_line(detail) for detail in error.errors(include_url=False))


def _documents(text: str) -> Iterator[tuple[str, object]]:
    loaded = _json(text)
    if loaded is None:
        try:
            loaded = list(yaml.load_all(text, Loader=_Loader))
        except yaml.YAMLError as error:
            raise DocumentError(f"not YAML: {' '.join(str(error).split())}") from None
    for number, document in enumerate(loaded, start=1):
        if document is None:
            continue
        if isinstance(document, dict) and str(document.get("kind", "")).endswith("List"):
            items = document.get("items") or []
            yield from ((f"document {number}, item {place}", item) for place, item in enumerate(items, start=1))
        else:
            yield f"document {number}", document


def _json(text: str) -> list[object] | None:
    """Return the one document of a JSON text, and ``None`` for any other: read as YAML it takes a hundred times as long."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return [json.loads(text, object_pairs_hook=_unique)]
    except ValueError:
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a mapping.

    Raises:
        ValueError: a key occurs twice; read as YAML, it is named.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _kind_of(document: object, where: str) -> tuple[type[Document], dict[str, Any]]:
    known = " or ".join(KINDS)
    if not isinstance(document, dict):
        raise DocumentError(f"{where}: is no Kubernetes object: expected a {known}")
    version, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise DocumentError(f"{where}: kind: {kind!r} is not read here: expected a {known}; take it out of this file")
    if version != API_VERSION:
        raise DocumentError(f"{where}: apiVersion: {version!r} is not {API_VERSION}, the version of {GROUP} read here")
    if "spec" not in document or "metadata" not in document:
        raise DocumentError(f"{where}: metadata and spec are both needed")
    return KINDS[kind], document


def _called(fields: Mapping[str, Any]) -> str:
    metadata = fields["metadata"]
    name = metadata.get("name", "without a name") if isinstance(metadata, dict) else "without a name"
    return f"{fields['kind']} {name}"


def _empty(value: object, path: str) -> Iterator[str]:
    """Yield the paths of all nulls: the API server refuses them where pydantic would take the default."""
    match value:
        case None:
            yield path
        case dict():
            for key, child in value.items():
                yield from _empty(child, f"{path}.{key}")
        case list():
            for place, child in enumerate(value):
                yield from _empty(child, f"{path}[{place}]")
        case _:
            pass


def _line(detail: ErrorDetails) -> str:
    path = _path(detail)
    message = in_words(detail)
    return f"{path}: {message}" if path else message


def _path(detail: ErrorDetails) -> str:
    path = ""
    for part in detail["loc"]:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.isidentifier() or (part[:1].islower() and "-" not in part and "[" not in part):
            path += f".{part}"
    return path.removeprefix(".")


def in_words(detail: ErrorDetails) -> str:
    """Return what is wrong with one field and what to write."""
    given, context = detail.get("input"), detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return "this field does not exist: take it out"
        case "missing":
            return "is missing"
        case "string_pattern_mismatch":
            expected = EXPECTED.get(context["pattern"], f"text that matches {context['pattern']}")
            return f"{given!r} is not {expected}"
        case "string_too_long":
            return f"{given!r} is longer than {context['max_length']} characters"
        case "string_type" if isinstance(given, (int, float)) and not isinstance(given, bool):
            return f'{given} is a number where text is expected: put it in quotes, "{given}"'
        case "value_error":
            return str(context["error"])
        case _:
            return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, not {given!r}"
