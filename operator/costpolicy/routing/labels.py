"""Labelled questions: a CSV file that says of each prompt whether the strong and the weak model were right."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

COLUMNS: Final = ("task", "prompt", "strong_correct", "weak_correct")
DATE: Final = "date"
"""A further column, which need not be there: the day on which a label was made."""
LONGEST: Final = 131_072
"""Characters of one cell: the limit of Python's CSV reader."""
_RIGHT: Final = {"1": True, "true": True, "0": False, "false": False}


class LabelError(ValueError):
    """The file is not labels; the message names the line and says what to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One question that both models were asked.

    Attributes:
        task: what it belongs to; scores never see it.
        strong: whether the strong model was right. weak: whether the weak one was.
        made: when that was found out, as far as it is known.
    """

    task: str
    prompt: str
    strong: bool
    weak: bool
    made: date | None = None

    @property
    def benefit(self) -> int:
        """What the strong model's answer adds: 1, 0, or -1 where only the weak model was right."""
        return self.strong - self.weak


def strong_score(labels: Sequence[Label]) -> Fraction:
    """Return the share of questions that the strong model answered rightly."""
    return Fraction(sum(label.strong for label in labels), len(labels))


def weak_score(labels: Sequence[Label]) -> Fraction:
    """Return the same of the weak model."""
    return Fraction(sum(label.weak for label in labels), len(labels))


def parse_labels(text: str) -> tuple[Label, ...]:
    """Read labels; further columns are ignored.

    Raises:
        LabelError: a column is missing, a line cannot be read, or there is no question.
    """
    reader = csv.DictReader(text.removeprefix("\ufeff").splitlines(keepends=True), strict=True)
    try:
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise LabelError(f"the first line must name the columns {','.join(COLUMNS)}: {missing[0]} is missing")
        labels = tuple(_label(reader.line_num, row) for row in reader)
    except csv.Error as error:
        raise LabelError(
            f"line {reader.line_num + 1}: {error}: write CSV with quotes around prompts of several lines, "
            f"each of at most {LONGEST:,} characters"
        ) from error
    if not labels:
        raise LabelError("there is no question below the first line")
    return labels


def gathered(labels: Sequence[Label]) -> date | None:
    """Return the day by which half of the labels were made; ``None``: of none that is known."""
    days = sorted(label.made for label in labels if label.made is not None)
    return days[(len(days) - 1) // 2] if days else None


def _label(line: int, row: dict[str, str | None]) -> Label:
    prompt = row["prompt"]
    if not prompt or not prompt.strip():
        raise LabelError(f"line {line}: the prompt is empty")
    return Label(
        task=row["task"] or "",
        prompt=prompt,
        strong=_is_right(line, "strong_correct", row["strong_correct"]),
        weak=_is_right(line, "weak_correct", row["weak_correct"]),
        made=_day(line, row.get(DATE)),
    )


def _day(line: int, given: str | None) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError as error:
        raise LabelError(f"line {line}: {DATE} is {given!r}: write a date such as 2026-11-29, or nothing") from error


def _is_right(line: int, column: str, given: str | None) -> bool:
    right = _RIGHT.get((given or "").strip().lower())
    if right is None:
        raise LabelError(
            f"line {line}: {column} is {given!r}: write 1 where the model was right and 0 where it was not"
        )
    return right
