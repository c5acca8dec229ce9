"""vLLM's real argument parser, in a process of the engine's environment: starting it takes seconds, a list
then a millisecond.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.environment import engine_env
from engine.server import ENVIRONMENT

_PROCESS = Path(__file__).parent / "inside" / "parser_process.py"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The engine would start with these arguments; `values` are the plain ones by destination
    (`max_num_seqs`).
    """

    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine would end with code 2 (argparse) or 1 and this message."""

    message: str


class ArgumentParser:
    """The parser's process. Use :func:`argument_parser`, which ends it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def parse(self, arguments: Sequence[str]) -> Accepted | Refused:
        """Parse what follows `vllm serve` (the model first)."""
        answer = self._ask(list(arguments))
        return Refused(answer["refused"]) if "refused" in answer else Accepted(answer["accepted"])

    def describe(self) -> list[dict[str, Any]]:
        """Every argument: flags, dest, action, type, nargs, choices, default."""
        rows: list[dict[str, Any]] = self._ask("describe")
        return rows

    def _ask(self, question: object) -> Any:
        questions, answers = self._process.stdin, self._process.stdout
        if questions is None or answers is None:
            raise RuntimeError("the parser's process was started without pipes")
        questions.write(json.dumps(question) + "\n")
        questions.flush()
        line = answers.readline()
        if not line:
            raise RuntimeError(f"the parser's process ended with code {self._process.wait()}")
        return json.loads(line)


@contextmanager
def argument_parser() -> Iterator[ArgumentParser]:
    """Start the parser's process; it ends with the block."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | ENVIRONMENT
    command = [str(engine_env() / "bin" / "python"), str(_PROCESS)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            yield ArgumentParser(process)
        finally:
            process.kill()


def parse(argument_lists: Sequence[Sequence[str]]) -> list[Accepted | Refused]:
    """Parse many lists in one process, in their order."""
    with argument_parser() as parser:
        return [parser.parse(arguments) for arguments in argument_lists]
