"""The CRD generator: what it makes is what is committed, and what it cannot translate it refuses."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from costpolicy.api.crd import custom_resource_definitions, main, rendered
from costpolicy.api.model import ApiModel
from costpolicy.api.schema import SchemaError, structural_schema

CRDS = Path(__file__).parents[3] / "crds"


def test_the_committed_definitions_are_those_of_the_models():
    held = {path.name: path.read_text() for path in CRDS.iterdir()}

    assert rendered() == held


def test_the_check_fails_when_a_file_is_stale_missing_or_left_over(tmp_path: Path):
    assert main(["--write", str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0

    (tmp_path / "costpolicy.dev_gone.yaml").write_text("")
    assert main(["--check", str(tmp_path)]) == 1


@pytest.mark.parametrize(
    ("annotation", "says"),
    [
        (int | str, "is a union of 2 types"),
        (Annotated[int, Field(gt=0)], "no translation for exclusiveMinimum"),
        (Annotated[int, Field(multiple_of=2)], "no translation for multipleOf"),
        (dict[Annotated[str, Field(pattern="^a$")], str], "no translation for patternProperties"),
        (tuple[int, str], "no translation for prefixItems"),
        (Any, "has no type"),
        (set[str], "no translation for uniqueItems"),
    ],
)
def test_refuses_what_a_structural_schema_cannot_say(annotation: Any, says: str):
    class Odd(ApiModel):
        value: Annotated[annotation, Field(description="A value.")]  # type: ignore[valid-type]

    with pytest.raises(SchemaError, match=says):
        structural_schema(Odd, defaults=True)


def test_refuses_a_field_without_a_description():
    class Silent(ApiModel):
        value: Literal["a"]

    with pytest.raises(SchemaError, match=r"Silent\.value: has no description"):
        structural_schema(Silent, defaults=True)


def objects(node: Any, path: str) -> Any:
    if isinstance(node, dict):
        if node.get("type") in ("string", "array", "object"):
            yield path, node
        for key, child in node.items():
            yield from objects(child, f"{path}.{key}")


def test_every_text_list_and_map_of_a_spec_has_a_bound():
    unbounded = []
    for crd in custom_resource_definitions():
        spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        for path, node in objects(spec, crd["metadata"]["name"]):
            bounds = {"string": ("maxLength", "enum", "format"), "array": ("maxItems",)}.get(node["type"], ())
            if node["type"] == "object" and "additionalProperties" in node:
                bounds = ("maxProperties",)
            if bounds and not any(bound in node for bound in bounds):
                unbounded.append(path)

    assert unbounded == []


def test_defaults_are_those_of_plain_values_in_the_spec_only():
    policy = custom_resource_definitions()[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    scaling = policy["spec"]["properties"]["scaling"]

    assert "default" not in scaling
    assert {name: schema["default"] for name, schema in scaling["properties"].items() if "default" in schema} == {
        "minReplicas": 1,
        "maxReplicas": 10,
        "provider": "Operator",
    }
    assert "'default'" not in str(policy["status"])
