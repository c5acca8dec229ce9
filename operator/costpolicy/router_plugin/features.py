"""What a prompt looks like, as numbers: one pass of a regular expression and a dictionary, a fraction of a millisecond.

Only form and everyday words count: lengths, capitals, numbers, punctuation, words of logic, comparison, quantity, command.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from typing import Final

LOOKED_AT: Final = 2048
"""Characters that are looked at, half from each end: what a score costs does not grow with the prompt.

Counts are extrapolated to the whole length, which is known for nothing.
"""

_TOKEN: Final = re.compile(r"[^\W\d_]+(?:'[a-z]+)?|\d+(?:[.,]\d+)*|_+|[^\w\s]")
_LONG: Final = 8
_BIG: Final = 4
_PUNCTUATION: Final = "._,?:;()[]{}\"'-+*/=<>^%$\\|&#@!~`"
_CLASSES: Final[Mapping[str, str]] = {
    "negation": "no not never none neither nor cannot without except least false incorrect unlikely isn't aren't wasn't "
    "don't doesn't didn't won't can't couldn't shouldn't",
    "logic": "if then because therefore thus hence unless whether implies either both only all some any every must "
    "follows since although however while whereas",
    "question": "what which who whom whose when where why how",
    "comparison": "more less most least than greater fewer larger smaller higher lower best worst highest lowest twice "
    "double triple half times same different compared",
    "quantity": "total each per every sum average difference remaining left number amount many much altogether percent "
    "percentage ratio fraction rate third quarter",
    "unit": "dollars dollar cents cost price pay hours hour minutes minute seconds days day weeks week months month "
    "years year miles feet inches meters km kg grams pounds gallons liters degrees mph",
    "pronoun": "he she his her they their them it its him you your we our i my me",
    "modal": "would could should may might can will shall must",
    "mathematics": "function matrix equation integer polynomial prime graph group ring field theorem vector probability "
    "variable limit derivative integral finite infinite linear set element square root angle triangle proof",
    "command": "explain describe write create list compare analyze summarize translate implement prove design evaluate "
    "calculate find determine solve show compute identify choose give define",
    "code": "def return import class print var let const function select from where null true int string",
    "article": "the a an",
    "preposition": "of in on at by for with to from into over under between during after before",
    "conjunction": "and or but",
    "being": "is are was were be been being am",
}
_SHAPE: Final = (
    "characters", "words", "capitals", "numbers", "long words", "different words", "share of different words",
    "length of words", "share of capitals", "share of numbers", "share of long words", "fractions", "big numbers",
    "acronyms", "single letters", "longest number", "other signs", "lines", "longest line", "first line", "last line",
    "share of signs",
)  # fmt: skip
FEATURES: Final = (
    *_SHAPE,
    *_CLASSES,
    *(f"share of {name}" for name in _CLASSES),
    *(f"sign {sign}" for sign in _PUNCTUATION),
)
"""Names of the numbers, in their order."""


def _classes_by_word() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for index, words in enumerate(_CLASSES.values()):
        for word in words.split():
            found[word] = (*found.get(word, ()), index)
    return found


_CLASSES_OF: Final = _classes_by_word()
_SIGNS: Final = {sign: index for index, sign in enumerate(_PUNCTUATION)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What was seen of a prompt.

    Attributes:
        values: one number for each of :data:`FEATURES`.
        words: its words in lower case, each number as ``0``, as far as they were looked at.
    """

    values: Sequence[float]
    words: Sequence[str]


def look(text: str) -> Prompt:
    """Return what a prompt looks like.  Any text will do, the empty one too."""
    seen = text if len(text) <= LOOKED_AT else f"{text[: LOOKED_AT // 2]}\n{text[-LOOKED_AT // 2 :]}"
    words: list[str] = []
    names: list[str] = []
    numbers: list[str] = []
    signs = [0] * len(_SIGNS)
    other = 0
    for token in _TOKEN.findall(seen):
        first = token[0]
        if first.isalpha():
            names.append(token)
            words.append(token.lower())
        elif first.isdigit():
            numbers.append(token)
            words.append("0")
        elif (sign := _SIGNS.get(first)) is not None:
            signs[sign] += 1
        else:
            other += 1
    grown = len(text) / len(seen) if seen else 1.0
    classes = _count_classes(words)
    count = len(words) or 1
    values = [
        *_shape(text, names, numbers, len(set(words)), grown),
        log1p(other),
        *_lines(text, seen),
        (sum(signs) + other) / count,
        *(log1p(number * grown) for number in classes),
        *(number / count for number in classes),
        *(log1p(number * grown) for number in signs),
    ]
    return Prompt(values=values, words=words)


def _shape(text: str, names: list[str], numbers: list[str], different: int, grown: float) -> list[float]:
    count = len(names) + len(numbers)
    capitals = [name for name in names if name[0].isupper()]
    long = sum(len(name) >= _LONG for name in names)
    return [
        log1p(len(text)),
        log1p(count * grown),
        log1p(len(capitals) * grown),
        log1p(len(numbers) * grown),
        log1p(long * grown),
        log1p(different),
        different / (count or 1),
        sum(map(len, names)) / (count or 1),
        len(capitals) / (count or 1),
        len(numbers) / (count or 1),
        long / (count or 1),
        log1p(sum(not number.isdigit() for number in numbers)),
        log1p(sum(len(number) >= _BIG for number in numbers)),
        log1p(sum(len(name) > 1 and name.isupper() for name in capitals)),
        log1p(sum(len(name) == 1 for name in names)),
        float(max(map(len, numbers), default=0)),
    ]


def _lines(text: str, seen: str) -> list[float]:
    lengths = [len(line) for line in seen.split("\n")]
    return [log1p(text.count("\n") + 1), log1p(max(lengths)), log1p(lengths[0]), log1p(lengths[-1])]


def _count_classes(words: list[str]) -> list[int]:
    found = [0] * len(_CLASSES)
    for word in words:
        for index in _CLASSES_OF.get(word, ()):
            found[index] += 1
    return found
