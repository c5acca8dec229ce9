"""Volumes that a pod may be given, as Kubernetes' core/v1 has them."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from costpolicy.api.model import ApiModel, RuledModel
from costpolicy.api.rules import Bounds, exactly_one
from costpolicy.api.types import (
    AbsolutePath,
    Flag,
    ImageReference,
    ObjectName,
    Quantity,
    RelativePath,
    Text,
)

_FileMode = Annotated[int, Bounds(0, 0o777)]


class KeyToPath(ApiModel):
    """One key of a Secret or ConfigMap as a file."""

    key: Text
    """The key."""
    path: RelativePath
    """The file."""
    mode: _FileMode | None = None
    """Its permission bits."""


_Items = Annotated[tuple[KeyToPath, ...], Field(max_length=64)]


class EmptyDir(ApiModel):
    """Scratch space that lives as long as the pod."""

    medium: Literal["", "Memory"] | None = None
    """Memory keeps it in RAM, counted against the memory limit."""
    size_limit: Quantity | None = None
    """Largest size."""


class ConfigMapVolume(ApiModel):
    """A ConfigMap as files."""

    name: ObjectName
    """Name of the ConfigMap."""
    items: _Items = ()
    """Keys to show. Empty: all."""
    default_mode: _FileMode | None = None
    """Permission bits of the files."""
    optional: Flag | None = None
    """The pod may start without it."""


class SecretVolume(ApiModel):
    """A Secret as files."""

    secret_name: ObjectName
    """Name of the Secret."""
    items: _Items = ()
    """Keys to show. Empty: all."""
    default_mode: _FileMode | None = None
    """Permission bits of the files."""
    optional: Flag | None = None
    """The pod may start without it."""


class ClaimVolume(ApiModel):
    """A PersistentVolumeClaim."""

    claim_name: ObjectName
    """Name of the claim."""
    read_only: Flag | None = None
    """Mounted read-only."""


class NfsVolume(ApiModel):
    """An NFS export."""

    server: Text
    """Host that exports."""
    path: AbsolutePath
    """What it exports."""
    read_only: Flag | None = None
    """Mounted read-only."""


class CsiVolume(ApiModel):
    """A volume that a storage driver makes for the pod."""

    driver: Text
    """Name of the driver."""
    read_only: Flag | None = None
    """Mounted read-only."""
    volume_attributes: Annotated[Mapping[str, Annotated[str, Field(max_length=1024)]], Field(max_length=32)] = Field(
        default_factory=dict
    )
    """What the driver is told."""


class ImageVolume(ApiModel):
    """Files of a container image, read-only."""

    reference: ImageReference
    """The image."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When the image is pulled."""


class HostPathVolume(ApiModel):
    """A path of the node; refused unless the operator allows host access."""

    path: AbsolutePath
    """The path."""
    type: Text | None = None
    """What must be there, such as Directory."""


class Volume(RuledModel):
    """A named volume with exactly one source."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
    """Name that mounts refer to."""
    empty_dir: EmptyDir | None = None
    """Scratch space."""
    config_map: ConfigMapVolume | None = None
    """A ConfigMap."""
    secret: SecretVolume | None = None
    """A Secret."""
    persistent_volume_claim: ClaimVolume | None = None
    """A PersistentVolumeClaim."""
    nfs: NfsVolume | None = None
    """An NFS export."""
    csi: CsiVolume | None = None
    """A storage driver's volume."""
    image: ImageVolume | None = None
    """A container image."""
    host_path: HostPathVolume | None = None
    """A path of the node."""

    rules: ClassVar = (
        exactly_one(
            "a volume",
            "emptyDir",
            "configMap",
            "secret",
            "persistentVolumeClaim",
            "nfs",
            "csi",
            "image",
            "hostPath",
        ),
    )
