"""The NetworkPolicy of a router: who reaches it, and whom it reaches."""

from typing import Final
from urllib.parse import urlsplit

from kubernetes import client

from costpolicy.manifests.identity import HTTP_PORT as ENGINE_PORT
from costpolicy.manifests.identity import POLICY_LABEL
from costpolicy.manifests.router.identity import (
    HTTP_PORT,
    METRICS_PORT,
    router_meta,
    router_selector,
)
from costpolicy.manifests.router.inputs import External, Router, SelfHosted
from costpolicy.manifests.serialization import Object, to_object

DATABASE_PORT: Final = 5432
_DNS: Final = 53
_HTTPS: Final = 443
_HTTP: Final = 80


def router_network_policy(router: Router) -> Object:
    """Return the NetworkPolicy: in to its two ports, out to name servers, engines of its tiers and, only where there are
    any, providers and a database.

    Where a provider or a database is, only a name or a Secret says; so those rules name ports and no addresses.
    """
    return to_object(
        client.V1NetworkPolicy(
            api_version="networking.k8s.io/v1",
            kind="NetworkPolicy",
            metadata=router_meta(router),
            spec=client.V1NetworkPolicySpec(
                pod_selector=client.V1LabelSelector(match_labels=router_selector()),
                policy_types=["Ingress", "Egress"],
                ingress=[client.V1NetworkPolicyIngressRule(ports=[_tcp(HTTP_PORT), _tcp(METRICS_PORT)])],
                egress=_egress(router),
            ),
        )
    )


def _egress(router: Router) -> list[client.V1NetworkPolicyEgressRule]:
    backends = [tier.backend for route in router.routes for tier in route.tiers]
    policies = sorted({backend.policy for backend in backends if isinstance(backend, SelfHosted)})
    outside = {_port(backend.base_url) for backend in backends if isinstance(backend, External)}
    rules = [client.V1NetworkPolicyEgressRule(ports=[_udp(_DNS), _tcp(_DNS)])]
    if policies:
        rules.append(client.V1NetworkPolicyEgressRule(to=[_pods_of(policies)], ports=[_tcp(ENGINE_PORT)]))
    if router.database is not None:
        outside.add(DATABASE_PORT)
    if outside:
        rules.append(client.V1NetworkPolicyEgressRule(ports=[_tcp(port) for port in sorted(outside)]))
    return rules


def _pods_of(policies: list[str]) -> client.V1NetworkPolicyPeer:
    expression = client.V1LabelSelectorRequirement(key=POLICY_LABEL, operator="In", values=policies)
    return client.V1NetworkPolicyPeer(pod_selector=client.V1LabelSelector(match_expressions=[expression]))


def _port(base_url: str) -> int:
    """Return the port of a provider's address; an empty one is the provider's own, reached by HTTPS."""
    address = urlsplit(base_url)
    return address.port or (_HTTP if address.scheme == "http" else _HTTPS)


def _tcp(port: int) -> client.V1NetworkPolicyPort:
    return client.V1NetworkPolicyPort(port=port, protocol="TCP")


def _udp(port: int) -> client.V1NetworkPolicyPort:
    return client.V1NetworkPolicyPort(port=port, protocol="UDP")
