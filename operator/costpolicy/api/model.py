"""What every model of the API has in common."""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from costpolicy.api.rules import Rule


class ApiModel(BaseModel):
    """A part of a document of this API: immutable, unknown fields refused, camelCase in JSON.

    The docstring below a field becomes its description in ``kubectl explain``.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        allow_inf_nan=False,
        defer_build=True,
    )
    rules: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        if cls.rules and not issubclass(cls, RuledModel):
            raise TypeError(f"{cls.__name__} has rules that nobody checks: derive it from RuledModel")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        from costpolicy.api.docstrings import attribute_docstrings

        json_schema = handler.resolve_ref_schema(handler(schema))
        described = attribute_docstrings(cls)
        for name, field in cls.model_fields.items():
            if name in described:
                json_schema["properties"][field.alias or name]["description"] = described[name]
        if cls.rules:
            json_schema["x-kubernetes-validations"] = [rule.schema() for rule in cls.rules]
        return json_schema

    def to_json(self) -> dict[str, Any]:
        """Return this as a JSON document: camelCase names, no nulls."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class RuledModel(ApiModel):
    """A part of a document with cross-field rules, in ``rules``; each is checked here and rendered into the CRD."""

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        broken = [rule.message for rule in self.rules if not rule.holds(self)]
        if broken:
            raise ValueError("; ".join(broken))
        return self


class ObservedModel(ApiModel):
    """A part of a document that somebody else may extend (metadata, status): unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")
