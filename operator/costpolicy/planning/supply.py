"""What can be had: an offering together with the accelerators that a policy could take of it right now."""

from collections.abc import Sequence
from dataclasses import dataclass

from costpolicy.catalog.prices import Offering


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """An offering and its stock.

    Attributes:
        free_by_node: accelerators free for this policy on each existing node (its own included); ``None``: unlimited,
            as outside a cluster.
        provisionable_nodes: nodes that the cluster may still start for it (``maxNodes`` less the existing ones).
        reserved_free: accelerators of a reserved offering that are paid for and not used by others; 0 otherwise.
    """

    offering: Offering
    free_by_node: tuple[int, ...] | None = None
    provisionable_nodes: int = 0
    reserved_free: int = 0

    @property
    def exists(self) -> bool:
        """Whether the offering can be had at all: nodes carry it, or some can be started."""
        return self.free_by_node is None or bool(self.free_by_node) or self.provisionable_nodes > 0

    def placeable_replicas(self, accelerators: int) -> int | None:
        """Return how many replicas of that many accelerators fit on single nodes, or ``None`` for no limit."""
        if self.free_by_node is None:
            return None
        on_nodes = sum(free // accelerators for free in self.free_by_node)
        placeable = on_nodes + self.provisionable_nodes * (self.offering.accelerators_per_node // accelerators)
        if self.offering.count is not None:
            return min(placeable, self.offering.count // accelerators)
        return placeable


def unlimited(offerings: Sequence[Offering]) -> tuple[Supply, ...]:
    """Return the supply outside a cluster: everything offered is available; reserved capacity up to its count."""
    return tuple(Supply(offering=offering, reserved_free=offering.count or 0) for offering in offerings)
