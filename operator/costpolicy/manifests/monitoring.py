"""How Prometheus finds a policy's engines where the Prometheus operator is installed."""

from typing import Final

from kubernetes import client

from costpolicy.api.policy import CostPolicy
from costpolicy.manifests.foreign.pod_monitor import (
    PodMetricsEndpoint,
    PodMonitor,
    PodMonitorSpec,
    RelabelConfig,
)
from costpolicy.manifests.identity import HTTP_PORT_NAME, POLICY_LABEL, VARIANT_LABEL, policy_labels, selector
from costpolicy.manifests.metadata import object_meta
from costpolicy.manifests.serialization import Object, to_object

SERIES_LABELS: Final = {"costpolicy": POLICY_LABEL, "variant": VARIANT_LABEL}
"""Labels of scraped series and the pod labels that they come from; vLLM itself says only ``engine,
model_name``."""


def pod_monitor(policy: CostPolicy) -> Object:
    """Return the PodMonitor of a policy's engine pods."""
    endpoint = PodMetricsEndpoint(
        port=HTTP_PORT_NAME,
        path="/metrics",
        relabelings=[
            RelabelConfig(source_labels=[f"__meta_kubernetes_pod_label_{_sanitized(label)}"], target_label=target)
            for target, label in SERIES_LABELS.items()
        ],
    )
    return to_object(
        PodMonitor(
            metadata=object_meta(policy, policy.metadata.name, policy_labels(policy)),
            spec=PodMonitorSpec(
                selector=client.V1LabelSelector(match_labels=selector(policy)),
                pod_metrics_endpoints=[endpoint],
            ),
        )
    )


def _sanitized(label: str) -> str:
    """Return a Kubernetes label's key as Prometheus' service discovery spells it."""
    return "".join(character if character.isalnum() else "_" for character in label)
