"""Variables in a container's command: as the kubelet replaces them, and as a shell does.

Kubernetes replaces ``$(NAME)`` in command, args and later variables, and leaves ``$$(NAME)`` as ``$(NAME)``
(kubernetes.io, "Define dependent environment variables").  A value that is in a Secret, a ConfigMap or a field of the pod is
not known here; its place is marked with :data:`UNKNOWN` and its name.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

UNKNOWN: Final = "\ufffd"
"""Stands before and after the name of a variable whose value is not known."""

_REFERENCE: Final = re.compile(r"\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")
_SHELL: Final = re.compile(
    r"\$(?:\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?::?-(?P<default>[^${}]*))?\}|(?P<plain>[A-Za-z_][A-Za-z0-9_]*))"
)
_MARKED: Final = re.compile(f"{UNKNOWN}([^{UNKNOWN}]*){UNKNOWN}")

Environment = Mapping[str, str]
"""Values by name; one that is not known is marked."""


def environment_of(container: Mapping[str, Any]) -> Environment:
    """Return the variables of a container, each with those before it filled in."""
    found: dict[str, str] = {}
    for variable in container.get("env") or ():
        name = variable["name"]
        found[name] = unknown(name) if "valueFrom" in variable else expanded(variable.get("value") or "", found)
    return found


def unknown(name: str) -> str:
    """Return the mark of a variable whose value is not known."""
    return f"{UNKNOWN}{name}{UNKNOWN}"


def unknown_in(text: str) -> tuple[str, ...]:
    """Return the names of the variables in a text whose values are not known."""
    return tuple(_MARKED.findall(text))


def expanded(text: str, environment: Environment) -> str:
    """Return a text as the kubelet hands it on."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[1] is None else environment.get(match[1], unknown(match[1]))

    return _REFERENCE.sub(value, text)


def expanded_by_shell(text: str, environment: Environment) -> str:
    """Return a script with the variables that the container sets; one that is set while it runs is not known."""

    def value(match: re.Match[str]) -> str:
        name, default = match["braced"] or match["plain"], match["default"]
        found = environment.get(name, unknown(name) if default is None else default)
        return found.replace("\\", "\\\\").replace('"', '\\"')  # a value's own quotes mean nothing to the shell

    return _SHELL.sub(value, text)
