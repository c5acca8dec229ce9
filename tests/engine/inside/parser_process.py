"""Runs under the engine's own Python: vLLM's real `vllm serve` argument parser, answering one JSON line for
one JSON line.

In: a list of arguments after `vllm serve`, or the word "describe". Out: `{"accepted": {destination: value}}`
or `{"refused": message}`; for "describe" a list of every argument with its flags, type, choices and default.
"""

import argparse
import importlib
import json
import os
import sys
from typing import Any, NoReturn

from release_description import describe, plain  # type: ignore[import-not-found] # beside this file when it runs


class _RefusedError(Exception):
    """What argparse would have printed before it exits with code 2."""


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # vLLM logs to standard output while it is imported
    sys.argv = ["vllm", "serve"]
    parser, serve = _parsers()
    for line in sys.stdin:
        question = json.loads(line)
        answer = describe(serve) if question == "describe" else _parse(parser, question)
        answers.write(json.dumps(answer, default=repr) + "\n")
        answers.flush()


def _parsers() -> tuple[Any, Any]:
    """The command's parser and the one of its `serve` subcommand, put together as vLLM's own entry point
    does.
    """
    command = importlib.import_module("vllm.entrypoints.cli.serve").ServeSubcommand()
    kind = importlib.import_module("vllm.utils.argparse_utils").FlexibleArgumentParser

    def refuse(self: argparse.ArgumentParser, message: str) -> NoReturn:
        raise _RefusedError(message)

    kind.error = refuse
    parser = kind(prog="vllm")
    serve = command.subparser_init(parser.add_subparsers(required=False, dest="subparser"))
    return parser, serve


def _parse(parser: Any, arguments: list[str]) -> dict[str, Any]:
    checks = importlib.import_module("vllm.entrypoints.launchers.cli_args")
    try:
        parsed = parser.parse_args(["serve", *arguments])
        checks.validate_parsed_serve_args(parsed)
    except (_RefusedError, ValueError, TypeError, AssertionError) as refused:
        return {"refused": str(refused) or type(refused).__name__}
    except SystemExit as ended:
        return {"refused": f"ended with code {ended.code}"}
    return {"accepted": {name: value for name, value in vars(parsed).items() if plain(value)}}


if __name__ == "__main__":
    main()
