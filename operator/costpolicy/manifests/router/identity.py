"""Names, labels and owners of a namespace's router."""

from collections.abc import Sequence
from typing import Final

from kubernetes import client

from costpolicy.manifests.identity import COMPONENT_LABEL, MANAGED_BY, MANAGED_BY_LABEL, Labels
from costpolicy.manifests.router.inputs import Route, Router

ROUTER: Final = "costpolicy-router"
"""Name of the router's objects; a namespace has one router."""
COMPONENT: Final = "router"
HTTP_PORT: Final = 4000
"""LiteLLM's default."""
METRICS_PORT_NAME: Final = "metrics"
METRICS_PORT: Final = 9401
"""Where the callback serves what it counts."""

_INSTANCE_LABEL: Final = "app.kubernetes.io/instance"


def router_labels() -> Labels:
    """Return the labels of every object of a router, and of its pods.

    A policy's label is not among them: it would make a Service send requests for an engine to the router.
    """
    return {
        "app.kubernetes.io/name": "litellm",
        "app.kubernetes.io/part-of": "costpolicy",
        MANAGED_BY_LABEL: MANAGED_BY,
        **router_selector(),
    }


def router_selector() -> Labels:
    """Return what selects the router's pods; it is in the Deployment's selector, which can never change."""
    return {_INSTANCE_LABEL: ROUTER, COMPONENT_LABEL: COMPONENT}


def router_meta(router: Router, name: str = ROUTER) -> client.V1ObjectMeta:
    """Return the metadata of one of a router's objects: every stored route owns it, so the last that goes takes it along."""
    return client.V1ObjectMeta(
        name=name,
        namespace=router.namespace or None,
        labels=router_labels(),
        owner_references=owned_by_routes(router.routes),
    )


def owned_by_routes(routes: Sequence[Route]) -> list[client.V1OwnerReference] | None:
    """Return references to every stored route; an object has one controller at most, so none of them is it."""
    owners = [
        client.V1OwnerReference(
            api_version="costpolicy.dev/v1alpha1",
            kind="ModelRoute",
            name=route.name,
            uid=route.uid,
            controller=False,
            block_owner_deletion=False,
        )
        for route in routes
        if route.uid
    ]
    return owners or None
