"""The reference of the command line, made from its parser.

Not argparse's own help text: that looks different from one Python version to the next.
"""

import argparse
from collections.abc import Iterator

from costpolicy.cli.main import parser

HEAD = """\
# Command line

<!-- Made by docs/generators/cli.py; do not edit. -->

The command is `costpolicy`; as a kubectl plugin it is `kubectl costpolicy`.
Exit code 0 is done, 1 is "the answer is no", 2 is wrong input.
With `-o json`, standard output carries only the answer.
Money is a decimal string; times (seconds), ratios and rates are numbers.
"""


def page() -> str:
    """Return the page as Markdown."""
    return HEAD + "".join(_section(name, command, text) for name, command, text in _commands())


def _commands() -> list[tuple[str, argparse.ArgumentParser, str]]:
    return list(_below("", parser()))


def _below(prefix: str, tree: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Yield the commands of a tree; of one that has commands of its own, those."""
    for item in _actions(tree):
        if isinstance(item, argparse._SubParsersAction):  # noqa: SLF001
            texts = {choice.dest: choice.help or "" for choice in item._choices_actions}  # noqa: SLF001 - as above
            for name, command in item.choices.items():
                whole = f"{prefix}{name}"
                nested = list(_below(f"{whole} ", command))
                yield from nested or [(whole, command, texts[name])]


def _actions(command: argparse.ArgumentParser) -> list[argparse.Action]:
    return command._actions  # noqa: SLF001 - argparse has no public list of its options


def _section(name: str, command: argparse.ArgumentParser, text: str) -> str:
    rows = [_row(action) for action in _actions(command) if action.dest != "help"]
    return f"\n## costpolicy {name}\n\n{_sentence(text)}\n\n| Option | What it does |\n|---|---|\n{''.join(rows)}"


def _row(action: argparse.Action) -> str:
    names = ", ".join(f"`{name}`" for name in action.option_strings or (str(action.metavar),))
    value = (
        "" if not action.option_strings else action.metavar or ("\\|".join(action.choices) if action.choices else "")
    )
    given = "" if action.default in (None, False) or "default" in str(action.help) else f" Default: `{action.default}`."
    needed = " Required." if action.required else ""
    return f"| {names}{f' {value}' if value else ''} | {_sentence(str(action.help))}{needed}{given} |\n"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
