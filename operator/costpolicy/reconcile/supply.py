"""What the cluster's nodes leave for one policy, offering by offering."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from costpolicy.api.types import CapacityType
from costpolicy.catalog.accelerators import accelerator_of_node
from costpolicy.catalog.prices import Offering
from costpolicy.kube.gateway import POLICY_LABEL, Node, Pod
from costpolicy.manifests.placement import SPOT_LABELS
from costpolicy.planning.supply import Supply


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Nodes and the accelerators that pods hold on them; ``key`` is ``(namespace, policy)`` of the asking policy."""

    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]

    def supplies(self, offerings: Sequence[Offering], key: tuple[str, str]) -> tuple[Supply, ...]:
        """Return each offering's stock for a policy, its own pods' accelerators counted as free."""
        return tuple(self._supply(offering, key) for offering in offerings)

    def spare_replicas(self, offering: Offering, accelerators: int) -> int:
        """Return how many replicas find accelerators that nobody holds or waits for, provisionable nodes included."""
        supply = self._supply(offering, ("", ""))
        placeable = supply.placeable_replicas(accelerators) or 0
        waiting = sum(
            -(-pod.requests.get(offering.resource_name, 0) // accelerators)
            for pod in self.pods
            if not pod.node
            and not pod.terminating
            and pod.requests.get(offering.resource_name, 0)
            and pod.labels.get("costpolicy.dev/accelerator", offering.accelerator.name) == offering.accelerator.name
        )
        return max(placeable - waiting, 0)

    def _supply(self, offering: Offering, key: tuple[str, str]) -> Supply:
        nodes = [node for node in self.nodes if carries(node, offering)]
        sizes = [node.allocatable.get(offering.resource_name, 0) for node in nodes]
        stated = offering.accelerators_per_node
        per_node = stated if offering.per_node_stated else max(sizes, default=stated)
        held = {node.name: self._held(node, offering.resource_name, key) for node in nodes}
        usable = [node for node in nodes if node.ready and not node.unschedulable]
        return Supply(
            offering=replace(offering, accelerators_per_node=per_node),
            free_by_node=tuple(
                max(node.allocatable.get(offering.resource_name, 0) - held[node.name], 0) for node in usable
            ),
            provisionable_nodes=max((offering.max_nodes or 0) - len(nodes), 0),
            reserved_free=max((offering.count or 0) - sum(held.values()), 0),
        )

    def _held(self, node: Node, resource: str, key: tuple[str, str]) -> int:
        return sum(
            pod.requests.get(resource, 0)
            for pod in self.pods
            if pod.node == node.name and (pod.namespace, pod.labels.get(POLICY_LABEL, "")) != key
        )


def carries(node: Node, offering: Offering) -> bool:
    """Return whether a node has what is offered: by the offering's own labels, else by product and kind of capacity."""
    if not node.allocatable.get(offering.resource_name):
        return False
    if offering.node_selector:
        return all(node.labels.get(name) == value for name, value in offering.node_selector.items())
    found = accelerator_of_node(node.labels)
    spot = any(node.labels.get(name) == value for name, value in SPOT_LABELS.items())
    return (
        found is not None
        and found.name == offering.accelerator.name
        and spot == (offering.capacity_type == CapacityType.SPOT)
    )
