"""What the cluster's nodes leave for one policy, offering by offering."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from costpolicy.api.types import CapacityType
from costpolicy.catalog.accelerators import accelerator_of_node
from costpolicy.catalog.prices import Offering
from costpolicy.kube.gateway import POLICY_LABEL, Node, Pod
from costpolicy.manifests.placement import SPOT_LABELS
from costpolicy.planning.supply import Supply
from costpolicy.reconcile.notices import is_leaving


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Nodes and the accelerators that pods hold on them; ``key`` is ``(namespace, policy)`` of the asking policy."""

    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]

    def pods_of(self, namespace: str, policy: str) -> tuple[Pod, ...]:
        """Return the unfinished pods of one policy."""
        return tuple(pod for pod in self.pods if pod.namespace == namespace and pod.labels.get(POLICY_LABEL) == policy)

    def supplies(self, offerings: Sequence[Offering], key: tuple[str, str]) -> tuple[Supply, ...]:
        """Return each offering's stock for a policy, its own pods' accelerators counted as free."""
        held, products = self._held(key), [_product(node) for node in self.nodes]
        return tuple(self._supply(offering, products, held) for offering in offerings)

    def spare_replicas(self, offering: Offering, accelerators: int) -> int:
        """Return how many replicas find accelerators that nobody holds or waits for, provisionable nodes included."""
        [supply] = self.supplies([offering], ("", ""))
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

    def _supply(self, offering: Offering, products: Sequence["_Product"], held: Counter[tuple[str, str]]) -> Supply:
        resource = offering.resource_name
        nodes = [node for node, product in zip(self.nodes, products, strict=True) if _carries(node, product, offering)]
        stated = offering.accelerators_per_node
        per_node = (
            stated if offering.per_node_stated else max((node.allocatable[resource] for node in nodes), default=stated)
        )
        return Supply(
            offering=replace(offering, accelerators_per_node=per_node),
            free_by_node=tuple(
                max(node.allocatable[resource] - held[node.name, resource], 0)
                for node in nodes
                if node.ready and not is_leaving(node)
            ),
            provisionable_nodes=max((offering.max_nodes or 0) - len(nodes), 0),
            reserved_free=max((offering.count or 0) - sum(held[node.name, resource] for node in nodes), 0),
        )

    def _held(self, key: tuple[str, str]) -> Counter[tuple[str, str]]:
        """Return what the pods of others hold, by node and resource."""
        held: Counter[tuple[str, str]] = Counter()
        for pod in self.pods:
            if (pod.namespace, pod.labels.get(POLICY_LABEL, "")) != key:
                for resource, amount in pod.requests.items():
                    held[pod.node, resource] += amount
        return held


@dataclass(frozen=True, slots=True, kw_only=True)
class _Product:
    """What a node's labels say of its accelerators; ``name`` is ``None`` where they say nothing that is known."""

    name: str | None
    spot: bool


def _product(node: Node) -> _Product:
    found = accelerator_of_node(node.labels)
    return _Product(
        name=found.name if found else None,
        spot=any(node.labels.get(name) == value for name, value in SPOT_LABELS.items()),
    )


def _carries(node: Node, product: _Product, offering: Offering) -> bool:
    """Return whether a node has what is offered: by the offering's own labels, else by product and kind of capacity."""
    if not node.allocatable.get(offering.resource_name):
        return False
    if offering.node_selector:
        return all(node.labels.get(name) == value for name, value in offering.node_selector.items())
    return product.name == offering.accelerator.name and product.spot == (offering.capacity_type == CapacityType.SPOT)
