"""ScaledObject of KEDA (``keda.sh/v1alpha1``)."""

from typing import Literal

from kubernetes.client import V1ObjectMeta, V2HorizontalPodAutoscalerBehavior

from costpolicy.manifests.foreign.part import Part


class ScaleTargetRef(Part):
    """What is scaled."""

    api_version: str
    kind: str
    name: str


class PrometheusQuery(Part):
    """What a trigger of type ``prometheus`` asks; all values are text.

    ``ignore_null_values`` is ``"false"`` here: an answer without a sample is an error and not a load of 0.
    """

    server_address: str
    query: str
    threshold: str
    ignore_null_values: Literal["false"] = "false"


class ScaleTrigger(Part):
    """One reason to scale."""

    type: Literal["prometheus"] = "prometheus"
    metric_type: Literal["AverageValue"] = "AverageValue"
    metadata: PrometheusQuery


class HorizontalPodAutoscalerConfig(Part):
    """What KEDA hands on to the HorizontalPodAutoscaler that it makes."""

    behavior: V2HorizontalPodAutoscalerBehavior


class AdvancedConfig(Part):
    """Further settings."""

    horizontal_pod_autoscaler_config: HorizontalPodAutoscalerConfig


class ScaledObjectSpec(Part):
    """Bounds, and what is followed."""

    scale_target_ref: ScaleTargetRef
    min_replica_count: int
    max_replica_count: int
    advanced: AdvancedConfig
    triggers: list[ScaleTrigger]


class ScaledObject(Part):
    """What KEDA scales, and by what."""

    api_version: Literal["keda.sh/v1alpha1"] = "keda.sh/v1alpha1"
    kind: Literal["ScaledObject"] = "ScaledObject"
    metadata: V1ObjectMeta
    spec: ScaledObjectSpec
