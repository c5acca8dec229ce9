"""Volumes of an engine pod: where weights come from and where the engine may write."""

from dataclasses import dataclass

from kubernetes import client

from costpolicy.api.policy import ImageSource, ModelSource
from costpolicy.manifests.mounts import (
    COPY_CONTAINER,
    HOME_PATH,
    MODELS_VOLUME,
    SHARED_MEMORY_PATH,
    TEMPORARY_PATH,
)
from costpolicy.manifests.weights import MODELS_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Volumes with where the engine sees them, its environment for them, and what fills them before it
    starts."""

    volumes: list[client.V1Volume]
    mounts: list[client.V1VolumeMount]
    environment: dict[str, str]
    init_containers: list[client.V1Container]


def storage(source: ModelSource, shared_memory_gib: int, security: client.V1SecurityContext) -> Storage:
    """Return the storage of a pod that serves ``source``."""
    weights, read_only = _weights_volume(source)
    return Storage(
        volumes=[
            weights,
            client.V1Volume(name="home", empty_dir=client.V1EmptyDirVolumeSource()),
            client.V1Volume(
                name="shm",
                empty_dir=client.V1EmptyDirVolumeSource(medium="Memory", size_limit=f"{shared_memory_gib}Gi"),
            ),
            client.V1Volume(name="tmp", empty_dir=client.V1EmptyDirVolumeSource()),
        ],
        mounts=[
            client.V1VolumeMount(name=MODELS_VOLUME, mount_path=MODELS_PATH, read_only=read_only or None),
            client.V1VolumeMount(name="home", mount_path=HOME_PATH),
            client.V1VolumeMount(name="shm", mount_path=SHARED_MEMORY_PATH),
            client.V1VolumeMount(name="tmp", mount_path=TEMPORARY_PATH),
        ],
        environment=_environment(source),
        init_containers=[_copy(source.image, security)] if source.image else [],
    )


def _weights_volume(source: ModelSource) -> tuple[client.V1Volume, bool]:
    """Return the volume at ``/models`` and whether it is read-only.

    Scratch volumes have no size limit: the kubelet evicts a pod that exceeds one, and how much a repository
    holds besides the weights that are loaded is not known before it is downloaded.
    """
    if source.volume is None:
        return client.V1Volume(name=MODELS_VOLUME, empty_dir=client.V1EmptyDirVolumeSource()), False
    claim = client.V1PersistentVolumeClaimVolumeSource(claim_name=source.volume.claim_name, read_only=True)
    return client.V1Volume(name=MODELS_VOLUME, persistent_volume_claim=claim), True


def _environment(source: ModelSource) -> dict[str, str]:
    # A random uid has no entry in /etc/passwd: torch asks USER first, and caches go to HOME.
    environment = {"HOME": HOME_PATH, "USER": "vllm", "VLLM_NO_USAGE_STATS": "1"}
    if source.hugging_face is not None:
        return {**environment, "HF_HOME": MODELS_PATH}
    return {**environment, "HF_HUB_OFFLINE": "1"}


def _copy(image: ImageSource, security: client.V1SecurityContext) -> client.V1Container:
    """Return the init container that copies weights out of their image; that image needs ``cp``."""
    return client.V1Container(
        name=COPY_CONTAINER,
        image=image.reference,
        command=["cp", "-R", f"{image.path.rstrip('/')}/.", MODELS_PATH],
        security_context=security,
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[client.V1VolumeMount(name=MODELS_VOLUME, mount_path=MODELS_PATH)],
    )
