"""What routes of one namespace share: one router, with one master key, one database and one key a tenant."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from costpolicy.api.containers import ResourceRequirements
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.objects import SecretKeyRef
from costpolicy.api.reasons import Reason
from costpolicy.api.validation import Problem
from costpolicy.manifests.router.identity import ROUTER
from costpolicy.manifests.router.inputs import Route, Router, Tenant
from costpolicy.reconcile.routes.renewals import renewals
from costpolicy.reconcile.routes.snapshot import RoutesSnapshot

MASTER_KEY: Final = SecretKeyRef(name=ROUTER, key="master-key")
"""The Secret that the operator creates where routes name none."""


def conflicts(routes: Sequence[ModelRoute]) -> Mapping[str, Problem]:
    """Return by name why a route cannot share the router with older ones; those that can are left out."""
    found: dict[str, Problem] = {}
    sharing: list[ModelRoute] = []
    for route in routes:
        differing = next((what for other in sharing for what in _differences(route, other)), None)
        if differing is None:
            sharing.append(route)
        else:
            found[route.metadata.name] = Problem(reason=Reason.ROUTER_SETTINGS_DIFFER, message=differing)
    return found


def _differences(route: ModelRoute, older: ModelRoute) -> Iterable[str]:
    mine, theirs = route.spec, older.spec
    settings = (
        ("spec.router.masterKeySecretRef", mine.router.master_key_secret_ref, theirs.router.master_key_secret_ref),
        ("spec.router.databaseSecretRef", mine.router.database_secret_ref, theirs.router.database_secret_ref),
        ("spec.attribution.header", mine.attribution.header, theirs.attribution.header),
    )
    for field, own, other in settings:
        if own != other:
            yield _message(field, older)
    keys = {tenant.name: tenant.key_secret_ref for tenant in theirs.attribution.tenants}
    for tenant in mine.attribution.tenants:
        if keys.get(tenant.name, tenant.key_secret_ref) != tenant.key_secret_ref:
            yield _message(f"spec.attribution.tenants: keySecretRef of {tenant.name}", older)


def _message(field: str, older: ModelRoute) -> str:
    name = older.metadata.name
    return f"{field} differs from that of ModelRoute {name}, and one router serves both: make them the same, or use two namespaces"


def router_of(snapshot: RoutesSnapshot, rendered: Sequence[Route]) -> Router | None:
    """Return the router that serves these routes, or None: there is nothing to serve, or nothing to run it with."""
    if not rendered or not snapshot.image:
        return None
    names = {route.name for route in rendered}
    served = [route for route in snapshot.routes if route.metadata.name in names]
    first = served[0].spec
    return Router(
        namespace=snapshot.namespace,
        image=snapshot.image,
        replicas=max(route.spec.router.replicas for route in served),
        routes=tuple(sorted(rendered, key=lambda route: route.name)),
        tenants=_tenants(served),
        master_key=first.router.master_key_secret_ref or MASTER_KEY,
        database=first.router.database_secret_ref,
        image_pull_secrets=snapshot.image_pull_secrets,
        feature_header=first.attribution.header,
        resources=_resources(served),
        renewals=renewals(served, rendered),
        operator_image=snapshot.operator_image,
    )


def _tenants(served: Sequence[ModelRoute]) -> tuple[Tenant, ...]:
    keys: dict[str, SecretKeyRef] = {}
    routes: dict[str, list[str]] = {}
    for route in sorted(served, key=lambda one: one.metadata.name):
        for tenant in route.spec.attribution.tenants:
            keys[tenant.name] = tenant.key_secret_ref
            routes.setdefault(tenant.name, []).append(route.metadata.name)
    return tuple(Tenant(name=name, key=keys[name], routes=tuple(routes[name])) for name in sorted(keys))


def _resources(served: Sequence[ModelRoute]) -> ResourceRequirements | None:
    ordered = sorted(served, key=lambda one: one.metadata.name)
    return next((route.spec.router.resources for route in ordered if route.spec.router.resources), None)
