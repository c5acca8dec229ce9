"""Worlds on Spot: nodes that may be interrupted, the same accelerator on demand, and what stands in."""

from typing import Any

from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World
from stories import KEY, L40S, chat, prices, world

ALL = ["spot-1", "spot-2"]
RATE = 12.0
_SPOT = {"karpenter.sh/capacity-type": "spot"}


def book(max_nodes: int | None = None) -> dict[str, Any]:
    """Both accelerators on demand, and L40S on Spot."""
    document = prices()
    spot: dict[str, Any] = {"accelerator": L40S, "capacityType": "Spot", "hourly": "0.75"}
    if max_nodes is not None:
        spot["maxNodes"] = max_nodes
    return {**document, "spec": {**document["spec"], "offerings": [*document["spec"]["offerings"], spot]}}


def spot_world(l40s: int = 8, h100: int = 0, max_nodes: int | None = None, **spec: Any) -> World:
    """A policy on Spot that has not begun to serve yet: two nodes of four, and as many on demand."""
    made = world(h100=h100, l40s=l40s, book=book(max_nodes))
    spot_nodes_come(made)
    fields = {"hardware": {"capacityTypes": ["Spot", "OnDemand"]}, "rollout": {"mode": "Auto"}, **spec}
    made.apply(chat(traffic={"requestsPerSecond": RATE, "promptTokens": 1000, "outputTokens": 250}, **fields))
    made.traffic[KEY] = Traffic(curve=Constant(RATE))
    return made


def spot_nodes_come(made: World) -> None:
    """Spot nodes come (back)."""
    for name in ALL:
        made.cluster.add_node(name, L40S, 4, **_SPOT)


def interrupted(made: World, names: list[str]) -> None:
    """Spot nodes are gone."""
    for name in names:
        made.cluster.remove_node(name)


def role(made: World, name: str) -> dict[str, Any]:
    """What status says of the variant of a role."""
    return next(
        {"readyReplicas": 0, "replicas": 0, **each} for each in made.status(*KEY)["variants"] if each["role"] == name
    )
