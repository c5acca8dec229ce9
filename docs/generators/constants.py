"""The reference of the performance model's constants, made from their docstrings."""

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from costpolicy.perf import constants, fitted

HEAD = """\
# Constants of the performance model

<!-- Made by docs/generators/constants.py; do not edit. -->

The first five are fitted to 119 published closed-loop measurements of vLLM 0.11 to 0.19 (`tests/data/measurements`) by
`make fit`; how much is known of them: [accuracy.md](accuracy.md).

| Constant | Value | What it is, and where it is from |
|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    module = ast.parse(Path(fitted.__file__).read_text(encoding="utf-8"))
    (described,) = [node for node in module.body if isinstance(node, ast.ClassDef)]
    fixed = ast.parse(Path(constants.__file__).read_text(encoding="utf-8"))
    return HEAD + "".join([*_rows(described.body, fitted.FITTED), *_rows(fixed.body, constants)])


def _rows(body: list[ast.stmt], values: object) -> Iterator[str]:
    for node, text in pairwise(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and _is_text(text):
            value = getattr(values, node.target.id)
            shown = (
                f"{value:g}" if isinstance(value, int | float) else ", ".join(f"{k} {v:g}" for k, v in value.items())
            )
            yield f"| `{node.target.id}` | {shown} | {_cell(text.value.value)} |\n"


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())
