"""The Service that clients of a router use."""

from costpolicy.manifests.router.identity import HTTP_PORT, router_meta, router_selector
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.serialization import Object
from costpolicy.manifests.services import http_service


def router_service(router: Router) -> Object:
    """Return the Service."""
    return http_service(router_meta(router), router_selector(), HTTP_PORT)
