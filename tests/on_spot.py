"""A policy on Spot, with as many nodes on demand."""

from typing import Any

from builders import node, offering, policy
from costpolicy.api.types import CapacityType
from staging import Stage

BUSY = {"requestsPerSecond": 12, "promptTokens": 1000, "outputTokens": 250}
BOTH = {"capacityTypes": ["Spot", "OnDemand"]}
SPOT_NODE = "l40s"


def on_spot(**spec: Any) -> Stage:
    """A policy on Spot, on nodes of which the stage puts every pod on the first; as many on demand."""
    fields = {"traffic": BUSY, "hardware": {"accelerators": ["nvidia-l40s"], **BOTH}, **spec}
    stage = Stage(policy(**fields))
    stage.offerings = (
        offering("nvidia-l40s", "0.75", capacity_type=CapacityType.SPOT),
        offering("nvidia-l40s", "1.86"),
    )
    stage.nodes = (spot_node(), node("l40s-od", "nvidia-l40s", 8))
    return stage


def spot_node(**changes: Any):
    plain = node(SPOT_NODE, "nvidia-l40s", 8)
    labels = {**plain.labels, "karpenter.sh/capacity-type": "spot"}
    return node(SPOT_NODE, "nvidia-l40s", 8, labels=labels, **changes)
