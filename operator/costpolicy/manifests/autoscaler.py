"""Autoscalers of a policy: a HorizontalPodAutoscaler, or a ScaledObject from which KEDA makes one.

There is one a policy and it is named as the policy: at a promotion it moves from one variant to the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from kubernetes import client

from costpolicy.api.policy import CostPolicy
from costpolicy.manifests.foreign.scaled_object import (
    AdvancedConfig,
    HorizontalPodAutoscalerConfig,
    PrometheusQuery,
    ScaledObject,
    ScaledObjectSpec,
    ScaleTargetRef,
    ScaleTrigger,
)
from costpolicy.manifests.identity import policy_labels, variant_name
from costpolicy.manifests.metadata import object_meta
from costpolicy.manifests.serialization import Object, to_object
from costpolicy.planning.autoscaling import LoadSignal
from costpolicy.units import parse_duration

PAUSED_REPLICAS: Final = "autoscaling.keda.sh/paused-replicas"
"""Annotation with which KEDA keeps a number of replicas, whatever the load is."""

METRIC_PREFIX: Final = "costpolicy_"
LONGEST_WINDOW: Final = timedelta(hours=1)
"""What the API server takes as ``stabilizationWindowSeconds``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalerInputs:
    """What an autoscaler is rendered from.

    Attributes:
        variant: hash of the variant that it scales.
        bounds: fewest and most replicas, at least 1.
        targets: what one replica shall carry of each signal.
        stopped: no replica is wanted now, whatever the load is.
        annotations: what the operator notes on it.
    """

    policy: CostPolicy
    variant: str
    bounds: tuple[int, int]
    targets: Mapping[LoadSignal, float]
    stopped: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)


def metric_name(signal: LoadSignal) -> str:
    """Return the name under which the external metrics API serves a signal."""
    return f"{METRIC_PREFIX}{signal}"


def horizontal_pod_autoscaler(inputs: ScalerInputs) -> Object:
    """Return the HorizontalPodAutoscaler (``autoscaling/v2``).

    Its metrics are of type External: sums over a policy's replicas, selected by the policy's label ``policy``.  A night at 0
    is not its business: it disables itself where it finds no replica.
    """
    policy = inputs.policy
    target = _target_of(inputs)
    return to_object(
        client.V2HorizontalPodAutoscaler(
            api_version="autoscaling/v2",
            kind="HorizontalPodAutoscaler",
            metadata=_metadata(inputs, {}),
            spec=client.V2HorizontalPodAutoscalerSpec(
                scale_target_ref=client.V2CrossVersionObjectReference(**target.model_dump()),
                min_replicas=inputs.bounds[0],
                max_replicas=inputs.bounds[1],
                metrics=[_external(policy, signal, value) for signal, value in inputs.targets.items()],
                behavior=_behavior(policy),
            ),
        )
    )


def scaled_object(inputs: ScalerInputs, server: str, queries: Mapping[LoadSignal, str]) -> Object:
    """Return KEDA's ScaledObject.

    Args:
        inputs: what it scales; ``stopped`` pauses it at 0.
        server: root of the Prometheus API.
        queries: PromQL of each signal, each a single series.
    """
    policy = inputs.policy
    return to_object(
        ScaledObject(
            metadata=_metadata(inputs, {PAUSED_REPLICAS: "0"} if inputs.stopped else {}),
            spec=ScaledObjectSpec(
                scale_target_ref=_target_of(inputs),
                min_replica_count=inputs.bounds[0],
                max_replica_count=inputs.bounds[1],
                advanced=AdvancedConfig(
                    horizontal_pod_autoscaler_config=HorizontalPodAutoscalerConfig(behavior=_behavior(policy))
                ),
                triggers=[
                    ScaleTrigger(
                        metadata=PrometheusQuery(server_address=server, query=queries[signal], threshold=f"{value:g}")
                    )
                    for signal, value in inputs.targets.items()
                ],
            ),
        )
    )


def _metadata(inputs: ScalerInputs, annotations: Mapping[str, str]) -> client.V1ObjectMeta:
    policy = inputs.policy
    noted = {**inputs.annotations, **annotations}
    return object_meta(policy, policy.metadata.name, policy_labels(policy), noted or None)


def _target_of(inputs: ScalerInputs) -> ScaleTargetRef:
    return ScaleTargetRef(api_version="apps/v1", kind="Deployment", name=variant_name(inputs.policy, inputs.variant))


def _external(policy: CostPolicy, signal: LoadSignal, value: float) -> client.V2MetricSpec:
    return client.V2MetricSpec(
        type="External",
        external=client.V2ExternalMetricSource(
            metric=client.V2MetricIdentifier(
                name=metric_name(signal), selector=client.V1LabelSelector(match_labels={"policy": policy.metadata.name})
            ),
            target=client.V2MetricTarget(type="AverageValue", average_value=_quantity(value)),
        ),
    )


def _quantity(value: float) -> str:
    """Return a quantity as the API server stores it: in any other notation it would be applied anew each time."""
    milli = round(value * 1000)
    return f"{milli // 1000}" if milli % 1000 == 0 else f"{milli}m"


def _behavior(policy: CostPolicy) -> client.V2HorizontalPodAutoscalerBehavior:
    stabilization = policy.spec.scaling.stabilization
    return client.V2HorizontalPodAutoscalerBehavior(
        scale_up=_rules(stabilization.scale_up), scale_down=_rules(stabilization.scale_down)
    )


def _rules(duration: str) -> client.V2HPAScalingRules:
    window = min(parse_duration(duration), LONGEST_WINDOW)
    return client.V2HPAScalingRules(stabilization_window_seconds=window // timedelta(seconds=1))
