"""Services: one for each variant, and the policy's own, which is what clients use."""

from kubernetes import client

from costpolicy.api.policy import CostPolicy
from costpolicy.manifests.identity import (
    HTTP_PORT,
    HTTP_PORT_NAME,
    Labels,
    policy_labels,
    selector,
    variant_labels,
    variant_name,
)
from costpolicy.manifests.metadata import object_meta
from costpolicy.manifests.serialization import Object, to_object


def variant_service(policy: CostPolicy, variant: str) -> Object:
    """Return the Service that reaches one variant only, so that a canary can be tested before clients meet
    it."""
    labels = variant_labels(policy, variant)
    return _service(policy, variant_name(policy, variant), labels, selector(policy, variant))


def policy_service(policy: CostPolicy, stable: str | None) -> Object:
    """Return the Service that clients use, named as the policy.

    Args:
        policy: whose Service.
        stable: the variant that gets all traffic; ``None`` shares it among every ready pod of the policy.
    """
    return _service(policy, policy.metadata.name, policy_labels(policy), selector(policy, stable))


def _service(policy: CostPolicy, name: str, labels: Labels, pods: Labels) -> Object:
    return http_service(object_meta(policy, name, labels), pods, HTTP_PORT)


def http_service(metadata: client.V1ObjectMeta, pods: Labels, port: int) -> Object:
    """Return a Service on a port that reaches the port of selected pods that is called as HTTP ports are."""
    http = client.V1ServicePort(
        name=HTTP_PORT_NAME, port=port, target_port=HTTP_PORT_NAME, protocol="TCP", app_protocol="http"
    )
    return to_object(
        client.V1Service(
            api_version="v1",
            kind="Service",
            metadata=metadata,
            spec=client.V1ServiceSpec(type="ClusterIP", selector=pods, ports=[http]),
        )
    )
