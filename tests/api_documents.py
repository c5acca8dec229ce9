"""Hypothesis documents made from the published schema alone: some sound, the others wrong in one way or another.

They know nothing of the models, so that whoever reads the schema (the API server) and whoever wrote it (pydantic)
can be asked the same question.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import strategies as st

from costpolicy.api.crd import RESOURCES

Schema = dict[str, Any]

_JUNK = st.sampled_from(
    [
        "",
        "x",
        "-1",
        "0",
        "1.5",
        "0s",
        "1h\n",
        "a\n",
        -1,
        0,
        1,
        1.5,
        10**10,
        True,
        False,
        [],
        {},
        ["x"],
        {"x": 1},
        "ä" * 60,
    ]
)
_KEYS = st.sampled_from(["a", "app", "nvidia.com/gpu", "cpu"])
_FREE_TEXT = st.text(alphabet="aZ9 ./:-_ä€😀\n", max_size=12)
_HELPFUL = {"objectives", "ttft"}
"""Optional fields without which a document is mostly refused."""


def documents(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return documents of a kind: half without junk, which other rules may still refuse."""
    return st.sampled_from([0, 0, 30, 100]).flatmap(lambda one_in: _Maker(one_in).document(kind))


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes values of schemas; one value in ``one_in`` is junk (0: none)."""

    one_in: int

    def document(self, kind: str) -> st.SearchStrategy[dict[str, Any]]:
        resource = next(resource for resource in RESOURCES if resource.kind == kind)
        schema = resource.definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        good = st.from_regex(r"[a-z][-a-z0-9]{0,20}[a-z0-9]", fullmatch=True)
        names = self._or(st.from_regex(r"[a-z0-9]{1,45}", fullmatch=True), good)
        return st.fixed_dictionaries(
            {
                "apiVersion": st.just("costpolicy.dev/v1alpha1"),
                "kind": st.just(kind),
                "metadata": st.fixed_dictionaries({"name": names, "namespace": st.just("default")}),
                "spec": self._object(schema["properties"]["spec"], 0),
            }
        )

    def _or(self, odd: st.SearchStrategy[Any], usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        if not self.one_in:
            return usual
        return st.integers(1, self.one_in).flatmap(lambda roll: odd if roll == 1 else usual)

    def _value(self, schema: Schema, depth: int) -> st.SearchStrategy[Any]:
        return self._or(_JUNK, self._sound(schema, depth))

    def _sound(self, schema: Schema, depth: int) -> st.SearchStrategy[Any]:
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if schema.get("x-kubernetes-int-or-string"):
            return st.integers(0, 64) | _text(schema)
        if schema["type"] == "object":
            return self._object(schema, depth)
        if schema["type"] == "array":
            items = self._value(schema["items"], depth + 1)
            return st.lists(items, min_size=schema.get("minItems", 0), max_size=min(3, schema["maxItems"]))
        return {
            "string": _text,
            "integer": self._integer,
            "boolean": lambda _: st.booleans(),
            "number": lambda _: self._or(st.just(-0.5), st.floats(0, 1000, allow_nan=False) | st.integers(0, 9)),
        }[schema["type"]](schema)

    def _integer(self, schema: Schema) -> st.SearchStrategy[int]:
        low, high = schema["minimum"], schema["maximum"]
        edges = st.sampled_from([low - 1, low, high, high + 1])
        return self._or(edges, st.integers(low, min(high, low + 50)))

    def _object(self, schema: Schema, depth: int) -> st.SearchStrategy[dict[str, Any]]:
        if "additionalProperties" in schema:
            return st.dictionaries(_KEYS, self._value(schema["additionalProperties"], depth + 1), max_size=3)
        properties, members = schema.get("properties", {}), _members_of_one(schema)
        always = {*schema.get("required", ()), *(_HELPFUL & properties.keys())}
        optional = sorted(properties.keys() - always - set(members))
        chosen = _some(optional, max(1, 4 - depth))
        picked = self._or(_some(members, 2), _one(members))
        return st.tuples(chosen, picked).flatmap(
            lambda names: st.fixed_dictionaries(
                {name: self._value(properties[name], depth + 1) for name in sorted({*always, *names[0], *names[1]})}
            )
        )


def _some(names: list[str], most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), unique=True, max_size=most) if names else st.just([])


def _one(names: list[str]) -> st.SearchStrategy[list[str]]:
    return st.sampled_from(names).map(lambda name: [name]) if names else st.just([])


def _text(schema: Schema) -> st.SearchStrategy[str]:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 64)
    if "pattern" not in schema:
        return _FREE_TEXT.map(lambda text: text[:longest].ljust(shortest, "x"))
    positive = any("[1-9]" in rule["rule"] for rule in schema.get("x-kubernetes-validations", ()))
    return _fitting(schema["pattern"], shortest, longest, positive)


@cache
def _fitting(pattern: str, shortest: int, longest: int, positive: bool) -> st.SearchStrategy[str]:
    texts = st.from_regex(pattern, alphabet=st.characters(min_codepoint=32, max_codepoint=126))
    # Python's `$` also matches before a line break at the end, which is junk here and comes as such.
    return texts.map(lambda text: text.removesuffix("\n")).filter(
        lambda text: shortest <= len(text) <= longest and (not positive or re.search("[1-9]", text) is not None)
    )


def _members_of_one(schema: Schema) -> list[str]:
    """Return the members of which a rule wants exactly one."""
    for rule in schema.get("x-kubernetes-validations", ()):
        if rule["rule"].endswith(" == 1"):
            return re.findall(r"has\(self\.(\w+)\)", rule["rule"])
    return []
