"""The Deployment of a router; another configuration rolls it without a request lost."""

from kubernetes import client

from costpolicy.manifests.router.identity import router_meta, router_selector
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.router.pod import router_pod
from costpolicy.manifests.serialization import Object, to_object


def router_deployment(router: Router, *, monitored: bool) -> Object:
    """Return the Deployment.

    Args:
        router: what is rendered.
        monitored: whether the cluster has PodMonitors.

    Raises:
        ConfigurationTooLargeError: its configuration does not fit into a ConfigMap.
    """
    return to_object(
        client.V1Deployment(
            api_version="apps/v1",
            kind="Deployment",
            metadata=router_meta(router),
            spec=client.V1DeploymentSpec(
                replicas=router.replicas,
                selector=client.V1LabelSelector(match_labels=router_selector()),
                # A router that does not start, say for a wrong key, leaves those that serve alone.
                strategy=client.V1DeploymentStrategy(
                    type="RollingUpdate",
                    rolling_update=client.V1RollingUpdateDeployment(max_surge=1, max_unavailable=0),
                ),
                min_ready_seconds=5,
                revision_history_limit=3,
                template=router_pod(router, monitored=monitored),
            ),
        )
    )
