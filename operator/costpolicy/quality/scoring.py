"""Whether an answer is right, by comparing text.

Before texts are compared, what a model wrote up to its last ``</think>`` is dropped, characters are brought to one form
(Unicode NFKC), upper and lower case are made alike, and runs of white space become one space.  Punctuation counts.
"""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal, assert_never

from costpolicy.api.types import JudgeType

TextJudge = Literal[JudgeType.EXACT, JudgeType.CONTAINS, JudgeType.NUMERIC]

_REASONING_END: Final = "</think>"
_NUMBER: Final = re.compile(
    r"(?<![\w.])[-+\u2212]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:e[-+]?[0-9]{1,3})?", re.IGNORECASE
)
_EDGE: Final = re.compile(r"[a-z0-9]")


def is_right(judge: TextJudge, expected: Sequence[str], answer: str, tolerance: Decimal = Decimal(0)) -> bool:
    """Say whether an answer is one of those that are expected.

    Args:
        judge: Exact: the whole answer. Contains: somewhere in it, as words of its own. Numeric: the last number in
            it has that value.
        expected: any of these will do.
        answer: what the model wrote.
        tolerance: by how much a number may be off.
    """
    match judge:
        case JudgeType.EXACT:
            return normalized(answer) in {normalized(each) for each in expected}
        case JudgeType.CONTAINS:
            return any(_holds(normalized(answer), normalized(each)) for each in expected)
        case JudgeType.NUMERIC:
            return _equals(number_in(answer), expected, tolerance)
        case _:
            assert_never(judge)


def normalized(text: str) -> str:
    """Return what is compared of a text."""
    said = text.rpartition(_REASONING_END)[2]
    return " ".join(unicodedata.normalize("NFKC", said).casefold().split())


def number_in(text: str) -> Decimal | None:
    """Return the last number of a text: ``1,234.50``, ``-3``, ``6.02e23``; a currency or % beside it is ignored."""
    found = _NUMBER.findall(normalized(text))
    return Decimal(found[-1].replace(",", "").replace("\u2212", "-")) if found else None


def _holds(answer: str, expected: str) -> bool:
    """Say whether the text is in the answer and not a part of a longer word or number there."""
    before = r"(?<![a-z0-9])" if _EDGE.match(expected[0]) else ""
    after = r"(?![a-z0-9])" if _EDGE.match(expected[-1]) else ""
    return re.search(f"{before}{re.escape(expected)}{after}", answer) is not None


def _equals(value: Decimal | None, expected: Sequence[str], tolerance: Decimal) -> bool:
    wanted = [number for each in expected if (number := number_in(each)) is not None]
    return value is not None and any(abs(value - each) <= tolerance for each in wanted)
