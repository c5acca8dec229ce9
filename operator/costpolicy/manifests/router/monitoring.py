"""How Prometheus finds a router where the Prometheus operator is installed."""

from kubernetes import client

from costpolicy.manifests.foreign.pod_monitor import PodMetricsEndpoint, PodMonitor, PodMonitorSpec
from costpolicy.manifests.identity import HTTP_PORT_NAME
from costpolicy.manifests.router.identity import METRICS_PORT_NAME, router_meta, router_selector
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.serialization import Object, to_object


def router_pod_monitor(router: Router) -> Object:
    """Return the PodMonitor of both ports: what the callback counts, and what LiteLLM does."""
    return to_object(
        PodMonitor(
            metadata=router_meta(router),
            spec=PodMonitorSpec(
                selector=client.V1LabelSelector(match_labels=router_selector()),
                pod_metrics_endpoints=[
                    PodMetricsEndpoint(port=METRICS_PORT_NAME, path="/metrics", relabelings=[]),
                    # A mounted application: without the slash the answer is a redirection.
                    PodMetricsEndpoint(port=HTTP_PORT_NAME, path="/metrics/", relabelings=[]),
                ],
            ),
        )
    )
