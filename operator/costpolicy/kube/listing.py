"""How each kind is listed: by which labels, and what lists leave out."""

from collections.abc import Iterator, Mapping, Sequence

from costpolicy.kube.gateway import (
    COMPONENT_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    POLICY_LABEL,
    ROUTER_COMPONENT,
    Object,
)
from costpolicy.kube.kinds import AUTOSCALERS, OWNED, ROUTER_ONLY, Kind


def complete(items: Sequence[Object], kind: Kind) -> Iterator[Object]:
    """Give each item the apiVersion and kind that lists leave out."""
    for item in items:
        yield {"apiVersion": kind.api_version, "kind": kind.kind, **item}


def selector(kind: Kind, policy: str) -> Mapping[str, str]:
    """Return the query that a kind is listed with."""
    ours = f"{MANAGED_BY_LABEL}={MANAGED_BY}"
    if kind in ROUTER_ONLY:
        return {"labelSelector": f"{ours},{COMPONENT_LABEL}={ROUTER_COMPONENT}"}
    if kind not in OWNED or (kind in AUTOSCALERS and not policy):
        return {}
    return {"labelSelector": f"{ours},{POLICY_LABEL}={policy}" if policy else ours}
