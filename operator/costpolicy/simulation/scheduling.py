"""Which node takes a pod, as kube-scheduler decides it: selector, required affinity, taints, free
accelerators."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from costpolicy.kube.gateway import Node, Object, Pod, Taint


def place(pod: Object, requests: Mapping[str, int], nodes: Iterable[Node], pods: Iterable[Pod]) -> str | None:
    """Return the fullest node that fits (fewest left-over accelerators), or ``None``."""
    held: dict[tuple[str, str], int] = {}
    for other in pods:
        for name, amount in other.requests.items():
            held[other.node, name] = held.get((other.node, name), 0) + amount
    left = {node.name: _left(node, requests, held) for node in nodes if admits(pod["spec"], node)}
    fitting = [(sum(amounts.values()), name) for name, amounts in left.items() if min(amounts.values(), default=0) >= 0]
    return min(fitting)[1] if fitting else None


def victims(pod: Object, requests: Mapping[str, int], nodes: Iterable[Node], pods: Sequence[Pod]) -> list[Pod]:
    """Return pods of lower priority that go so that a pod finds a place: on the node where they are fewest.

    Of each node the least important go first, as kube-scheduler's preemption has it; none, where that does not suffice.
    """
    mine = pod["spec"].get("priority", 0)
    found: list[list[Pod]] = []
    for node in nodes:
        weaker = sorted((other for other in pods if other.node == node.name and other.priority < mine), key=_importance)
        for count in range(1, len(weaker) + 1):
            left = [other for other in pods if other not in weaker[:count]]
            if place(pod, requests, [node], left) is not None:
                found.append(weaker[:count])
                break
    return min(found, key=len, default=[])


def admits(spec: Mapping[str, Any], node: Node) -> bool:
    """Return whether a pod may run on a node, accelerators aside."""
    if not node.ready or node.unschedulable:
        return False
    if any(node.labels.get(key) != value for key, value in spec.get("nodeSelector", {}).items()):
        return False
    affinity = spec.get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = required["nodeSelectorTerms"] if required else [{}]
    if not any(all(_holds(each, node.labels) for each in term.get("matchExpressions", ())) for term in terms):
        return False
    return all(_tolerated(taint, spec.get("tolerations", ())) for taint in node.taints)


def _importance(pod: Pod) -> tuple[int, bool]:
    return pod.priority, pod.ready


def _left(node: Node, requests: Mapping[str, int], held: Mapping[tuple[str, str], int]) -> dict[str, int]:
    return {
        name: node.allocatable.get(name, 0) - held.get((node.name, name), 0) - amount
        for name, amount in requests.items()
    }


def _holds(condition: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(condition["key"]), condition.get("values", ())
    match condition["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case operator:
            raise ValueError(f"the operator {operator} is not simulated")


def _tolerated(taint: Taint, tolerations: Iterable[Mapping[str, Any]]) -> bool:
    if taint.effect == "PreferNoSchedule":
        return True
    return any(
        each.get("key") in (None, taint.key)
        and each.get("effect") in (None, taint.effect)
        and (each.get("operator") == "Exists" or each.get("value", "") == taint.value)
        for each in tolerations
    )
