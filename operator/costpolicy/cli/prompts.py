"""``costpolicy prompts``: what prompts spend."""

import argparse
from importlib import import_module

from costpolicy.cli.console import Console

COMMANDS = ("analyze",)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the tree."""
    parser = subparsers.add_parser(
        "prompts", help="what prompts spend and what would cost less", description="Analyze sampled requests."
    )
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name in COMMANDS:
        import_module(f"costpolicy.cli.prompts_{name}").register(commands)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run one of the commands."""
    code: int = import_module(f"costpolicy.cli.prompts_{arguments.action}").run(arguments, console)
    return code
