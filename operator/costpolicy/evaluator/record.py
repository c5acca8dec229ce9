"""What was answered so far, kept in a file so that an interrupted evaluation goes on where it was.

One JSON document a line: what is evaluated, then a pair of answers a line, texts included.
"""

from pathlib import Path
from typing import Self

from pydantic import ValidationError

from costpolicy.api.model import ApiModel
from costpolicy.api.types import JudgeType


class Subject(ApiModel):
    """What a record is of: answers of another subject cannot be added to it."""

    prompts_digest: str
    judge: JudgeType
    max_tokens: int
    baseline: str
    """Address of the baseline."""
    canary: str
    """Address of the canary."""


class GradedAnswer(ApiModel):
    """One answer and what it is worth."""

    text: str
    right: bool
    graded: bool = True
    """A judging model may say neither yes nor no; such an answer counts as wrong."""
    refused: bool = False
    truncated: bool = False
    prompt_tokens: int = 0
    output_tokens: int = 0


class Pair(ApiModel):
    """The answers to one prompt."""

    key: str
    """The prompt's :attr:`costpolicy.quality.prompts.Prompt.key`."""
    line: int
    baseline: GradedAnswer
    canary: GradedAnswer


class RecordError(ValueError):
    """The file is not a record of this evaluation; the message says what to do."""


class Record:
    """Pairs of answers in memory and, where there is one, in a file."""

    def __init__(self, pairs: tuple[Pair, ...] = (), path: Path | None = None) -> None:
        self._pairs = list(pairs)
        self._path = path

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All pairs of answers so far."""
        return tuple(self._pairs)

    @classmethod
    def open(cls, path: Path, subject: Subject) -> Self:
        """Go on with a record, or begin one.  A line that a killed process left unfinished is dropped.

        Raises:
            RecordError: the file holds something else, or another subject.
            OSError: it cannot be read or written.
        """
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        whole = written[: written.rfind("\n") + 1]
        first, *rest = whole.splitlines() or [""]
        if not first:
            path.write_text(subject.model_dump_json(by_alias=True) + "\n", encoding="utf-8")
            return cls((), path)
        try:
            same = Subject.model_validate_json(first) == subject
            pairs = tuple(Pair.model_validate_json(line) for line in rest)
        except ValidationError as error:
            raise RecordError(f"{path} is not a record of an evaluation: {error.errors()[0]['msg']}") from None
        if not same:
            raise RecordError(
                f"{path} is the record of other prompts, addresses or settings: remove it, or name another file"
            )
        if whole != written:
            path.write_text(whole, encoding="utf-8")
        return cls(pairs, path)

    def add(self, pair: Pair) -> None:
        """Keep a pair.

        Raises:
            OSError: the file cannot be written.
        """
        self._pairs.append(pair)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(pair.model_dump_json(by_alias=True) + "\n")
