"""Rules of the API, declared once: CEL for the API server and the same in Python for everybody else."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, takewhile
from typing import Any, Final

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.alias_generators import to_snake
from pydantic_core import CoreSchema, core_schema

JsonSchema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, for a model (in its ``rules``) or, as ``Annotated`` metadata, for a value.

    Attributes:
        cel: Common Expression Language over ``self``, rendered to ``x-kubernetes-validations``.
        message: what is wrong and what to write instead; the API server and the command line show it alike.
        holds: the same expression over the parsed value.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool]

    def enforce(self, value: Any) -> Any:  # noqa: ANN401 - whatever the annotated type parsed
        """Return the value.

        Raises:
            ValueError: the rule does not hold.
        """
        if not self.holds(value):
            raise ValueError(self.message)
        return value

    def schema(self) -> JsonSchema:
        """Return the rule as the API server reads it."""
        return {"rule": self.cel, "message": self.message}

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.enforce, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        json_schema = handler.resolve_ref_schema(handler(schema))
        json_schema.setdefault("x-kubernetes-validations", []).append(self.schema())
        return json_schema


def exactly_one(what: str, *members: str) -> Rule:
    """Return the rule that one and only one of a model's members, by JSON name, is given.

    Written as a sum: the API server estimates a macro over a list as if the list had no end, and refuses it.
    """
    attributes = [to_snake(name) for name in members]
    given = " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in members)
    return Rule(
        f"{given} == 1",
        f"{what} needs exactly one of {', '.join(members[:-1])} and {members[-1]}",
        lambda model: sum(getattr(model, attribute) is not None for attribute in attributes) == 1,
    )


@dataclass(frozen=True, slots=True)
class ListMap:
    """A list whose items differ in ``keys`` (JSON names): unique, and merged by them."""

    keys: tuple[str, ...]

    def enforce(self, items: Sequence[BaseModel]) -> Sequence[BaseModel]:
        """Return the items.

        Raises:
            ValueError: two items have the same keys.
        """
        seen, names = set(), _attributes(type(items[0]), self.keys) if items else ()
        for item in items:
            key = tuple(getattr(item, name) for name in names)
            if key in seen:
                named = ", ".join(f"{name} {value}" for name, value in zip(self.keys, key, strict=True))
                raise ValueError(f"duplicate entry: {named} occurs twice")
            seen.add(key)
        return items

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.enforce, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        json_schema = handler(schema)
        json_schema["x-kubernetes-list-type"] = "map"
        json_schema["x-kubernetes-list-map-keys"] = list(self.keys)
        return json_schema


@lru_cache(maxsize=64)
def _attributes(model: type[BaseModel], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the attributes of a model by their names in JSON."""
    known = {field.alias or name: name for name, field in model.model_fields.items()}
    return tuple(known[name] for name in names)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number from ``low`` to ``high``; text and truth values, which pydantic would convert, are refused."""

    low: int
    high: int

    @staticmethod
    def numeric(value: Any) -> Any:  # noqa: ANN401 - whatever the document says
        """Return the value.

        Raises:
            ValueError: it is text, ``true`` or ``false``.
        """
        if isinstance(value, (str, bool)):
            raise ValueError(f"{value!r} is not a number")  # noqa: TRY004 - pydantic collects ValueError only
        return value

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        kind = core_schema.int_schema if source is int else core_schema.float_schema
        limited = kind(ge=self.low, le=self.high)
        return core_schema.no_info_before_validator_function(self.numeric, limited)


@dataclass(frozen=True, slots=True)
class IntOrString:
    """A whole number or text, such as a resource quantity (``8`` or ``16Gi``).

    A structural schema states both members' limits side by side: each binds only its own type.
    """

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        members = handler(schema)["anyOf"]
        limits = {key: value for member in members for key, value in member.items() if key != "type"}
        return {"x-kubernetes-int-or-string": True, **limits}


_LONGEST_ESCAPE: Final = 6
"""Bytes that one character takes at the most: a control character as ``\\u0000``."""


def _json_bytes(text: str) -> int:
    """Bytes of a text within a JSON document in UTF-8, escapes included."""
    if text.isascii() and text.isprintable() and not ('"' in text or "\\" in text):
        return len(text)
    return len(json.dumps(text, ensure_ascii=False).encode(errors="replace")) - 2


@dataclass(frozen=True, slots=True)
class Clip:
    """Text cut at ``length`` bytes of JSON, not refused: a long message must never stop a status write."""

    length: int

    def cut(self, text: str) -> str:
        """Return the text, its end replaced by an ellipsis if it is longer than allowed."""
        if len(text) * _LONGEST_ESCAPE <= self.length or _json_bytes(text) <= self.length:
            return text
        room = self.length - _json_bytes("…")
        sizes = accumulate(_json_bytes(character) for character in text)
        return text[: sum(1 for _ in takewhile(lambda size: size <= room, sizes))] + "…"

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.cut, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {**handler(schema), "maxLength": self.length}
