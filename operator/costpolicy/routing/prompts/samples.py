"""Sampled requests: JSON lines, each the body of a request to the OpenAI API, or a line of its batch files."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

UNATTRIBUTED: Final = "unattributed"
FEATURE: Final = "metadata.feature"
_SEGMENT: Final = re.compile(r".+?(?:\n+|(?<=[.!?])[ \t]+|$)", re.DOTALL)


class SampleError(ValueError):
    """The file is not sampled requests; the message names the line and says what to write."""


class Section(StrEnum):
    """Parts of a prompt, by what they are for."""

    TOOLS = "tools"
    SYSTEM = "system"
    HISTORY = "history"
    TOOL_RESULTS = "toolResults"
    QUESTION = "question"
    """The last message of the user."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A line or a sentence, with the white space that ends it."""

    section: Section
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One sampled request.

    Attributes:
        feature: what of the application asked it.
        model: asked for; may be empty.
        segments: the whole prompt in the order in which an engine sees it.
        messages: of a conversation, as they were sent; empty for a text to be continued.
    """

    feature: str
    model: str
    segments: Sequence[Segment]
    messages: Sequence[Mapping[str, Any]] = ()

    def text(self, section: Section | None = None) -> str:
        """Return the prompt, or one section of it."""
        return "".join(segment.text for segment in self.segments if section in (None, segment.section))


def parse_samples(text: str, feature: str = FEATURE) -> tuple[Request, ...]:
    """Read requests; empty lines are skipped.

    Args:
        text: JSON lines.
        feature: where a request names its feature, as a path of fields.

    Raises:
        SampleError: a line is no request, or there is none.
    """
    lines = enumerate(text.removeprefix("\ufeff").split("\n"), start=1)
    requests = tuple(_request(line, written, feature) for line, written in lines if written.strip())
    if not requests:
        raise SampleError('there is no request: write lines such as {"messages": [{"role": "user", "content": "Hi"}]}')
    return requests


def recast(request: Request, messages: Sequence[Mapping[str, Any]]) -> Request:
    """Return the request with other messages; a text to be continued has none and stays as it is."""
    if not request.messages:
        return request
    declared = [segment for segment in request.segments if segment.section is Section.TOOLS]
    return replace(request, segments=(*declared, *_conversation(0, messages)), messages=messages)


def _request(line: int, written: str, feature: str) -> Request:
    try:
        document = json.loads(written)
    except json.JSONDecodeError as error:
        raise SampleError(f"line {line}, column {error.colno}: not JSON: {error.msg}") from None
    body: dict[str, Any] = document.get("body", document) if isinstance(document, dict) else {}
    match body:
        case {"messages": [*messages]} if messages:
            segments = _conversation(line, messages)
        case {"prompt": str() as prompt} if prompt:
            segments = _split(Section.QUESTION, prompt)
        case _:
            raise SampleError(f"line {line}: write an object with messages (a list that is not empty) or prompt (text)")
    tools = body.get("tools") or []
    declared = _split(Section.TOOLS, f"{json.dumps(tools)}\n") if tools else []
    named = _at(body, feature)
    return Request(
        feature=named if isinstance(named, str) and named else UNATTRIBUTED,
        model=str(body.get("model") or ""),
        segments=tuple(declared + segments),
        messages=tuple(body.get("messages") or ()),
    )


def _conversation(line: int, messages: Sequence[Any]) -> list[Segment]:
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise SampleError(f"line {line}: each message has a role and a content")
    asked = max((index for index, message in enumerate(messages) if message["role"] == "user"), default=-1)
    return [
        segment
        for index, message in enumerate(messages)
        for segment in _split(_section(message["role"], last=index == asked), f"{_content(line, message)}\n")
    ]


def _section(role: str, *, last: bool) -> Section:
    match role:
        case "system" | "developer":
            return Section.SYSTEM
        case "tool" | "function":
            return Section.TOOL_RESULTS
        case "user" if last:
            return Section.QUESTION
        case _:
            return Section.HISTORY


def _content(line: int, message: Mapping[str, Any]) -> str:
    """Return the text of a message: its content, parts that are text, and calls of tools."""
    match message.get("content"):
        case None:
            written = ""
        case str() as content:
            written = content
        case [*parts] if all(isinstance(part, dict) for part in parts):
            written = "\n".join(str(part["text"]) for part in parts if part.get("type") == "text" and "text" in part)
        case _:
            raise SampleError(f"line {line}: a message's content is a text or a list of parts")
    calls = message.get("tool_calls")
    return f"{written}{json.dumps(calls)}" if calls else written


def _split(section: Section, text: str) -> list[Segment]:
    return [Segment(section, part) for part in _SEGMENT.findall(text)]


def _at(body: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    found: Any = body
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
