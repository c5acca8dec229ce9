"""What every Kubernetes object carries."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from costpolicy.api.model import ApiModel, ObservedModel
from costpolicy.api.types import ObjectName, Text


class ObjectMeta(ObservedModel):
    """The parts of an object's metadata that the operator reads."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: Mapping[str, str] = Field(default_factory=dict)
    annotations: Mapping[str, str] = Field(default_factory=dict)
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None


class SecretKeyRef(ApiModel):
    """One key of a Secret in the policy's namespace.  The operator never reads it; the kubelet does."""

    name: ObjectName
    """Name of the Secret."""
    key: Text = "token"
    """Key within the Secret."""


class ConfigMapRef(ApiModel):
    """A ConfigMap in the policy's namespace."""

    name: ObjectName
    """Name of the ConfigMap."""
