"""What the user's pod settings must not hold: the operator's own check beside the chart's admission policy.

Whoever may write a CostPolicy can create pods in its namespace, and nothing more: no path of a node, no
privilege.
"""

from collections.abc import Iterator

from costpolicy.api.containers import InitContainer, SecurityContext
from costpolicy.api.engine import PodSettings
from costpolicy.api.policy import EngineSettings
from costpolicy.manifests.identity import ACCELERATOR_LABEL, POLICY_LABEL, VARIANT_LABEL
from costpolicy.manifests.mounts import COPY_CONTAINER, RESERVED_PATHS, RESERVED_VOLUMES
from costpolicy.manifests.stopping import PYTHON_PATH


def host_access(pod: PodSettings) -> tuple[str, ...]:
    """Return each setting that reaches for the node; allowed only where the operator runs with
    ``allowHostAccess``."""
    return tuple(_host_access(pod))


def clashes(settings: EngineSettings) -> tuple[str, ...]:
    """Return each setting that would contradict what the operator renders itself."""
    return (*_environment_clashes(settings), *(_clashes(settings.pod) if settings.pod is not None else ()))


def _host_access(pod: PodSettings) -> Iterator[str]:
    for volume in pod.volumes:
        if volume.host_path is not None:
            yield f"volume {volume.name}: hostPath {volume.host_path.path} is a path of the node; use a claim"
    for container in pod.init_containers:
        if container.security_context is not None:
            yield from _privilege(container, container.security_context)


def _privilege(container: InitContainer, context: SecurityContext) -> Iterator[str]:
    where = f"init container {container.name}"
    if context.privileged:
        yield f"{where}: privileged is not allowed"
    if context.allow_privilege_escalation:
        yield f"{where}: allowPrivilegeEscalation is not allowed"
    if context.run_as_user == 0 or context.run_as_non_root is False:
        yield f"{where}: it must not run as root"
    if context.capabilities is not None and context.capabilities.add:
        yield f"{where}: capabilities {', '.join(context.capabilities.add)} must not be added"
    if context.seccomp_profile is not None and context.seccomp_profile.type == "Unconfined":
        yield f"{where}: seccompProfile Unconfined is not allowed"


def _clashes(pod: PodSettings) -> Iterator[str]:
    yield from _storage_clashes(pod)
    if any(container.name == COPY_CONTAINER for container in pod.init_containers):
        yield f"init container {COPY_CONTAINER}: the operator has one of that name; choose another"
    for label in pod.labels:
        if label in (ACCELERATOR_LABEL, POLICY_LABEL, VARIANT_LABEL) or label.startswith("app.kubernetes.io/"):
            yield f"label {label}: the operator sets it itself"
    resources = {**pod.resources.requests, **pod.resources.limits} if pod.resources else {}
    for name in resources:
        if "/" in name:
            yield f"resource {name}: the number of accelerators is the plan's"


def _environment_clashes(settings: EngineSettings) -> Iterator[str]:
    if any(variable.name == PYTHON_PATH and variable.value is None for variable in settings.env):
        yield f"env {PYTHON_PATH}: the operator appends its own folder; give it a value instead of valueFrom"


def _storage_clashes(pod: PodSettings) -> Iterator[str]:
    for volume in pod.volumes:
        if volume.name in RESERVED_VOLUMES:
            yield f"volume {volume.name}: the operator has a volume of that name; choose another"
    for mount in pod.volume_mounts:
        if mount.mount_path.rstrip("/") in RESERVED_PATHS:
            yield f"volumeMount {mount.mount_path}: the operator mounts a volume of its own there"
