"""What containers of a pod may be given: environment, resources, init containers, as Kubernetes' core/v1 has
them."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from costpolicy.api.model import ApiModel, RuledModel
from costpolicy.api.rules import ListMap, Rule, exactly_one
from costpolicy.api.types import AbsolutePath, Count, Flag, ImageReference, ObjectName, Quantity, Text

_Words = Annotated[tuple[Annotated[str, Field(max_length=4096)], ...], Field(max_length=64)]


class KeyRef(ApiModel):
    """One key of a Secret or ConfigMap in the policy's namespace."""

    name: ObjectName
    """Name of the object."""
    key: Text
    """Key within it."""
    optional: Flag | None = None
    """The pod may start without it."""


class FieldRef(ApiModel):
    """A field of the pod itself."""

    api_version: Text | None = None
    """API version that the path is in. Empty: v1."""
    field_path: Text
    """Path of the field, such as `metadata.name`."""


class ResourceFieldRef(ApiModel):
    """A resource of a container."""

    container_name: Text | None = None
    """Name of the container."""
    resource: Text
    """Name of the resource, such as `limits.cpu`."""
    divisor: Quantity | None = None
    """Unit of the value."""


class EnvVarSource(RuledModel):
    """Where the value of an environment variable comes from: exactly one of the members."""

    secret_key_ref: KeyRef | None = None
    """A key of a Secret."""
    config_map_key_ref: KeyRef | None = None
    """A key of a ConfigMap."""
    field_ref: FieldRef | None = None
    """A field of the pod."""
    resource_field_ref: ResourceFieldRef | None = None
    """A resource of a container."""

    rules: ClassVar = (exactly_one("valueFrom", "secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef"),)


class EnvVar(RuledModel):
    """An environment variable."""

    name: Annotated[str, Field(pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$", max_length=253)]
    """Name."""
    value: Annotated[str, Field(max_length=8192)] | None = None
    """Value. Empty with valueFrom."""
    value_from: EnvVarSource | None = None
    """Source of the value."""

    rules: ClassVar = (
        Rule(
            "!(has(self.value) && has(self.valueFrom))",
            "an environment variable has value or valueFrom, not both",
            lambda variable: variable.value is None or variable.value_from is None,
        ),
    )


Environment = Annotated[tuple[EnvVar, ...], Field(max_length=64), ListMap(("name",))]
Resources = Annotated[Mapping[str, Quantity], Field(max_length=16)]


class ResourceRequirements(ApiModel):
    """Resources of a container; accelerators are the plan's and cannot be given here."""

    requests: Resources = Field(default_factory=dict)
    """What is reserved."""
    limits: Resources = Field(default_factory=dict)
    """What is the most."""


class VolumeMount(ApiModel):
    """A volume seen by a container."""

    name: ObjectName
    """Name of the volume."""
    mount_path: AbsolutePath
    """Where the container sees it."""
    sub_path: Annotated[str, Field(max_length=512)] | None = None
    """Folder of the volume to show."""
    read_only: Flag | None = None
    """The container cannot write to it."""


class Capabilities(ApiModel):
    """Linux capabilities of a container."""

    add: Annotated[tuple[Text, ...], Field(max_length=32)] = ()
    """Given beyond the runtime's own; refused unless the operator allows host access."""
    drop: Annotated[tuple[Text, ...], Field(max_length=64)] = ()
    """Taken away."""


class SeccompProfile(ApiModel):
    """Filter of system calls."""

    type: Literal["RuntimeDefault", "Localhost", "Unconfined"]
    """Kind of filter."""
    localhost_profile: Text | None = None
    """File on the node, for Localhost."""


class SecurityContext(ApiModel):
    """Privileges of a container."""

    privileged: Flag | None = None
    """All privileges of the node; refused unless the operator allows host access."""
    allow_privilege_escalation: Flag | None = None
    """A process may gain privileges; refused unless the operator allows host access."""
    read_only_root_filesystem: Flag | None = None
    """The container cannot write to its own file system."""
    run_as_non_root: Flag | None = None
    """The container must not run as root."""
    run_as_user: Count | None = None
    """User id."""
    run_as_group: Count | None = None
    """Group id."""
    capabilities: Capabilities | None = None
    """Linux capabilities."""
    seccomp_profile: SeccompProfile | None = None
    """Filter of system calls."""


class InitContainer(ApiModel):
    """A container that runs to its end before the engine starts, such as one that fetches adapters."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
    """Name."""
    image: ImageReference
    """Image."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When the image is pulled."""
    command: _Words = ()
    """Program. Empty: the image's."""
    args: _Words = ()
    """Its arguments."""
    env: Environment = ()
    """Its environment."""
    working_dir: AbsolutePath | None = None
    """Its working folder."""
    resources: ResourceRequirements | None = None
    """Its resources."""
    volume_mounts: Annotated[tuple[VolumeMount, ...], Field(max_length=32), ListMap(("mountPath",))] = ()
    """Its volumes."""
    security_context: SecurityContext | None = None
    """Its privileges. Empty: those of the engine."""
