"""What is said twice: inside one prompt, and by requests that ask almost the same."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final
from zlib import crc32

from costpolicy.routing.prompts.samples import Request, Section
from costpolicy.routing.prompts.tokens import Counter

FEWEST_WORDS: Final = 6
"""Of a segment that counts as repeated; shorter ones return in any text."""
SIMILAR: Final = Fraction(4, 5)
"""Share of common triples of words from which two requests count as nearly the same."""
_SHINGLE: Final = 3
_SKETCH: Final = 8
"""Smallest hashes by which candidates are found: at four fifths in common hardly a pair shares none of them."""
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Requests that an answer cache could have answered.

    Attributes:
        same: requests whose whole prompt was asked before, but for white space and capitals.
        similar: further ones, of which one asked before was nearly the same, in the question and as a whole: what all
            prompts of a feature share makes none of them alike.
    """

    same: int
    similar: int


def repeated_tokens(request: Request, counter: Counter) -> int:
    """Return the tokens of segments that stood in the same prompt before."""
    seen: set[str] = set()
    total = 0
    for segment in request.segments:
        words = _words(segment.text)
        if len(words) < FEWEST_WORDS:
            continue
        key = " ".join(words)
        total += counter.count([segment]) if key in seen else 0
        seen.add(key)
    return total


def most_repeated(requests: Sequence[Request]) -> str:
    """Return the text that most prompts hold more than once; empty if none does."""
    found: dict[str, int] = defaultdict(int)
    for request in requests:
        seen: set[str] = set()
        for segment in request.segments:
            text = segment.text.strip()
            if len(_words(text)) >= FEWEST_WORDS:
                found[text] += text in seen
                seen.add(text)
    best = max(found, key=lambda text: (found[text], text), default="")
    return best if best and found[best] else ""


def duplicates(requests: Sequence[Request]) -> Duplicates:
    """Count requests that repeat an earlier one of the same feature and model."""
    asked: set[tuple[str, str, str]] = set()
    sketches: dict[int, list[int]] = defaultdict(list)
    shingles: list[tuple[frozenset[int], frozenset[int]]] = []
    same = similar = 0
    for request in requests:
        words = _words(request.text())
        key = (request.feature, request.model, " ".join(words))
        if key in asked:
            same += 1
            continue
        asked.add(key)
        kind = f"{request.feature} {request.model}"
        mine = (_shingles(kind, words), _shingles(kind, _words(request.text(Section.QUESTION))))
        sketch = sorted(mine[0])[:_SKETCH]
        candidates = {one for part in sketch for one in sketches[part]}
        similar += any(all(map(_is_similar, mine, shingles[other])) for other in candidates)
        for part in sketch:
            sketches[part].append(len(shingles))
        shingles.append(mine)
    return Duplicates(same=same, similar=similar)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _shingles(kind: str, words: Sequence[str]) -> frozenset[int]:
    triples = (words[start : start + _SHINGLE] for start in range(max(1, len(words) - _SHINGLE + 1)))
    return frozenset(crc32(" ".join([kind, *triple]).encode(errors="surrogatepass")) for triple in triples)


def _is_similar(one: frozenset[int], other: frozenset[int]) -> bool:
    common = len(one & other)
    return common >= SIMILAR * (len(one) + len(other) - common)
