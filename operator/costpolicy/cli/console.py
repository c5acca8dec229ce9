"""Where a command reads and writes: arguments' files, standard output, standard error."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO, TypeVar

_Item = TypeVar("_Item")

DONE: Final = 0
NO: Final = 1
WRONG_INPUT: Final = 2


class InputError(Exception):
    """The user's input is wrong; the message says what to do.  The command exits with 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Streams of one run of a command."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    stdin: TextIO = field(default_factory=lambda: sys.stdin)

    def print(self, text: str) -> None:
        """Write a line of the answer."""
        self.out.write(f"{text}\n")

    def note(self, text: str) -> None:
        """Write a line that is not part of the answer."""
        self.err.write(f"{text}\n")

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show on a terminal that something takes its time; elsewhere nothing is written."""
        if not self.err.isatty():
            yield
            return
        from rich.console import Console as Terminal

        with Terminal(file=self.err).status(f"{what} ..."):
            yield

    def steps(self, what: str, items: Sequence[_Item]) -> Iterator[_Item]:
        """Yield items, with a bar on a terminal while there are more to come; elsewhere nothing is written."""
        from rich.console import Console as Terminal
        from rich.progress import track

        yield from track(items, what, console=Terminal(file=self.err), disable=not self.err.isatty(), transient=True)

    def dump(self, answer: Any, form: str) -> None:  # noqa: ANN401 - any JSON value
        """Write an answer as JSON or YAML."""
        if form == "json":
            self.print(json.dumps(answer, indent=2, ensure_ascii=False))
            return
        import yaml

        self.out.write(yaml.safe_dump(answer, sort_keys=False, allow_unicode=True))

    def read(self, path: str) -> str:
        """Return the text of a file, or of standard input for ``-``.

        Raises:
            InputError: it cannot be read as UTF-8 text.
        """
        if path == "-":
            return self.stdin.read()
        try:
            return Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not UTF-8 text") from error
