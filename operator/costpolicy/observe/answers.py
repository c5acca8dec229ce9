"""What is known of answers beside their mean length."""

from enum import StrEnum
from typing import Final

LONG: Final = 0.99
"""The quantile of answers that a cap should leave whole."""


class AnswerFigure(StrEnum):
    """What rides in the question about answers, as the label ``figure``; the mean length has none."""

    LIMIT = "limit"
    """Mean limit in force, in tokens: after filling in and clamping, not what clients asked."""
    LONG = "long"
    """Tokens that nearly all answers keep below."""
    ABANDONED = "abandoned"
    """Share of generated tokens that are in no finished request."""
