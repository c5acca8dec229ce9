"""Which routes send requests to which policies, read once for all policies, and what a playbook says of it."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from costpolicy.api.conditions import ConditionType, find
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.types import OutputLengthMode
from costpolicy.kube.gateway import NamespacedName, Unreadable
from costpolicy.savings.playbook.facts import Routed

RoutesOf: TypeAlias = Mapping[NamespacedName, tuple[Routed, ...]]
"""By the policy that they send requests to, in order of their names."""


def routes_of(routes: Iterable[ModelRoute | Unreadable]) -> RoutesOf:
    """Return the routes of each policy that is a tier of one."""
    found: dict[NamespacedName, tuple[Routed, ...]] = {}
    readable = (route for route in routes if isinstance(route, ModelRoute))
    for route in sorted(readable, key=lambda route: route.metadata.name):
        for tier in route.spec.tiers:
            if tier.policy_ref is not None:
                key = NamespacedName(route.metadata.namespace, tier.policy_ref.name)
                found[key] = (*found.get(key, ()), _routed(route))
    return found


def _routed(route: ModelRoute) -> Routed:
    spec, status = route.spec, route.status
    share = status.routed if status is not None else ""
    savings = status.savings if status is not None else None
    compressing = find(status.conditions, ConditionType.COMPRESSING) if status is not None else None
    capped = bool(spec.output_length.features or spec.output_length.max_tokens or spec.output_length.stop)
    return Routed(
        route=route.metadata.name,
        share="" if share == "0%" else share,
        saved=savings.against_dearest if savings is not None else "",
        compresses=compressing is not None and compressing.status == "True",
        caps=spec.output_length.mode is OutputLengthMode.ENFORCE and capped,
    )
