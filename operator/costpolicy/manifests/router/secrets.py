"""What the router's pods are handed from Secrets, and under which names; the kubelet reads them and nobody else of ours."""

from collections.abc import Mapping
from typing import Final

from costpolicy.api.objects import SecretKeyRef
from costpolicy.manifests.router.inputs import External, Router, Tenant

MASTER_KEY: Final = "LITELLM_MASTER_KEY"
DATABASE_URL: Final = "DATABASE_URL"


def keyed_tenants(router: Router) -> tuple[Tenant, ...]:
    """Return the tenants whose keys the callback checks: none where LiteLLM has a database, and keys of its own in it."""
    return () if router.database else router.tenants


def tenant_variable(position: int) -> str:
    """Return the variable that holds the key of the tenant at a position of :func:`keyed_tenants`."""
    return f"COSTPOLICY_TENANT_{position}"


def provider_variables(router: Router) -> Mapping[SecretKeyRef, str]:
    """Return the variable of each provider's key, in the order in which routes name them first."""
    backends = (tier.backend for route in router.routes for tier in route.tiers)
    keys = (backend.api_key for backend in backends if isinstance(backend, External) and backend.api_key)
    return {key: f"COSTPOLICY_PROVIDER_{position}" for position, key in enumerate(dict.fromkeys(keys))}


def secret_variables(router: Router) -> Mapping[str, SecretKeyRef]:
    """Return every variable of the router's container that comes from a Secret."""
    variables = {MASTER_KEY: router.master_key}
    if router.database is not None:
        variables[DATABASE_URL] = router.database
    variables |= {tenant_variable(position): tenant.key for position, tenant in enumerate(keyed_tenants(router))}
    return variables | {name: key for key, name in provider_variables(router).items()}
