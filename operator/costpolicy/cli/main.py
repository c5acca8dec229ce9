"""``costpolicy``, also ``kubectl costpolicy``: the tree of commands."""

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

import costpolicy
from costpolicy.cli.console import WRONG_INPUT, Console, InputError

COMMANDS: Final = (
    "plan",
    "render",
    "predict",
    "allocate",
    "scan",
    "init",
    "impact",
    "evaluate",
    "route",
    "prompts",
    "simulate",
    "top",
    "audit",
    "playbook",
    "explain",
    "report",
    "export",
)
"""Each is a module of this package with ``register(subparsers)`` and ``run(arguments, console) -> exit code``."""


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run one command and return its exit code."""
    streams = console or Console()
    parsed = parser().parse_args(arguments)
    run: Callable[[argparse.Namespace, Console], int] = import_module(f"costpolicy.cli.{parsed.command}").run
    try:
        return run(parsed, streams)
    except InputError as error:
        streams.note(f"costpolicy: {error}")
        return WRONG_INPUT
    except ValueError as error:
        from costpolicy.catalog.sources import CatalogError

        if not isinstance(error, CatalogError):
            raise
        streams.note(f"costpolicy: {error}; a data file of the package is broken: install costpolicy again")
        return WRONG_INPUT
    except BrokenPipeError:
        sys.stderr.close()
        return WRONG_INPUT


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    tree = argparse.ArgumentParser(
        prog="costpolicy",
        description="Plan and explain the cheapest vLLM deployment that keeps its latency promise.",
    )
    tree.add_argument("--version", action="version", version=f"costpolicy {costpolicy.__version__}")
    commands = tree.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        import_module(f"costpolicy.cli.{name}").register(commands)
    return tree


def program() -> int:
    """Run the command of a process of its own and return its exit code."""
    code = main()
    gc.freeze()  # or Python looks for cycles in all that the command has made before the process ends
    return code


if __name__ == "__main__":
    sys.exit(program())
