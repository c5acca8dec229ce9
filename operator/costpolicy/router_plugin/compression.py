"""Long answers and results of tools, shortened to their sentences that matter: extractive, so nothing is made up.

What becomes of a message depends on itself and on what stands before it alone, never on what comes later.  So a
conversation that goes on keeps its compressed beginning, and with it the engine's prefix cache.  Messages of the system
and of users are left as they are.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any, Final

VERSION: Final = 1
"""Of what becomes of a message: another one is another compression, of which nothing is proven yet."""
COMPRESSED: Final = frozenset({"assistant", "tool", "function"})
LEFT_OUT: Final = "[...]"
_SENTENCE: Final = re.compile(r".+?(?:\n+|(?<=[.!?])[ \t]+|$)", re.DOTALL)
_WORD: Final = re.compile(r"\w+")
# BM25's usual constants: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009.
_SATURATION: Final = 1.2
_BY_LENGTH: Final = 0.75
_OF_QUESTION: Final = 3.0
"""How much more a word of the question counts than one of the message itself."""

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a route allows.

    Attributes:
        minimum: characters of a message from which it is shortened.
        ratio: share of its characters to keep, more than 0 and at most 1.
    """

    minimum: int
    ratio: float

    @property
    def settings(self) -> str:
        """What tells this compression from others: a proof is of one alone."""
        return f"{VERSION}-{self.minimum}-{self.ratio:g}"


def compress(messages: Sequence[Message], limits: Limits) -> Sequence[Message]:
    """Return the messages with long ones shortened; as they are if anything about them is not as expected."""
    try:
        return shortened(messages, limits)
    except Exception:  # noqa: BLE001 - a request is answered uncompressed rather than not at all
        return messages


def has_long(messages: Sequence[Message], limits: Limits) -> bool:
    """Return whether a message is long enough to be shortened."""
    return any(_is_long(message, limits) for message in messages)


def shorten(text: str, question: str, ratio: float) -> str:
    """Return the sentences that matter most, in their order, within a share of the characters.

    The first and the last one always stay. Each run that is left out becomes a mark, so the model knows of the gap.
    """
    sentences = _SENTENCE.findall(text)
    if len(sentences) <= 2:
        return text
    weights = _relevance(sentences, question)
    kept = {0, len(sentences) - 1}
    room = ratio * len(text) - sum(len(sentences[index]) for index in kept)
    for index in sorted(range(len(sentences)), key=lambda index: (-weights[index], index)):
        if index not in kept and len(sentences[index]) <= room:
            kept.add(index)
            room -= len(sentences[index])
    found: list[str] = []
    for index, sentence in enumerate(sentences):
        if index in kept:
            found.append(sentence)
        elif index - 1 in kept:
            found.append(f"{LEFT_OUT}\n")
    shortened = "".join(found)
    return shortened if len(shortened) < len(text) else text


def shortened(messages: Sequence[Message], limits: Limits) -> list[Message]:
    """Return the messages with long ones shortened.

    Raises:
        LookupError, AttributeError, TypeError: these are not messages.
    """
    question = ""
    found: list[Message] = []
    for message in messages:
        content = message.get("content")
        if isinstance(content, str) and _is_long(message, limits):
            found.append({**message, "content": shorten(content, question, limits.ratio)})
            continue
        found.append(message)
        if message["role"] == "user" and isinstance(content, str):
            question = content
    return found


def _is_long(message: Message, limits: Limits) -> bool:
    content = message.get("content")
    return message["role"] in COMPRESSED and isinstance(content, str) and len(content) >= limits.minimum


def _relevance(sentences: Sequence[str], question: str) -> list[float]:
    """Return BM25 of each sentence for the question's words, and less so for what the whole message speaks of."""
    bags = [Counter(_WORD.findall(sentence.lower())) for sentence in sentences]
    holding = Counter(word for bag in bags for word in bag)
    asked = set(_WORD.findall(question.lower()))
    mean = sum(bag.total() for bag in bags) / len(bags) or 1.0
    return [
        sum(
            (_OF_QUESTION if word in asked else 1.0 / (bag.total() or 1))
            * log(1 + (len(bags) - holding[word] + 0.5) / (holding[word] + 0.5))
            * count
            * (_SATURATION + 1)
            / (count + _SATURATION * (1 - _BY_LENGTH + _BY_LENGTH * bag.total() / mean))
            for word, count in bag.items()
        )
        for bag in bags
    ]
