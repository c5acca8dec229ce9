"""JSON of the API server -> the gateway's values.  Pure; what is missing has Kubernetes' default."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from costpolicy.api.documents import explain
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.kube.gateway import (
    COMPONENT_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    POLICY_LABEL,
    ROUTER_COMPONENT,
    Json,
    Node,
    Object,
    Pod,
    Taint,
    Unreadable,
    reference,
)

FINISHED = frozenset({"Succeeded", "Failed"})


def parse_policy(item: Object) -> CostPolicy | Unreadable:
    """Read a stored CostPolicy."""
    try:
        return CostPolicy.model_validate(item)
    except ValidationError as problem:
        return _unreadable(item, problem)


def parse_route(item: Object) -> ModelRoute | Unreadable:
    """Read a stored ModelRoute."""
    try:
        return ModelRoute.model_validate(item)
    except ValidationError as problem:
        return _unreadable(item, problem)


def parse_price_book(item: Object) -> PriceBook | Unreadable:
    """Read a stored PriceBook."""
    try:
        return PriceBook.model_validate(item)
    except ValidationError as problem:
        return _unreadable(item, problem)


def _unreadable(item: Object, problem: ValidationError) -> Unreadable:
    return Unreadable(
        ref=reference(item), generation=item["metadata"].get("generation", 0), message="; ".join(explain(problem))
    )


def parse_node(item: Object) -> Node:
    """Read a node."""
    spec, status = item.get("spec", {}), item.get("status", {})
    taints = (
        Taint(key=taint["key"], value=taint.get("value", ""), effect=taint["effect"])
        for taint in spec.get("taints", ())
    )
    return Node(
        name=item["metadata"]["name"],
        labels=item["metadata"].get("labels", {}),
        allocatable=extended_resources(status.get("allocatable", {})),
        taints=tuple(taints),
        unschedulable=spec.get("unschedulable", False),
        ready=is_ready(status),
    )


def parse_pod(item: Object) -> Pod:
    """Read a pod."""
    metadata, spec, status = item["metadata"], item.get("spec", {}), item.get("status", {})
    scheduled = _condition(status, "PodScheduled")
    containers = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    ready = _condition(status, "Ready")
    serves, since = is_ready(status), _since(metadata, ready)
    return Pod(
        name=metadata["name"],
        namespace=metadata["namespace"],
        labels=metadata.get("labels", {}),
        node=spec.get("nodeName", ""),
        phase=status.get("phase", "Pending"),
        ready=serves,
        terminating="deletionTimestamp" in metadata,
        restarts=sum(container.get("restartCount", 0) for container in containers),
        requests=pod_requests(spec),
        priority=spec.get("priority", 0),
        termination_message=next(filter(None, map(_termination_message, containers)), ""),
        waiting_reason=next(filter(None, (_waiting(one, "reason") for one in containers)), ""),
        waiting_message=next(filter(None, (_waiting(one, "message") for one in containers)), ""),
        unschedulable=scheduled.get("message", "") if scheduled.get("reason") == "Unschedulable" else "",
        unready_since=None if serves else since,
        ready_since=since if serves else None,
        started=_time(status.get("startTime")),
    )


def is_ready(status: Mapping[str, Any]) -> bool:
    """Return whether the status of a node or pod says that it is ready."""
    return _condition(status, "Ready").get("status") == "True"


def _since(metadata: Mapping[str, Any], ready: Mapping[str, Any]) -> datetime | None:
    return _time(ready.get("lastTransitionTime") or metadata.get("creationTimestamp"))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def concerns_us(pod: Pod) -> bool:
    """Return whether a pod matters: unfinished, and an engine, a router or one that holds an extended resource."""
    return pod.phase not in FINISHED and (POLICY_LABEL in pod.labels or bool(pod.requests) or is_router(pod.labels))


def is_router(labels: Mapping[str, str]) -> bool:
    """Return whether these are labels of a router of ours."""
    return labels.get(MANAGED_BY_LABEL) == MANAGED_BY and labels.get(COMPONENT_LABEL) == ROUTER_COMPONENT


def extended_resources(quantities: Mapping[str, str]) -> dict[str, int]:
    """Return the extended resources (names with a slash) of a resource list; they come in whole units."""
    return {name: int(amount) for name, amount in quantities.items() if "/" in name and str(amount).isdecimal()}


def pod_requests(spec: Mapping[str, Any]) -> dict[str, int]:
    """Count as the scheduler does: containers and sidecars (init containers that stay) add up."""
    needed: dict[str, int] = {}
    for requests in _requests_of(spec.get("containers", ())):
        for name, amount in requests.items():
            needed[name] = needed.get(name, 0) + amount
    sidecars: dict[str, int] = {}
    for container, requests in zip(
        spec.get("initContainers", ()), _requests_of(spec.get("initContainers", ())), strict=True
    ):
        for name, amount in requests.items():
            if container.get("restartPolicy") == "Always":
                sidecars[name] = sidecars.get(name, 0) + amount
                needed[name] = needed.get(name, 0) + amount
            else:
                needed[name] = max(needed.get(name, 0), sidecars.get(name, 0) + amount)
    return needed


def _requests_of(containers: Json) -> Iterator[dict[str, int]]:
    for container in containers:
        resources = container.get("resources", {})
        yield extended_resources({**resources.get("limits", {}), **resources.get("requests", {})})


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    for condition in status.get("conditions", ()):
        if condition["type"] == kind:
            found: Mapping[str, Any] = condition
            return found
    return {}


def _termination_message(container: Mapping[str, Any]) -> str:
    for state in (container.get("state", {}), container.get("lastState", {})):
        if "terminated" in state:
            return str(state["terminated"].get("message", ""))
    return ""


def _waiting(container: Mapping[str, Any], what: str) -> str:
    return str(container.get("state", {}).get("waiting", {}).get(what, ""))
