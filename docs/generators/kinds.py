"""The reference of CostPolicy and PriceBook: every field of their specs and status, from the definitions."""

from collections.abc import Iterator
from typing import Any

from costpolicy.api.crd import custom_resource_definitions

HEAD = """\
# Kinds

<!-- Made by docs/generators/kinds.py; do not edit. -->

Money is a decimal string, durations are written `800ms` or `168h`, shares `0.05` or `5%`.
"""


def page() -> str:
    """Return the page as Markdown."""
    return HEAD + "".join(_kind(definition) for definition in custom_resource_definitions())


def _kind(definition: dict[str, Any]) -> str:
    spec = definition["spec"]
    [version] = spec["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    head = f"\n## {spec['names']['kind']}\n\n{schema['description']}\n{spec['scope']}, `{spec['group']}/{version['name']}`.\n"
    return head + "".join(
        f"\n### {part}\n\n| Field | Type | Default | What it says |\n|---|---|---|---|\n{''.join(_rows(schema, part))}"
        for part in ("spec", "status")
        if part in schema["properties"]
    )


def _rows(schema: dict[str, Any], part: str) -> Iterator[str]:
    for path, node in _fields(schema["properties"][part], ""):
        default = f"`{node['default']}`" if "default" in node else ""
        yield f"| `{path}` | {_type(node)} | {default} | {_cell(node.get('description', ''))} |\n"


def _fields(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, child in node.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, child
        inside = child["items"] if child.get("type") == "array" else child
        yield from _fields(inside, f"{here}[]" if child.get("type") == "array" else here)


def _type(node: dict[str, Any]) -> str:
    if "enum" in node:
        return " \\| ".join(f"`{value}`" for value in node["enum"])
    if node.get("type") == "array":
        return f"list of {node['items'].get('type', 'any')}"
    return str(node.get("type", "integer or string"))


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())
