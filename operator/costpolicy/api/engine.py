"""The user's own settings of the engine and of its pods."""

from typing import Annotated

from pydantic import Field

from costpolicy.api.containers import Environment, EnvVar, InitContainer, ResourceRequirements, VolumeMount
from costpolicy.api.model import ApiModel
from costpolicy.api.placement import Affinity, Labels, Toleration
from costpolicy.api.rules import ListMap
from costpolicy.api.types import ImageReference, ObjectName
from costpolicy.api.volumes import Volume

__all__ = ["EngineSettings", "EnvVar", "ImagePullSecret", "PodSettings"]


class ImagePullSecret(ApiModel):
    """A Secret that images are pulled with."""

    name: ObjectName
    """Name of the Secret."""


class PodSettings(ApiModel):
    """Additions to the engine's pods. Host paths, privilege and added capabilities are refused by default."""

    node_selector: Labels = Field(default_factory=dict)
    """Labels that nodes must have, besides those of the accelerator."""
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=32)] = ()
    """Taints that are tolerated, besides those of accelerators."""
    affinity: Affinity | None = None
    """Where pods must and should run."""
    volumes: Annotated[tuple[Volume, ...], Field(max_length=32), ListMap(("name",))] = ()
    """Further volumes."""
    volume_mounts: Annotated[tuple[VolumeMount, ...], Field(max_length=32), ListMap(("mountPath",))] = ()
    """Where the engine sees them."""
    init_containers: Annotated[tuple[InitContainer, ...], Field(max_length=8), ListMap(("name",))] = ()
    """Containers that run to their end before the engine starts."""
    image_pull_secrets: Annotated[tuple[ImagePullSecret, ...], Field(max_length=8), ListMap(("name",))] = ()
    """Secrets that images are pulled with."""
    service_account_name: ObjectName | None = None
    """ServiceAccount of the pods. Empty: the namespace's default, without a token."""
    priority_class_name: ObjectName | None = None
    """PriorityClass of the pods. Empty: spec.priorityClassName."""
    resources: ResourceRequirements | None = None
    """CPU and memory of the engine's container, instead of the operator's own choice."""
    runtime_class_name: ObjectName | None = None
    """RuntimeClass of the pods."""
    labels: Labels = Field(default_factory=dict)
    """Further labels of the pods."""
    annotations: Annotated[
        dict[str, Annotated[str, Field(max_length=4096)]],
        Field(max_length=32),
    ] = Field(default_factory=dict)
    """Further annotations of the pods."""


class EngineSettings(ApiModel):
    """Settings of the engine and its pods."""

    image: ImageReference | None = None
    """vLLM image. Empty: the operator's default of the version."""
    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+(\.[0-9]+)?$", max_length=16)] | None = None
    """vLLM version, such as `0.32.0`, of the image. Empty: the newest supported one."""
    extra_args: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=1024)], ...], Field(max_length=64)] = ()
    """Further arguments of `vllm serve`. Arguments that the plan owns are refused."""
    env: Environment = ()
    """Further environment variables of the engine."""
    pod: PodSettings | None = None
    """Additions to its pods."""
