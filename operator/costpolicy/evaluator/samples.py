"""Requests that a router wrote down: ``FOLDER/YYYY-MM-DD/NNNNNN.jsonl``, a line each, in the words of the OpenAI API.

``{"messages": [...], "max_tokens": 300, "metadata": {"feature": "search"}}``, or ``prompt`` for text to be continued.
Written by :mod:`costpolicy.router_plugin.sampling`, without what tells of a person.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from costpolicy.quality.prompts import Prompt
from costpolicy.router_plugin.compression import Limits, compress
from costpolicy.router_plugin.request import asked_tokens, prompt_of
from costpolicy.routing.labels import LONGEST

_ASKED: Final = ("messages", "prompt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One request.

    Attributes:
        feature: what asked, as the router counts it.
        text: what its score looks at, and a label's prompt.
        prompt: what is asked again; nothing is expected of it yet.
        shortened: what is asked in its place, where a compression is judged; ``None``: the same is asked twice.
        settings: of that compression; empty: none is judged.
    """

    feature: str
    text: str
    prompt: Prompt
    shortened: Mapping[str, Any] | None = None
    settings: str = ""

    @property
    def key(self) -> str:
        """What tells its label from others."""
        return f"{self.settings}:{self.prompt.key}" if self.settings else self.prompt.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What a folder holds: each request once, and how many lines are none, or too long for a label."""

    found: tuple[Sample, ...]
    unreadable: int


def read_samples(folder: Path) -> Samples:
    """Read every day of a folder.

    Raises:
        OSError: it cannot be read; a folder that is not there yet is empty.
    """
    lines = (line for file in sorted(folder.glob("????-??-??/*.jsonl")) for line in _lines(file))
    return parse_samples(lines)


def parse_samples(lines: Iterable[str]) -> Samples:
    """Read lines."""
    found: dict[str, Sample] = {}
    unreadable = 0
    for number, line in enumerate(lines, start=1):
        sample = _sample(number, line)
        if sample is None:
            unreadable += 1
        else:
            found.setdefault(sample.prompt.key, sample)
    return Samples(found=tuple(found.values()), unreadable=unreadable)


def shortened_samples(samples: Iterable[Sample], limits: Limits) -> tuple[Sample, ...]:
    """Return the samples that a compression changes, each with what it makes of them."""
    found = []
    for sample in samples:
        messages = sample.prompt.request.get("messages")
        after = compress(messages, limits) if messages else messages
        if after != messages:
            shortened = {**sample.prompt.request, "messages": after}
            found.append(replace(sample, shortened=shortened, settings=limits.settings))
    return tuple(found)


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]


def _sample(number: int, line: str) -> Sample | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None
    if not isinstance(document, Mapping):
        return None
    request = {name: document[name] for name in _ASKED if document.get(name)}
    text = prompt_of(request).strip()
    if len(request) != 1 or not text or len(text) > LONGEST:
        return None
    prompt = Prompt(line=number, request=request, expected=(), max_tokens=asked_tokens(document))
    return Sample(feature=_feature(document), text=text, prompt=prompt)


def _feature(document: Mapping[str, Any]) -> str:
    metadata = document.get("metadata")
    return str(metadata.get("feature", "")) if isinstance(metadata, Mapping) else ""
