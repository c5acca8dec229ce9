"""PodMonitor of the Prometheus operator (``monitoring.coreos.com/v1``)."""

from typing import Literal

from kubernetes.client import V1LabelSelector, V1ObjectMeta

from costpolicy.manifests.foreign.part import Part


class RelabelConfig(Part):
    """One step that rewrites the labels of a target."""

    source_labels: list[str]
    target_label: str
    action: Literal["replace"] = "replace"


class PodMetricsEndpoint(Part):
    """One port of the selected pods that is scraped."""

    port: str
    path: str
    relabelings: list[RelabelConfig]


class PodMonitorSpec(Part):
    """Which pods are scraped, and how."""

    selector: V1LabelSelector
    pod_metrics_endpoints: list[PodMetricsEndpoint]


class PodMonitor(Part):
    """How Prometheus scrapes a set of pods."""

    api_version: Literal["monitoring.coreos.com/v1"] = "monitoring.coreos.com/v1"
    kind: Literal["PodMonitor"] = "PodMonitor"
    metadata: V1ObjectMeta
    spec: PodMonitorSpec
