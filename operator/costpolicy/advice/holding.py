"""Which accelerators a Deployment holds: how many its pods ask for, which product their nodes carry, how it is paid for.

Nodes of running pods say it best.  Where there are none, or they may not be read, the pod template's own node selector and
affinity do, and then nodes of the whole cluster if they all carry the same product.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from costpolicy.api.reasons import Reason
from costpolicy.api.types import CapacityType
from costpolicy.catalog.accelerators import Accelerator, accelerator_of_node, accelerators
from costpolicy.catalog.prices import Offering
from costpolicy.kube.gateway import Node, Pod
from costpolicy.kube.parsing import pod_requests
from costpolicy.manifests.placement import SPOT_LABELS
from costpolicy.observe.source import Missing

_RESOURCES: Final = tuple(sorted({each.resource_name for each in accelerators().values()}))
_Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one replica holds.

    Attributes:
        resource: the extended resource that its pod asks for.
        count: how many of it, all containers together.
        accelerator: the product, if anything says which.
        capacity_type: how it is paid for; ``OnDemand`` where no label says Spot, as ``Reserved`` cannot be seen.
        assumed: what was taken for granted, one sentence each.
    """

    resource: str
    count: int
    accelerator: Accelerator | Missing
    capacity_type: CapacityType
    labels: _Labels
    assumed: tuple[str, ...] = ()


def holding_of(pod: Mapping[str, Any], pods: Sequence[Pod], nodes: Sequence[Node] | Missing) -> Holding | Missing:
    """Return what a replica holds.

    Args:
        pod: the template's ``spec``.
        pods: those of the Deployment.
        nodes: every node, or why they are not known.
    """
    asked = pod_requests(pod)
    resource = next((name for name in _RESOURCES if asked.get(name)), None)
    if resource is None:
        message = f"its pods ask for none of {', '.join(_RESOURCES)}: what it runs on cannot be priced"
        return Missing(reason=Reason.TARGET_UNREADABLE, message=message)
    known = () if isinstance(nodes, Missing) else nodes
    used = {one.node for one in pods if one.node}
    beneath = [node for node in known if node.name in used]
    accelerator, labels, assumed = _product(pod, resource, beneath, nodes)
    if not beneath and not isinstance(accelerator, Missing) and not _is_spot(labels):
        assumed = (*assumed, "its nodes are not known: taken as paid for on demand")
    return Holding(
        resource=resource,
        count=asked[resource],
        accelerator=accelerator,
        capacity_type=CapacityType.SPOT if _is_spot(labels) else CapacityType.ON_DEMAND,
        labels=labels,
        assumed=assumed,
    )


def offering_of(holding: Holding, offerings: Iterable[Offering]) -> Offering | Missing:
    """Return the offering that prices a holding: one whose node selector fits, else that of the product."""
    accelerator = holding.accelerator
    if isinstance(accelerator, Missing):
        return accelerator
    alike = [one for one in offerings if one.accelerator.name == accelerator.name]
    selected = [one for one in alike if one.node_selector and one.node_selector.items() <= holding.labels.items()]
    plain = [one for one in alike if one.capacity_type is holding.capacity_type and not one.node_selector]
    found = next(iter((*selected, *plain)), None)
    if found is None:
        message = f"no price book offers {accelerator.name} {holding.capacity_type}: add it to a PriceBook"
        return Missing(reason=Reason.NO_PRICE, message=message)
    return found


_Product = tuple[Accelerator | Missing, _Labels, tuple[str, ...]]


def _product(
    pod: Mapping[str, Any], resource: str, beneath: Sequence[Node], nodes: Sequence[Node] | Missing
) -> _Product:
    if beneath:
        return _on(beneath)
    stated = [labels for labels in _selections(pod) if accelerator_of_node(labels) is not None]
    products = {found.name: found for labels in stated if (found := accelerator_of_node(labels))}
    if len(products) == 1:
        return next(iter(products.values())), {**(pod.get("nodeSelector") or {}), **stated[0]}, ()
    selector = pod.get("nodeSelector") or {}
    if isinstance(nodes, Missing):
        return nodes, selector, ()
    carried = {
        found for node in nodes if node.allocatable.get(resource) and (found := accelerator_of_node(node.labels))
    }
    if len(carried) == 1:
        [only] = carried
        return only, selector, (f"none of its pods is on a node; every node with {resource} carries {only.name}",)
    message = "none of its pods is on a node, and its node selector does not name an accelerator of the catalogue"
    return Missing(reason=Reason.TARGET_UNREADABLE, message=message), selector, ()


def _on(beneath: Sequence[Node]) -> _Product:
    found = {node.name: accelerator_of_node(node.labels) for node in beneath}
    products = {each.name: each for each in found.values() if each is not None}
    if len(products) == 1 and None not in found.values():
        return next(iter(products.values())), beneath[0].labels, ()
    unknown = next((name for name, each in found.items() if each is None), None)
    if unknown is not None:
        message = f"the labels of the node {unknown} name no whole accelerator of the catalogue"
        return Missing(reason=Reason.UNKNOWN_ACCELERATOR, message=message), beneath[0].labels, ()
    names = " and ".join(sorted(products))
    message = f"its pods run on {names}: pin them to one by a node selector"
    return Missing(reason=Reason.TARGET_UNREADABLE, message=message), beneath[0].labels, ()


def _selections(pod: Mapping[str, Any]) -> Iterable[_Labels]:
    """Yield labels that a node may be asked for: the selector's, and each single value of a required affinity."""
    yield pod.get("nodeSelector") or {}
    affinity = (pod.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for expression in term.get("matchExpressions") or ():
            if expression.get("operator") == "In":
                yield from ({expression["key"]: value} for value in expression.get("values") or ())


def _is_spot(labels: _Labels) -> bool:
    return any(labels.get(name) == value for name, value in SPOT_LABELS.items())
