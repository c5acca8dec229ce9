"""What a container gives to vLLM: which of its words follow ``vllm serve``, and where they are written.

Read in images and manifests of the field: ``vllm serve MODEL``, ``python -m vllm.entrypoints.openai.api_server --model
MODEL``, images whose entrypoint is the server already (``vllm/vllm-openai``), and scripts of a shell that end in one of
these.  A container that runs something else beside it, a sidecar or a router, is none.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final

from costpolicy.advice.environment import Environment, environment_of, expanded, expanded_by_shell

_SHELLS: Final = frozenset({"sh", "bash", "ash", "dash", "zsh"})
_MODULES: Final = frozenset({"vllm.entrypoints.openai.api_server", "vllm.entrypoints.api_server"})
_SCRIPTS: Final = ("vllm/entrypoints/openai/api_server.py",)
_OPERATORS: Final = frozenset(";&|<>()")
_SERVER_IMAGES: Final = ("vllm-openai",)
"""Images (last part of the name) whose entrypoint is the server, variants for other vendors and CPUs included."""
_NO_ENGINES: Final = ("router", "-sr", "controller", "operator", "metrics", "benchmark")


class Form(StrEnum):
    """Where the words stand."""

    COMMAND = "command"
    ARGS = "args"
    SCRIPT = "script"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCommand:
    """What follows ``vllm serve`` in one container.

    Attributes:
        container: the container's name.
        image: its image.
        words: one word each, variables filled in.
        form: where they are written; words of a ``SCRIPT`` cannot be replaced one by one.
        offset: place of the first of them in that list.
        environment: the container's variables.
        from_elsewhere: it takes variables from whole ConfigMaps or Secrets.
    """

    container: str
    image: str
    words: tuple[str, ...]
    form: Form
    offset: int
    environment: Environment
    from_elsewhere: bool = False


def engine_commands(pod: Mapping[str, Any]) -> tuple[EngineCommand, ...]:
    """Return the command of each container of a pod's spec that runs vLLM's server."""
    found = (_engine_command(container) for container in pod.get("containers") or ())
    return tuple(one for one in found if one is not None)


def _engine_command(container: Mapping[str, Any]) -> EngineCommand | None:
    environment = environment_of(container)
    command, args = ([expanded(word, environment) for word in container.get(key) or ()] for key in ("command", "args"))
    image = container.get("image") or ""
    words, form, offset = _words(command, args, image, environment)
    if words is None:
        return None
    return EngineCommand(
        container=container.get("name") or "",
        image=image,
        words=tuple(words),
        form=form,
        offset=offset,
        environment=environment,
        from_elsewhere=bool(container.get("envFrom")),
    )


_Found = tuple[Sequence[str] | None, Form, int]


def _words(command: Sequence[str], args: Sequence[str], image: str, environment: Environment) -> _Found:
    written = [*command, *args]
    script = _script(written)
    if script is not None:
        return _in_script(written[script], written[script + 2 :], environment), Form.SCRIPT, 0
    start = _after_marker(written)
    if start is not None:
        # Both lists are one command line: what follows the marker may begin in the first and end in the second.
        in_args = start >= len(command)
        return written[start:], Form.ARGS if in_args else Form.COMMAND, start - (len(command) if in_args else 0)
    if not command and _is_server(image, args):
        return args, Form.ARGS, 0
    return None, Form.ARGS, 0


def _script(words: Sequence[str]) -> int | None:
    """Return the place of the script of a shell that is run with ``-c``, if the words begin with one."""
    if not words or PurePosixPath(words[0]).name not in _SHELLS:
        return None
    for place, word in enumerate(words[1:], start=1):
        if not word.startswith("-"):
            return None
        if word.endswith("c") and not word.startswith("--"):
            return place + 1 if place + 1 < len(words) else None
    return None


def _in_script(script: str, parameters: Sequence[str], environment: Environment) -> Sequence[str] | None:
    """Return the words after the marker in a script, up to the end of that command."""
    for line in _commands(expanded_by_shell(script.replace("\\\n", " "), environment)):
        start = _after_marker(line)
        if start is not None:
            return [word for each in line[start:] for word in (parameters if each in ("$@", "$*") else (each,))]
    return None


def _commands(script: str) -> list[list[str]]:
    """Return the commands of a script as words; quotes may reach over lines, comments are whole lines."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("#")]
    try:
        found = [_split(line) for line in lines]
    except ValueError:  # a quote that ends in another line
        try:
            found = [_split("\n".join(lines))]
        except ValueError:
            return []
    return [command for words in found for command in words]


def _split(text: str) -> list[list[str]]:
    reader = shlex.shlex(text, posix=True, punctuation_chars=True)
    reader.whitespace_split, reader.commenters = True, ""
    commands: list[list[str]] = [[]]
    for word in reader:
        if word and set(word) <= _OPERATORS:
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def _after_marker(words: Sequence[str]) -> int | None:
    """Return the place after ``vllm serve`` or the server's module, if the words hold either."""
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if PurePosixPath(word).name == "vllm" and following == "serve":
            return place + 2
        if word == "-m" and following in _MODULES:
            return place + 2
        if word.endswith(_SCRIPTS):
            return place + 1
    return None


def _is_server(image: str, args: Sequence[str]) -> bool:
    """Return whether an image's own entrypoint is the server: by its name, or by arguments that only it takes."""
    name = image_name(image)
    if name.startswith(_SERVER_IMAGES):
        return True
    if "vllm" not in name or any(word in name for word in _NO_ENGINES):
        return False
    return any(word.partition("=")[0] in ("--model", "--served-model-name") for word in args)


def image_name(image: str) -> str:
    """Return the last part of an image's name, without registry, tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
