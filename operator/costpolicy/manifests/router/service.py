"""The Service that clients of a router use."""

from kubernetes import client

from costpolicy.manifests.identity import HTTP_PORT_NAME
from costpolicy.manifests.router.identity import HTTP_PORT, router_meta, router_selector
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.serialization import Object, to_object


def router_service(router: Router) -> Object:
    """Return the Service."""
    port = client.V1ServicePort(
        name=HTTP_PORT_NAME, port=HTTP_PORT, target_port=HTTP_PORT_NAME, protocol="TCP", app_protocol="http"
    )
    return to_object(
        client.V1Service(
            api_version="v1",
            kind="Service",
            metadata=router_meta(router),
            spec=client.V1ServiceSpec(type="ClusterIP", selector=router_selector(), ports=[port]),
        )
    )
