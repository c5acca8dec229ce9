"""Runs under a Python that can import vLLM, of any supported release: prints as JSON which arguments `vllm
serve` has there.

The engine catalogue's flags come from here, release by release: unpack a release's wheel, give it a
`vllm-<version>+cpu.dist-info/METADATA`, then

    PYTHONPATH=<unpacked wheel> <engine environment>/bin/python release_description.py 0.32.0 > 0.32.0.json

Releases that need older libraries get them through PYTHONPATH as well. `python -m engine catalogue *.json`
does the rest.
"""

import contextlib
import importlib
import json
import os
import sys
from typing import Any, get_args

_ARGUMENTS = (
    "vllm.entrypoints.openai.cli_args",
    "vllm.entrypoints.launchers.cli_args",
    "vllm.entrypoints.common.cli_args",
)
_PARSERS = ("vllm.utils.argparse_utils", "vllm.utils")
_QUANTIZATION = "vllm.model_executor.layers.quantization"


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # vLLM logs to standard output while it is imported
    version = sys.argv[1]
    sys.argv = ["vllm", "serve"]
    parser = _first(_PARSERS, "FlexibleArgumentParser")(prog="vllm serve")
    parser = _first(_ARGUMENTS, "make_arg_parser")(parser)
    description = {
        "version": version,
        "quantization": list(get_args(importlib.import_module(_QUANTIZATION).QuantizationMethods)),
        "kv_cache_dtypes": list(get_args(importlib.import_module("vllm.config.cache").CacheDType)),
        "arguments": describe(parser),
    }
    json.dump(description, answers, indent=1)
    answers.close()


def describe(parser: Any) -> list[dict[str, Any]]:
    """One row an argument: its flags (or its destination, if it is positional), action, type, nargs, choices,
    default.
    """
    return [
        {
            "flags": action.option_strings or [action.dest],
            "dest": action.dest,
            "action": type(action).__name__,
            "type": _type_name(action.type),
            "nargs": action.nargs,
            "choices": [str(choice) for choice in action.choices] if action.choices else None,
            "default": action.default if plain(action.default) else None,
        }
        for action in parser._actions
    ]


def plain(value: object) -> bool:
    """Whether a value can be said in JSON as it is."""
    return value is None or isinstance(value, (bool, int, float, str, list, dict))


def _first(modules: tuple[str, ...], name: str) -> Any:
    for module in modules:
        with contextlib.suppress(ModuleNotFoundError):
            found = getattr(importlib.import_module(module), name, None)
            if found is not None:
                return found
    raise LookupError(f"no {name} in {', '.join(modules)}")


def _type_name(kind: Any) -> str | None:
    """The innermost type: vLLM wraps them for optional values and error messages."""
    while getattr(kind, "__name__", "") in {"_optional_type", "_parse_type"} and kind.__closure__:
        kind = kind.__closure__[0].cell_contents
    return getattr(kind, "__name__", None) if kind is not None else None


if __name__ == "__main__":
    main()
