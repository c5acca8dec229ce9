"""How complex a prompt is, between 0 and 1, from coefficients that are a JSON document.

A score is a sum of parts, each brought to mean 0 and deviation 1, then told as a share: 0.3 means that 30 % of the
prompts it was calibrated on are simpler.  So a threshold of ``0.3`` sends about 30 % of unchanged traffic below it, and
traffic whose scores are not spread evenly is not the traffic of the calibration.
"""

import json
from base64 import b64decode
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from struct import unpack
from typing import Any, Final, Self
from zlib import crc32

from .features import FEATURES, Prompt, look

VERSION: Final = 1
"""Of the document: coefficients for other features are refused, not misread."""
LARGEST: Final = 4.0
"""Deviations from the mean beyond which a feature says nothing more."""

_CHARACTERS: Final = FEATURES.index("characters")
_CAPITALS: Final = FEATURES.index("capitals")

Part = Callable[[Prompt], float]


class CoefficientError(ValueError):
    """The document is not coefficients of a score; the message says why."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """A score that is ready to be asked.

    Attributes:
        parts: each with its weight, mean and deviation.
        knots: the sum of parts at evenly spaced shares of prompts, from the simplest to the most complex.
    """

    parts: Sequence[tuple[Part, float, float, float]]
    knots: Sequence[float]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read coefficients.

        Raises:
            CoefficientError: the text is not coefficients, or those of another version.
        """
        try:
            document = json.loads(text)
            return cls([_part(part) for part in _parts(document)], _knots(document))
        except CoefficientError:
            raise
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise CoefficientError(f"not the coefficients of a score: {type(error).__name__}: {error}") from error

    def score(self, text: str) -> float:
        """Return how complex a prompt is: the share of calibrated prompts that are simpler, 0 to 1."""
        return self.share(self.raw(look(text)))

    def raw(self, prompt: Prompt) -> float:
        """Return the sum of the parts, which is any number."""
        return sum(weight * (part(prompt) - mean) / deviation for part, weight, mean, deviation in self.parts)

    def share(self, raw: float) -> float:
        """Return the share of calibrated prompts that lie below a sum of parts."""
        last = len(self.knots) - 1
        above = bisect_right(self.knots, raw)
        if above == 0:
            return 0.0
        if above > last:
            return 1.0
        low, high = self.knots[above - 1], self.knots[above]
        return (above - 1 + (raw - low) / (high - low)) / last


def capitals(prompt: Prompt) -> float:
    """Return ln(1 + capitalised words)."""
    return prompt.values[_CAPITALS]


def length(prompt: Prompt) -> float:
    """Return ln(1 + characters)."""
    return prompt.values[_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Linear:
    """A weighted sum of standardised features."""

    means: Sequence[float]
    deviations: Sequence[float]
    weights: Sequence[float]

    def __call__(self, prompt: Prompt) -> float:
        """Return the sum."""
        terms = zip(prompt.values, self.means, self.deviations, self.weights, strict=True)
        return sum(
            max(-LARGEST, min(LARGEST, (value - mean) / deviation)) * weight for value, mean, deviation, weight in terms
        )


@dataclass(frozen=True, slots=True)
class Ngrams:
    """A weighted sum of words and pairs of words, by the bucket of their hash.

    The document holds weights of buckets, so nobody can read in it what was asked.
    """

    weights: Sequence[float]

    def __call__(self, prompt: Prompt) -> float:
        """Return the sum."""
        counts = buckets(prompt.words, len(self.weights))
        total = norm = 0.0
        for bucket, count in counts.items():
            value = 1.0 + log(count)
            total += value * self.weights[bucket]
            norm += value * value
        return total / sqrt(norm) if norm else 0.0


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of decision trees; node n's children are 2n + 1 and 2n + 2, and leaves follow the nodes."""

    trees: Sequence[tuple[Sequence[int], Sequence[float], Sequence[float]]]

    def __call__(self, prompt: Prompt) -> float:
        """Return the sum."""
        values = prompt.values
        total = 0.0
        for features, cuts, leaves in self.trees:
            nodes = len(features)
            node = 0
            while node < nodes:
                node = 2 * node + (2 if values[features[node]] > cuts[node] else 1)
            total += leaves[node - nodes]
        return total


def buckets(words: Sequence[str], size: int) -> dict[int, int]:
    """Return how often words and pairs of neighbours fall into each bucket; ``size`` is a power of two."""
    counts: dict[int, int] = {}
    previous = ""
    for word in words:
        for gram in (word, f"{previous} {word}") if previous else (word,):
            bucket = crc32(gram.encode(errors="surrogatepass")) & (size - 1)
            counts[bucket] = counts.get(bucket, 0) + 1
        previous = word
    return counts


def _parts(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    if document["version"] != VERSION or document["features"] != len(FEATURES):
        raise CoefficientError("these are coefficients of another version: calibrate again")
    parts: Sequence[Mapping[str, Any]] = document["parts"]
    return parts


def _knots(document: Mapping[str, Any]) -> Sequence[float]:
    knots = [float(knot) for knot in document["knots"]]
    if len(knots) < 2 or knots != sorted(knots):
        raise CoefficientError("knots must be two or more numbers that do not fall")
    return knots


def _part(part: Mapping[str, Any]) -> tuple[Part, float, float, float]:
    weight, mean, deviation = (float(part[name]) for name in ("weight", "mean", "deviation"))
    if deviation <= 0:
        raise CoefficientError("a deviation must be more than 0")
    return part_of(part), weight, mean, deviation


def part_of(part: Mapping[str, Any]) -> Part:
    """Return what computes a part that stands in coefficients.

    Raises:
        CoefficientError: its kind is unknown, or its numbers are not as many as they should be.
    """
    match part["kind"]:
        case "Capitals":
            return capitals
        case "Length":
            return length
        case "Linear":
            columns = [_numbers(part[name], len(FEATURES)) for name in ("means", "deviations", "weights")]
            return Linear(*columns)
        case "Ngrams":
            packed = b64decode(part["buckets"], validate=True)
            scale = float(part["scale"])
            return Ngrams([scale * number for number in unpack(f"<{len(packed) // 2}h", packed)])
        case "Trees":
            return Trees([_tree(tree) for tree in part["trees"]])
        case other:
            raise CoefficientError(f"a part of the unknown kind {other!r}")


def _tree(tree: Mapping[str, Any]) -> tuple[list[int], list[float], list[float]]:
    features = [int(one) for one in tree["features"]]
    if not all(0 <= one < len(FEATURES) for one in features):
        raise CoefficientError("a tree asks for a feature that there is not")
    nodes = len(features)
    return features, _numbers(tree["cuts"], nodes), _numbers(tree["leaves"], nodes + 1)


def _numbers(given: Iterable[Any], count: int) -> list[float]:
    numbers = [float(one) for one in given]
    if len(numbers) != count:
        raise CoefficientError(f"{len(numbers)} numbers where there must be {count}")
    return numbers
