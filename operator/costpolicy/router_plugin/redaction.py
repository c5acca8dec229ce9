"""Samples of requests without what tells of a person: addresses, numbers of people and of accounts, keys.

It goes by form alone.  Names, and whatever else has no form, stay: say so where samples are kept.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_FORMS: Final = (
    ("[key]", re.compile(r"\b(?:sk|pk|ghp|gho|glpat|xox[abprs]|AKIA|AIza|hf|eyJ)[-_A-Za-z0-9.]{12,}")),
    ("[key]", re.compile(r"(?<![\w-])(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[A-Za-z0-9_-]{32,}(?![\w-])")),
    ("[email]", re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")),
    ("[address]", re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")),
    ("[iban]", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("[number]", re.compile(r"(?<![\w.])\+?\(?\d(?:[ ()/-]{0,2}\d){7,}(?!\.?\w)")),
)
"""Marks and what they stand for.  A number has eight digits and more: of a phone, a card, a customer."""


def redact(text: str) -> str:
    """Return a text with marks for what tells of a person."""
    for mark, form in _FORMS:
        text = form.sub(mark, text)
    return text


def redacted_messages(messages: Sequence[Any]) -> list[dict[str, Any]]:
    """Return messages as role and text alone: calls of tools, images, names and whatever else go."""
    return [
        {"role": str(message.get("role", "")), "content": _redacted(message.get("content"))}
        for message in messages
        if isinstance(message, Mapping)
    ]


def with_calls(redacted: Sequence[Mapping[str, Any]], messages: Sequence[Any]) -> list[dict[str, Any]]:
    """Return redacted messages with what ties results of tools to calls: names, identities and redacted arguments.

    Args:
        redacted: as :func:`redacted_messages` returns them.
        messages: that these were made of.
    """
    whole = (message for message in messages if isinstance(message, Mapping))
    return [{**kept, **_ties(message)} for kept, message in zip(redacted, whole, strict=True)]


def _ties(message: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(identity := message.get("tool_call_id"), str):
        found["tool_call_id"] = identity
    calls = message.get("tool_calls")
    kept = [told for call in calls if (told := _call(call))] if isinstance(calls, list) else []
    return {**found, "tool_calls": kept} if kept else found


def _call(call: object) -> dict[str, Any]:
    """Return a call of a function; empty: it is none."""
    match call:
        case {"id": str() as identity, "function": {"name": str() as name, "arguments": str() as arguments}}:
            function = {"name": name, "arguments": _redacted_json(arguments)}
            return {"id": identity, "type": "function", "function": function}
        case _:
            return {}


def _redacted_json(text: str) -> str:
    """Return JSON, redacted; what is none becomes an empty object, because engines would refuse it."""
    try:
        return json.dumps(_redacted_value(json.loads(text)), ensure_ascii=False)
    except ValueError:
        return "{}"


def _redacted_value(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a JSON value without what tells of a person; a number that is one of a person's becomes its mark."""
    match value:
        case dict():
            return {name: _redacted_value(one) for name, one in value.items()}
        case list():
            return [_redacted_value(one) for one in value]
        case str():
            return redact(value)
        case bool() | None:
            return value
        case _:
            mark = redact(str(value))
            return value if mark == str(value) else mark


def _redacted(content: object) -> str:
    if isinstance(content, str):
        return redact(content)
    if not isinstance(content, Sequence):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, Mapping))
    return redact("\n".join(text for text in texts if isinstance(text, str)))
