"""The reference of the performance model's constants, made from their docstrings."""

import ast
from itertools import pairwise
from pathlib import Path

from costpolicy.perf import constants

HEAD = """\
# Constants of the performance model

<!-- Made by docs/generators/constants.py; do not edit. -->

"Study" is the fit on 119 published closed-loop measurements of vLLM 0.11 to 0.19 (`tests/data/measurements`).
"Ablation" is the mean absolute error of TTFT / inter-token latency in percent when the term is left out.

| Constant | Value | What it is, and where it is from |
|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    body = ast.parse(Path(constants.__file__).read_text(encoding="utf-8")).body
    rows = [
        f"| `{node.target.id}` | {getattr(constants, node.target.id):g} | {_cell(text.value.value)} |\n"
        for node, text in pairwise(body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and _is_text(text)
    ]
    return HEAD + "".join(rows)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())
