"""The README is true: its targets, commands and files exist, and what `costpolicy` is shown to print is what it prints.

Not covered: what needs a cluster (the demo shows that).
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages import BLOCKS, command_lines

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def shown_sessions() -> Iterator[tuple[str, list[str]]]:
    """Each prompted `costpolicy` command with the lines that are shown below it."""
    for block in BLOCKS.findall(README.read_text()):
        for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = session.rstrip().splitlines()
            if command.startswith("costpolicy ") and shown:
                yield command, shown


def of(program: str) -> list[list[str]]:
    return [words for words in command_lines(README.read_text()) if words[0].rpartition("/")[2] == program]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_shows_the_two_commands_that_set_everything_up():
    shown = {target for words in of("make") for target in words[1:]}

    assert {"demo", "test"} <= shown


def test_every_make_target_exists():
    shown = {target for words in of("make") for target in words[1:] if "=" not in target and not target.startswith("-")}

    assert set() == shown - make_targets()


def test_every_command_exists_with_its_options():
    for words in of("costpolicy"):
        command = [sys.executable, "-m", "costpolicy.cli.main", words[1], "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        options = [word for word in words[2:] if word.startswith("-")]
        assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr}"
        assert [] == [option for option in options if option.partition("=")[0] not in done.stdout], shlex.join(words)


@pytest.mark.parametrize(("command", "shown"), list(shown_sessions()), ids=lambda value: str(value)[:40])
def test_shown_output_is_what_is_printed(command: str, shown: list[str]):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert [line.rstrip() for line in shown] == [line.rstrip() for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize("program", ["kubectl", "costpolicy", "helm"])
def test_every_file_that_is_named_exists(program: str):
    paths = [word for words in of(program) for word in words if re.match(r"(examples|charts|crds)/", word)]

    assert [] == [path for path in paths if not (ROOT / path).exists()]


def test_is_short():
    assert len(README.read_text().splitlines()) <= 150
