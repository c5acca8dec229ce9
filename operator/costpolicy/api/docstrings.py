"""Docstrings below a model's fields, read from source: the descriptions of ``kubectl explain``.

Pydantic can collect them while classes are made (``use_attribute_docstrings``), which adds a quarter to
the import time of the API for something that only the generator needs.
"""

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache


def attribute_docstrings(cls: type) -> Mapping[str, str]:
    """Return the docstring below each attribute that the class itself declares, on one line."""
    return _of_module(cls.__module__).get(cls.__name__, {})


@cache
def _of_module(name: str) -> Mapping[str, Mapping[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[name]))
    return {node.name: _of_class(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> Mapping[str, str]:
    found = {}
    for attribute, below in zip(node.body, node.body[1:], strict=False):
        match attribute, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
            case _:
                pass
    return found
