"""Turns the JSON schema that pydantic makes into the structural OpenAPI v3 schema that a CRD needs.

Kubernetes refuses references, unions and null types, and silently drops what it does not know.  So every
keyword is either translated here or refused with :class:`SchemaError`: a schema that means less than its
model never leaves this module.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

JsonSchema = dict[str, Any]

_KEPT: Final = frozenset(
    {
        "type",
        "format",
        "enum",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "required",
        "description",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-validations",
    }
)
_ORDER: Final = ("description", "type", "format", "default", "enum")


class SchemaError(ValueError):
    """A model uses something that has no translation; the message names the field and the keyword."""


def structural_schema(model: type[BaseModel], *, defaults: bool) -> JsonSchema:
    """Return the structural schema of a model.

    ``defaults`` keeps the defaults of plain values, which the API server then writes into what it stores.
    Defaults of objects and lists stay with the operator: a three-line policy stays three lines.

    Raises:
        SchemaError: the model cannot be expressed.
    """
    document = model.model_json_schema(by_alias=True)
    return _Normaliser(document.get("$defs", {}), defaults).normalise(document, model.__name__)


class _Normaliser:
    def __init__(self, definitions: Mapping[str, JsonSchema], defaults: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults

    def normalise(self, schema: JsonSchema, path: str) -> JsonSchema:
        """Return the structural form of one node; ``path`` names it in errors."""
        plain = self._without_null(self._resolved(schema, path), path)
        result: JsonSchema = {}
        for keyword, value in plain.items():
            if keyword in _KEPT:
                result[keyword] = value
            else:
                result |= self._translated(keyword, value, path)
        if "type" not in result and "x-kubernetes-int-or-string" not in result:
            raise SchemaError(f"{path}: has no type")
        return {key: result[key] for key in sorted(result, key=_place)}

    def _resolved(self, schema: JsonSchema, path: str) -> JsonSchema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        if "$ref" not in schema:
            return beside
        name = schema["$ref"].removeprefix("#/$defs/")
        if name not in self._definitions:
            raise SchemaError(f"{path}: refers to {schema['$ref']}")
        return self._resolved({**self._definitions[name], **beside}, path)

    def _without_null(self, schema: JsonSchema, path: str) -> JsonSchema:
        if "anyOf" not in schema:
            return schema
        members = [member for member in schema["anyOf"] if member != {"type": "null"}]
        if len(members) != 1:
            raise SchemaError(f"{path}: is a union of {len(members)} types")
        beside = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
        return {**self._resolved(members[0], path), **beside}

    def _translated(self, keyword: str, value: Any, path: str) -> JsonSchema:  # noqa: ANN401 - any JSON
        match keyword, value:
            case ("title" | "$defs", _) | ("additionalProperties", False):
                return {}
            case "const", _:
                return {"enum": [value]}
            case "default", str() | int() | float() if self._defaults and value != "":
                return {"default": value}
            case "default", str() | int() | float() | [] | None | {}:
                return {}
            case "items", dict():
                return {"items": self.normalise(value, f"{path}[]")}
            case "additionalProperties", dict():
                return {"additionalProperties": self.normalise(value, f"{path}.*")}
            case "properties", dict():
                return {"properties": self._properties(value, path)}
            case _:
                raise SchemaError(f"{path}: no translation for {keyword} {value!r}")

    def _properties(self, properties: Mapping[str, JsonSchema], path: str) -> JsonSchema:
        for name, schema in properties.items():
            if "description" not in schema:
                raise SchemaError(f"{path}.{name}: has no description")
        return {name: self.normalise(schema, f"{path}.{name}") for name, schema in properties.items()}


def _place(keyword: str) -> tuple[int, str]:
    return (_ORDER.index(keyword) if keyword in _ORDER else len(_ORDER), keyword)
