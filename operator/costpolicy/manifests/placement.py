"""Where the pods of a variant may run: exactly on the nodes that the plan priced.

Nodes say what they carry by labels of the device plugin (``nvidia.com/gpu.product``) or of a cloud, and how
they are paid for by labels of the provisioner. An offering with a ``nodeSelector`` of its own overrides both.
"""

from collections.abc import Mapping
from itertools import product
from typing import Final

from kubernetes import client

from costpolicy.api.engine import PodSettings
from costpolicy.api.types import CapacityType
from costpolicy.manifests.user_settings import typed
from costpolicy.planning.configuration import Configuration

SPOT_LABELS: Final[Mapping[str, str]] = {
    "karpenter.sh/capacity-type": "spot",
    "eks.amazonaws.com/capacityType": "SPOT",
    "cloud.google.com/gke-spot": "true",
    "kubernetes.azure.com/scalesetpriority": "spot",
}
"""How provisioners mark interruptible nodes (documentation of Karpenter, EKS, GKE and AKS, read 2026-11)."""

SPOT_TAINTS: Final = ("cloud.google.com/gke-spot", "kubernetes.azure.com/scalesetpriority")
"""Taints that keep pods off interruptible nodes unless they tolerate them (GKE optionally, AKS always)."""

ProductLabels = Mapping[str, tuple[str, ...]]
_Requirements = tuple[client.V1NodeSelectorRequirement, ...]
_Alternatives = list[_Requirements]


def node_selector(configuration: Configuration, products: ProductLabels, pod: PodSettings) -> dict[str, str] | None:
    """Return labels that a node must have: the offering's, or the one product label, and the user's."""
    ours = dict(configuration.node_selector)
    if not ours and _single(products):
        ours = {key: value for key, (value,) in products.items()}
    return {**pod.node_selector, **ours} or None


def affinity(configuration: Configuration, products: ProductLabels, pod: PodSettings) -> client.V1Affinity | None:
    """Return the user's affinity with the plan's conditions on nodes added to each of its terms."""
    users = typed(client.V1Affinity, pod.affinity) if pod.affinity else None
    alternatives = _alternatives(configuration, products)
    if not alternatives:
        return users
    merged = users or client.V1Affinity()
    node = merged.node_affinity or client.V1NodeAffinity()
    required = node.required_during_scheduling_ignored_during_execution
    terms = required.node_selector_terms if required else [client.V1NodeSelectorTerm()]
    node.required_during_scheduling_ignored_during_execution = client.V1NodeSelector(
        node_selector_terms=[
            client.V1NodeSelectorTerm(
                match_expressions=[*(term.match_expressions or []), *ours], match_fields=term.match_fields
            )
            for term, ours in product(terms, alternatives)
        ]
    )
    merged.node_affinity = node
    return merged


def tolerations(configuration: Configuration, pod: PodSettings) -> list[client.V1Toleration]:
    """Return what keeps other pods off accelerator nodes, and does not keep off ours."""
    keys = [configuration.resource_name]
    if configuration.capacity_type is CapacityType.SPOT:
        keys += SPOT_TAINTS
    ours = [client.V1Toleration(key=key, operator="Exists", effect="NoSchedule") for key in keys]
    users = [typed(client.V1Toleration, toleration) for toleration in pod.tolerations]
    return ours + [toleration for toleration in users if toleration not in ours]


def spread(labels: dict[str, str]) -> list[client.V1TopologySpreadConstraint]:
    """Return the wish that replicas stand on different nodes; it never keeps one from starting."""
    return [
        client.V1TopologySpreadConstraint(
            max_skew=1,
            topology_key="kubernetes.io/hostname",
            when_unsatisfiable="ScheduleAnyway",
            label_selector=client.V1LabelSelector(match_labels=labels),
        )
    ]


def _alternatives(configuration: Configuration, products: ProductLabels) -> _Alternatives:
    """Return conditions of which one must hold; none where the offering names its nodes itself."""
    if configuration.node_selector:
        return []
    by_product, by_capacity = _of_product(products, configuration.resource_name), _of_capacity(configuration)
    return [(*of_product, *of_capacity) for of_product, of_capacity in product(by_product, by_capacity)]


def _of_product(products: ProductLabels, resource_name: str) -> _Alternatives:
    """Return one alternative a label key: the device plugin's, then the clouds' on nodes that lack it.

    So does :func:`costpolicy.catalog.accelerators.accelerator_of_node` read a node. The device plugin's
    product name says by itself that a GPU is sliced (``...-SHARED``, ``...-MIG-1g.10gb``); a cloud's label
    does not.
    """
    if _single(products):
        return [()]  # the node selector says it already
    vendor = resource_name.partition("/")[0]
    keys = sorted(products, key=lambda key: (key.partition("/")[0] != vendor, key))
    return [
        (
            _one_of(key, products[key]),
            *(_absent(earlier) for earlier in keys[:position]),
            *(() if key.startswith(f"{vendor}/") else _WHOLE),
        )
        for position, key in enumerate(keys)
    ]


def _of_capacity(configuration: Configuration) -> _Alternatives:
    if configuration.capacity_type is CapacityType.SPOT:
        return [(_one_of(key, (value,)),) for key, value in SPOT_LABELS.items()]
    # NotIn also holds where the label is absent.
    return [tuple(_none_of(key, (value,)) for key, value in SPOT_LABELS.items())]


def _single(products: ProductLabels) -> bool:
    return len(products) == 1 and all(len(values) == 1 for values in products.values())


def _absent(key: str) -> client.V1NodeSelectorRequirement:
    return client.V1NodeSelectorRequirement(key=key, operator="DoesNotExist")


def _one_of(key: str, values: tuple[str, ...]) -> client.V1NodeSelectorRequirement:
    return client.V1NodeSelectorRequirement(key=key, operator="In", values=list(values))


def _none_of(key: str, values: tuple[str, ...]) -> client.V1NodeSelectorRequirement:
    return client.V1NodeSelectorRequirement(key=key, operator="NotIn", values=list(values))


_WHOLE: Final = (
    _none_of("nvidia.com/gpu.sharing-strategy", ("mps", "time-slicing")),
    _none_of("cloud.google.com/gke-gpu-sharing-strategy", ("mps", "time-sharing")),
    _absent("cloud.google.com/gke-gpu-partition-size"),
)
"""Nodes that hand out whole GPUs (:data:`costpolicy.catalog.accelerators.SHARING_LABELS`)."""
