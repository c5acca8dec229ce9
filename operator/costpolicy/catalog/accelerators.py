"""Accelerators: what a GPU can hold, move and compute, and how a Kubernetes node says that it carries one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date as Date  # noqa: N812 - a field is called date, as in the data files
from functools import cache
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from costpolicy.catalog.sources import read_document, read_packaged

SHARING_LABELS: Final = {
    "nvidia.com/gpu.sharing-strategy": "none",
    "cloud.google.com/gke-gpu-sharing-strategy": "none",
    "cloud.google.com/gke-gpu-partition-size": "",
}
"""Labels of nodes whose resource is a slice of a GPU (time-slicing, MPS, MIG), unless of this value."""

FRACTIONAL: Final = ("karpenter.k8s.aws/instance-gpu-count", "0")
"""How Karpenter labels machines with a part of a GPU (EC2 g6f), whose GPU's name it gives all the same."""

InterconnectKind = Literal["nvlink", "pcie", "infinity-fabric"]
ArithmeticType = Literal["bf16", "fp16", "fp8", "int8", "fp4"]
KernelType = Literal[ArithmeticType, "attention"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interconnect:
    """The link between accelerators of one node; ``bytes_per_second`` is per direction and accelerator."""

    kind: InterconnectKind
    bytes_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """One product.

    Attributes:
        name: the name policies and price books use (``nvidia-h100-80gb``).
        vendor: ``nvidia`` or ``amd``.
        family: the architecture, lower case (``hopper``, ``ada``, ``cdna3``).
        memory_bytes: what the driver reports as total, ECC overhead already taken off.
        memory_bandwidth: bytes per second, the data sheet's.
        flops: dense floating-point (or integer) operations per second by type (``bf16 fp16 fp8 int8 fp4``);
            a type that the tensor cores lack has no key. Sparse figures of data sheets are halved.
        compute_capability: CUDA's, major and minor; ``None`` for other vendors.
        interconnect: the link that tensor parallelism uses inside a node.
        node_labels: label key to the values that mean this product.
        resource_name: the extended resource of its device plugin.
        accelerators_per_node: how many a typical node has, where nothing better is known.
        measured_shares: share of the dense peak that vLLM's own kernels reached there, by arithmetic type (matrix
            products of a layer's size) and ``attention`` (of prompts, in 16 bits); empty where nobody measured.
        source: documents the figures were read in.
        date: when.
    """

    name: str
    vendor: str
    family: str
    memory_bytes: int
    memory_bandwidth: float
    flops: Mapping[str, float] = field(hash=False)
    compute_capability: tuple[int, int] | None
    interconnect: Interconnect
    node_labels: Mapping[str, tuple[str, ...]] = field(hash=False)
    resource_name: str
    accelerators_per_node: int
    source: str
    date: Date
    measured_shares: Mapping[str, float] = field(default_factory=dict, hash=False)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(gt=0, strict=True)]
Text = Annotated[str, Field(min_length=1)]


class _InterconnectRecord(_Record):
    kind: InterconnectKind
    gigabytes_per_second: Positive


class _AcceleratorRecord(_Record):
    name: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z0-9]+)+$")]
    vendor: Literal["nvidia", "amd"]
    family: Text
    memory_mebibytes: Count
    memory_gigabytes_per_second: Positive
    teraflops: dict[ArithmeticType, Positive]
    measured_shares: dict[KernelType, Share] = {}
    compute_capability: Annotated[str, Field(pattern=r"^[0-9]{1,2}\.[0-9]$")] | None = None
    interconnect: _InterconnectRecord
    node_labels: dict[str, Annotated[list[Text], Field(min_length=1)]]
    resource_name: Literal["nvidia.com/gpu", "amd.com/gpu"]
    accelerators_per_node: Count
    source: Text
    date: Date

    def accelerator(self) -> Accelerator:
        capability = None
        if self.compute_capability is not None:
            major, _, minor = self.compute_capability.partition(".")
            capability = (int(major), int(minor))
        return Accelerator(
            name=self.name,
            vendor=self.vendor,
            family=self.family,
            memory_bytes=self.memory_mebibytes * 2**20,
            memory_bandwidth=self.memory_gigabytes_per_second * 1e9,
            flops={kind: tera * 1e12 for kind, tera in self.teraflops.items()},
            compute_capability=capability,
            interconnect=Interconnect(
                kind=self.interconnect.kind, bytes_per_second=self.interconnect.gigabytes_per_second * 1e9
            ),
            node_labels={key: tuple(values) for key, values in self.node_labels.items()},
            resource_name=self.resource_name,
            accelerators_per_node=self.accelerators_per_node,
            source=self.source,
            date=self.date,
            measured_shares={str(kind): share for kind, share in self.measured_shares.items()},
        )


@cache
def _shape() -> TypeAdapter[list[_AcceleratorRecord]]:
    return TypeAdapter(list[_AcceleratorRecord])


def load_accelerators(text: str, filename: str) -> Mapping[str, Accelerator]:
    """Read accelerators by name from a YAML list.

    Raises:
        CatalogError: the file is broken, or two entries share a name or a node label value.
    """
    document = read_document(text, filename, _shape())
    found: dict[str, Accelerator] = {}
    labelled: dict[tuple[str, str], str] = {}
    for index, record in enumerate(document.value):
        if record.name in found:
            raise document.error((index, "name"), f"{record.name} is already in this file")
        for label, values in record.node_labels.items():
            for value in values:
                other = labelled.setdefault((label, value), record.name)
                if other != record.name:
                    raise document.error((index, "nodeLabels", label), f"{value} already means {other}")
        found[record.name] = record.accelerator()
    return MappingProxyType(found)


@cache
def accelerators() -> Mapping[str, Accelerator]:
    """Return the packaged catalogue, by name, in the file's order."""
    return load_accelerators(read_packaged("accelerators.yaml"), "accelerators.yaml")


def accelerator_of_node(labels: Mapping[str, str]) -> Accelerator | None:
    """Return the accelerator that a node's labels announce; ``None`` for no, an unknown or a sliced one.

    The vendor's own label decides where it exists: a cloud's label does not override a product that the
    catalogue does not know (``NVIDIA-A100-SXM4-80GB-MIG-1g.10gb``).
    """
    if any(labels.get(label, whole) != whole for label, whole in SHARING_LABELS.items()):
        return None
    label, fractional = FRACTIONAL
    if labels.get(label) == fractional:
        return None
    known = _by_label()
    for key in _label_keys():
        if key in labels:
            return known.get((key, labels[key]))
    return None


@cache
def _by_label() -> Mapping[tuple[str, str], Accelerator]:
    return {
        (key, value): accelerator
        for accelerator in accelerators().values()
        for key, values in accelerator.node_labels.items()
        for value in values
    }


@cache
def _label_keys() -> tuple[str, ...]:
    """Return label keys, the vendors' own (in the domain of the resource they offer) before the clouds'."""
    keys = {key: each.resource_name for each in accelerators().values() for key in each.node_labels}
    return tuple(sorted(keys, key=lambda key: (key.partition("/")[0] != keys[key].partition("/")[0], key)))
