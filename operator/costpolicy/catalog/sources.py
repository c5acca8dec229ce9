"""Read the catalogue's YAML files and say on which line a broken one is broken.

Parsing keeps the YAML nodes, because their marks carry the lines; pydantic checks the shape; an error of
either becomes one :class:`CatalogError` that reads like a compiler's: ``models.yaml:123: layers: ...``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Generic, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

try:
    from yaml import CSafeLoader as _Loader  # libyaml: ten times the speed of the loader in Python
except ImportError:  # pragma: no cover - wheels of PyYAML carry libyaml; a build from source may not
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

T = TypeVar("T")
Path = Sequence[int | str]


class CatalogError(ValueError):
    """A catalogue file that cannot be used: which file, which line (1-based), what is wrong with it."""

    def __init__(self, filename: str, line: int, message: str) -> None:
        super().__init__(f"{filename}:{line}: {message}")
        self.filename = filename
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """A checked file: its value, and its nodes for complaints about what only the whole file can show."""

    value: T
    filename: str
    root: Node

    def error(self, path: Path, message: str) -> CatalogError:
        """Return the error that points at ``path`` (list indices and keys from the top), not raised."""
        return _error(self.filename, self.root, path, message)


def read_packaged(name: str) -> str:
    """Return the text of a data file of this package (``accelerators.yaml``)."""
    return files(__package__).joinpath("data", name).read_text(encoding="utf-8")


def _in_pydantics_words(detail: ErrorDetails) -> str:
    return detail["msg"]


def read_document(
    text: str, filename: str, shape: TypeAdapter[T], words: Callable[[ErrorDetails], str] = _in_pydantics_words
) -> Document[T]:
    """Parse one YAML document and check its shape; ``words`` says what is wrong with a field.

    Raises:
        CatalogError: not YAML, a key twice in one mapping, or not of that shape; the first fault is named.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise CatalogError(filename, 1, "the file is empty")
        _refuse_duplicate_keys(filename, root)
        value = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise CatalogError(filename, mark.line + 1 if mark else 1, error.problem or str(error)) from error
    except yaml.YAMLError as error:
        raise CatalogError(filename, 1, str(error)) from error
    finally:
        loader.dispose()
    try:
        return Document(shape.validate_python(value), filename, root)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _error(filename, root, first["loc"], words(first)) from error


def _error(filename: str, root: Node, path: Path, message: str) -> CatalogError:
    where = ".".join(str(step) for step in path)
    return CatalogError(filename, _line(root, path), f"{where}: {message}" if where else message)


def _line(root: Node, path: Path) -> int:
    """Return the line of the deepest node on the path that exists: a missing key is its parent's fault."""
    node, line = root, root.start_mark.line
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        node, line = found
    return line + 1


def _child(node: Node, step: int | str) -> tuple[Node, int] | None:
    match node:
        case SequenceNode() if isinstance(step, int) and step < len(node.value):
            item: Node = node.value[step]
            return item, item.start_mark.line
        case MappingNode():
            for key, value in node.value:
                if isinstance(key, ScalarNode) and key.value == str(step):
                    return value, key.start_mark.line
    return None


def _refuse_duplicate_keys(filename: str, root: Node) -> None:
    """YAML lets the last of two equal keys win in silence; in a table of facts that hides one of them."""
    pending = [root]
    while pending:
        node = pending.pop()
        match node:
            case SequenceNode():
                pending.extend(node.value)
            case MappingNode():
                seen: set[str] = set()
                for key, value in node.value:
                    if key.value in seen:
                        message = f"the key {key.value!r} is here twice"
                        raise CatalogError(filename, key.start_mark.line + 1, message)
                    seen.add(str(key.value))
                    pending.append(value)
