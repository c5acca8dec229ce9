"""A file of labels that grows: the columns of :mod:`costpolicy.routing.labels`, and when and of which request a label is."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final, Self

from costpolicy.routing.labels import COLUMNS, DATE, Label, LabelError

KEY: Final = "key"
_COLUMNS: Final = (*COLUMNS, DATE, KEY)
_Row = Mapping[str, str]


class LabelsFile:
    """Labels in a file.  One process writes to it at a time, one label after another."""

    def __init__(self, path: Path, rows: Iterable[_Row]) -> None:
        self._path = path
        self._days: Counter[str] = Counter()
        self._keys: set[str] = set()
        for row in rows:
            self._note(row)

    @classmethod
    def open(cls, path: Path, oldest: date, settings: str = "") -> Self:
        """Go on with a file, or begin one.  Labels from before ``oldest`` and a line that was cut short are dropped.

        Args:
            path: of the file.
            oldest: the first day that counts.
            settings: of the compression that its labels are of; empty: they are of a cheaper tier.

        Raises:
            LabelError: it is something else, or labels of something else.
            OSError: it cannot be read or written.
        """
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        kept = [row for row in _rows(path, written) if row[DATE] >= oldest.isoformat()]
        other = {row[KEY].rpartition(":")[0] for row in kept} - {settings}
        if other:
            raise LabelError(f"{path} holds labels of something else ({_told(min(other))}): name another file")
        text = _csv([dict(zip(_COLUMNS, _COLUMNS, strict=True)), *kept])
        if text != written:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}")
            beside.write_text(text, encoding="utf-8", newline="")
            beside.replace(path)
        return cls(path, kept)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def made_on(self, day: date) -> int:
        """Return how many labels were made on a day."""
        return self._days[day.isoformat()]

    def add(self, label: Label, key: str, day: date) -> None:
        """Keep the label that was made of a request on a day.

        Raises:
            OSError: the file cannot be written.
        """
        cells = (label.task, label.prompt, str(int(label.strong)), str(int(label.weak)), day.isoformat(), key)
        row = dict(zip(_COLUMNS, cells, strict=True))
        with self._path.open("a", encoding="utf-8", newline="") as file:
            file.write(_csv([row]))
        self._note(row)

    def _note(self, row: _Row) -> None:
        self._keys.add(row[KEY])
        self._days[row[DATE]] += 1


def _told(settings: str) -> str:
    return f"compression {settings}" if settings else "a cheaper tier"


def _rows(path: Path, text: str) -> list[dict[str, str]]:
    """Return whole rows.

    Raises:
        LabelError: the first line does not name the columns.
    """
    if not text:
        return []
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise LabelError(f"{path} was not made here: its first line is not {','.join(_COLUMNS)}; name another file")
        return [
            row for row in reader if all(isinstance(row.get(column), str) and row[column] for column in (DATE, KEY))
        ]
    except csv.Error as error:
        raise LabelError(f"{path}: {error}") from error


def _csv(rows: Iterable[_Row]) -> str:
    stream = io.StringIO(newline="")
    csv.DictWriter(stream, _COLUMNS, lineterminator="\n").writerows(rows)
    return stream.getvalue()
