"""Which nodes are about to go, as those who take them away or drain them say it."""

from typing import Final

from costpolicy.kube.gateway import Node

NOTICES: Final = frozenset(
    {
        "aws-node-termination-handler/asg-lifecycle-termination",
        "aws-node-termination-handler/spot-itn",
        "cloud.google.com/impending-node-termination",
        "karpenter.sh/disrupted",
        "node.kubernetes.io/out-of-service",
        "remediator.kubernetes.azure.com/unschedulable",
        "ToBeDeletedByClusterAutoscaler",
    }
)
"""Taints of nodes that will be drained or taken away within minutes (AWS Node Termination Handler, GKE's graceful node
shutdown, Karpenter, Kubernetes' out-of-service, AKS' node auto-drain, Cluster Autoscaler; documentation read 2026-11)."""


def is_leaving(node: Node) -> bool:
    """Return whether a node takes no new pods because it, or what runs on it, is about to go."""
    return node.unschedulable or any(taint.key in NOTICES for taint in node.taints)
