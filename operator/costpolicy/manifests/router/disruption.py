"""How many of a router's pods may go at once."""

from kubernetes import client

from costpolicy.manifests.router.identity import router_meta, router_selector
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.serialization import Object, to_object


def router_disruption_budget(router: Router) -> Object:
    """Return the budget that lets a drain take one replica at a time; those that are not ready may always go."""
    return to_object(
        client.V1PodDisruptionBudget(
            api_version="policy/v1",
            kind="PodDisruptionBudget",
            metadata=router_meta(router),
            spec=client.V1PodDisruptionBudgetSpec(
                max_unavailable=1,
                selector=client.V1LabelSelector(match_labels=router_selector()),
                unhealthy_pod_eviction_policy="AlwaysAllow",
            ),
        )
    )
