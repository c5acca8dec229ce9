"""How an engine's pod stops: the program of :mod:`costpolicy.drain`, how it comes into the container, and who runs it."""

from datetime import timedelta
from typing import Final

from kubernetes import client

from costpolicy.drain import program_source
from costpolicy.manifests.identity import HTTP_PORT
from costpolicy.manifests.mounts import PROGRAM_PATH, PROGRAM_VOLUME
from costpolicy.manifests.timing import IDLE_CONNECTION, PRE_STOP_SLEEP, drain_of

PROGRAM_ANNOTATION: Final = "costpolicy.dev/drain-program"
"""Where a pod carries the program: an annotation goes with the template, and needs no object of its own."""
PYTHON_PATH: Final = "PYTHONPATH"
KEEP_ALIVE: Final = "VLLM_HTTP_TIMEOUT_KEEP_ALIVE"
_MODULE: Final = "costpolicy_drain"
_FILE: Final = f"{_MODULE}.py"
_SECOND: Final = timedelta(seconds=1)

MIDDLEWARE_ARGUMENT: Final = f"--middleware={_MODULE}.CloseConnections"
"""Repeatable, so the user may have middleware too. Every supported release has the flag."""


def program_annotation() -> dict[str, str]:
    """Return the annotation that carries the program."""
    return {PROGRAM_ANNOTATION: program_source()}


def program_volume() -> client.V1Volume:
    """Return the volume that shows the annotation as a file."""
    field = client.V1ObjectFieldSelector(field_path=f"metadata.annotations['{PROGRAM_ANNOTATION}']")
    return client.V1Volume(
        name=PROGRAM_VOLUME,
        downward_api=client.V1DownwardAPIVolumeSource(
            items=[client.V1DownwardAPIVolumeFile(path=_FILE, field_ref=field)]
        ),
    )


def stoppable(container: client.V1Container, grace: timedelta) -> client.V1Container:
    """Return the engine's container with the program: loaded by the engine, and run before the engine hears of its end."""
    times = (PRE_STOP_SLEEP, drain_of(grace))
    hook = ["python3", f"{PROGRAM_PATH}/{_FILE}", str(HTTP_PORT), *(str(time // _SECOND) for time in times)]
    mount = client.V1VolumeMount(name=PROGRAM_VOLUME, mount_path=PROGRAM_PATH, read_only=True)
    return container.model_copy(
        update={
            "args": [*(container.args or ()), MIDDLEWARE_ARGUMENT],
            "env": _importing([*_patience(container.env or []), *(container.env or [])]),
            "volume_mounts": [*(container.volume_mounts or ()), mount],
            "lifecycle": client.V1Lifecycle.model_validate({"preStop": {"exec": {"command": hook}}}),
        }
    )


def _patience(environment: list[client.V1EnvVar]) -> list[client.V1EnvVar]:
    """Return the variable that lets clients be the ones who hang up, unless the user has set it."""
    if any(variable.name == KEEP_ALIVE for variable in environment):
        return []
    return [client.V1EnvVar(name=KEEP_ALIVE, value=str(IDLE_CONNECTION // _SECOND))]


def _importing(environment: list[client.V1EnvVar]) -> list[client.V1EnvVar]:
    """Return an environment in which the engine finds the program; a search path of the user's stays in front."""
    if all(variable.name != PYTHON_PATH for variable in environment):
        return [client.V1EnvVar(name=PYTHON_PATH, value=PROGRAM_PATH), *environment]
    return [
        client.V1EnvVar(name=PYTHON_PATH, value=f"{variable.value}:{PROGRAM_PATH}")
        if variable.name == PYTHON_PATH
        else variable
        for variable in environment
    ]
