"""PodMonitor of the Prometheus operator (``monitoring.coreos.com/v1``)."""

from typing import Literal

from kubernetes.client import V1LabelSelector, V1ObjectMeta
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    def to_dict(self) -> dict[str, object]:
        """Return set fields under their JSON names: what the client's serializer asks a model for."""
        return {
            field.alias or name: getattr(self, name)
            for name, field in type(self).model_fields.items()
            if getattr(self, name) is not None
        }


class RelabelConfig(_Part):
    """One step that rewrites the labels of a target."""

    source_labels: list[str]
    target_label: str
    action: Literal["replace"] = "replace"


class PodMetricsEndpoint(_Part):
    """One port of the selected pods that is scraped."""

    port: str
    path: str
    relabelings: list[RelabelConfig]


class PodMonitorSpec(_Part):
    """Which pods are scraped, and how."""

    selector: V1LabelSelector
    pod_metrics_endpoints: list[PodMetricsEndpoint]


class PodMonitor(_Part):
    """How Prometheus scrapes a set of pods."""

    api_version: Literal["monitoring.coreos.com/v1"] = "monitoring.coreos.com/v1"
    kind: Literal["PodMonitor"] = "PodMonitor"
    metadata: V1ObjectMeta
    spec: PodMonitorSpec
