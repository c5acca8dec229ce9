"""The budget of voluntary disruptions."""

from kubernetes import client

from costpolicy.api.policy import CostPolicy
from costpolicy.manifests.identity import policy_labels, selector
from costpolicy.manifests.metadata import object_meta
from costpolicy.manifests.serialization import Object, to_object


def disruption_budget(policy: CostPolicy) -> Object:
    """Return the PodDisruptionBudget that lets a drain take one replica at a time, over all variants.

    Replicas that are not ready may always go: otherwise one that never starts would block the drain of its
    node.
    """
    return to_object(
        client.V1PodDisruptionBudget(
            api_version="policy/v1",
            kind="PodDisruptionBudget",
            metadata=object_meta(policy, policy.metadata.name, policy_labels(policy)),
            spec=client.V1PodDisruptionBudgetSpec(
                max_unavailable=1,
                selector=client.V1LabelSelector(match_labels=selector(policy)),
                unhealthy_pod_eviction_policy="AlwaysAllow",
            ),
        )
    )
