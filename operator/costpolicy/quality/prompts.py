"""The file of an evaluation: JSON lines, each a prompt with the answer that is expected.

``{"messages": [{"role": "user", "content": "6 x 7?"}], "answer": "42"}`` is sent as a chat, ``{"prompt": "6 x 7 =",
"answer": "42"}`` as text to be continued: the words of the OpenAI API.  ``answer`` may be a list, of which any will do.
``maxTokens`` and ``tolerance`` (numbers only) are optional.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from costpolicy.api.types import JudgeType
from costpolicy.quality.scoring import normalized, number_in

MOST_ACCEPTED: Final = 64
"""Answers that one prompt may accept."""
_FIELDS: Final = frozenset({"prompt", "messages", "answer", "tolerance", "maxTokens"})
_ROLES: Final = ("system", "user", "assistant")
_DIGEST: Final = 12


class PromptError(ValueError):
    """The file is not written as expected; the message names the line and says what to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One question.

    Attributes:
        line: where it stands in the file, from 1.
        request: the fields of the request that ask it: ``messages`` or ``prompt``.
        expected: answers, any of which is right.
        tolerance: by how much a number may be off.
        max_tokens: longest answer; None: the evaluation's.
    """

    line: int
    request: Mapping[str, Any]
    expected: tuple[str, ...]
    tolerance: Decimal = Decimal(0)
    max_tokens: int | None = None

    @property
    def key(self) -> str:
        """What tells it from other prompts: a hash of what is asked."""
        return sha256(json.dumps(self.request, sort_keys=True).encode()).hexdigest()[:_DIGEST]

    @property
    def question(self) -> str:
        """The prompt as one text."""
        if "prompt" in self.request:
            return str(self.request["prompt"])
        return "\n".join(message["content"] for message in self.request["messages"])


def parse_prompts(text: str, judge: JudgeType = JudgeType.EXACT) -> tuple[Prompt, ...]:
    """Read the prompts of a file; empty lines are skipped.

    Raises:
        PromptError: a line is wrong, a prompt is there twice (asked again it proves nothing more), or there is none.
    """
    prompts: list[Prompt] = []
    lines_of: dict[str, int] = {}
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        prompt = _prompt(line, written, judge)
        if prompt.key in lines_of:
            raise PromptError(f"line {line} asks the same as line {lines_of[prompt.key]}: remove one")
        lines_of[prompt.key] = line
        prompts.append(prompt)
    if not prompts:
        raise PromptError('there is no prompt: write lines such as {"prompt": "6 x 7 =", "answer": "42"}')
    return tuple(prompts)


def digest_of(prompts: Sequence[Prompt]) -> str:
    """Return what tells one set of prompts from another, whatever its order and layout."""
    each = sorted(
        json.dumps([dict(one.request), one.expected, str(one.tolerance), one.max_tokens], sort_keys=True)
        for one in prompts
    )
    return sha256("\n".join(each).encode()).hexdigest()[:_DIGEST]


def _prompt(line: int, written: str, judge: JudgeType) -> Prompt:
    try:
        document = json.loads(written, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise PromptError(f"line {line}, column {error.colno}: not JSON: {error.msg}") from None
    if not isinstance(document, dict):
        raise PromptError(f"line {line}: a prompt is a JSON object")
    if unknown := sorted(document.keys() - _FIELDS):
        raise PromptError(f"line {line}: {unknown[0]} is unknown: write {', '.join(sorted(_FIELDS))}")
    return Prompt(
        line=line,
        request=_request(line, document),
        expected=_expected(line, document, judge),
        tolerance=_tolerance(line, document, judge),
        max_tokens=_max_tokens(line, document),
    )


def _request(line: int, document: Mapping[str, Any]) -> Mapping[str, Any]:
    match document:
        case {"prompt": _, "messages": _}:
            raise PromptError(f"line {line}: write either prompt or messages, not both")
        case {"prompt": str() as prompt} if prompt.strip():
            return {"prompt": prompt}
        case {"messages": [*messages]} if messages:
            return {"messages": [_message(line, message) for message in messages]}
        case _:
            raise PromptError(f"line {line}: write a prompt (text) or messages (a list that is not empty)")


def _message(line: int, message: Any) -> Mapping[str, str]:  # noqa: ANN401 - any JSON value
    match message:
        case {"role": str() as role, "content": str() as content} if role in _ROLES and len(message) == 2:
            return {"role": role, "content": content}
        case _:
            raise PromptError(f"line {line}: a message has a role ({', '.join(_ROLES)}) and a content (text)")


def _expected(line: int, document: Mapping[str, Any], judge: JudgeType) -> tuple[str, ...]:
    given = document.get("answer")
    answers = tuple(one for one in (given if isinstance(given, list) else [given]) if isinstance(one, str))
    whole = len(answers) == (len(given) if isinstance(given, list) else 1)
    if not whole or not 0 < len(answers) <= MOST_ACCEPTED or not all(map(normalized, answers)):
        raise PromptError(f"line {line}: answer must be a text, or a list of at most {MOST_ACCEPTED} texts")
    if judge is JudgeType.NUMERIC and any(number_in(one) is None for one in answers):
        raise PromptError(f"line {line}: answer must hold a number, because the judge is Numeric")
    return answers


def _tolerance(line: int, document: Mapping[str, Any], judge: JudgeType) -> Decimal:
    given = document.get("tolerance", 0)
    if isinstance(given, bool) or not isinstance(given, int | Decimal) or given < 0:
        raise PromptError(f"line {line}: tolerance must be a number of at least 0")
    if given and judge is not JudgeType.NUMERIC:
        raise PromptError(f"line {line}: only the judge Numeric has a tolerance")
    return Decimal(given)


def _max_tokens(line: int, document: Mapping[str, Any]) -> int | None:
    given = document.get("maxTokens")
    if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
        raise PromptError(f"line {line}: maxTokens must be a whole number of at least 1")
    return given
