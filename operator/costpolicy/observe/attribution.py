"""From series of engine pods to series of policies and variants.

vLLM's own labels are ``engine`` and ``model_name`` only.  A PodMonitor of the operator relabels the pod's
policy and variant to ``costpolicy`` and ``variant``; where somebody else's scrape job did not, ``namespace``
and ``pod`` are joined with ``costpolicy_pod_info``.  Either way each engine counts once, however many jobs or
Prometheus replicas scrape it.
"""

from collections.abc import Callable
from typing import Final

from costpolicy.observe.exported import POD_INFO, ExportedGauge
from costpolicy.observe.scope import Scope

VARIANT: Final = ("namespace", "policy", "variant")
POLICY: Final = ("namespace", "policy")


def exported(scope: Scope, gauge: ExportedGauge, measure: Callable[[str], str] = str) -> str:
    """Return a gauge of the operator, one series a label set, whether or not ``honorLabels`` was set.

    Args:
        scope: what to read.
        gauge: of the operator.
        measure: turns a selector into an instant vector, such as ``last_over_time(... [1d])``.
    """
    hidden = [label for label in ("namespace", "pod") if label in gauge.labels]
    plain = measure(scope.selector(gauge.name, *(f'exported_{label}=""' for label in hidden)))
    renamed = measure(scope.selector(gauge.name, *(f'exported_{label}!=""' for label in hidden)))
    for label in hidden:
        renamed = f'label_replace({renamed}, "{label}", "$1", "exported_{label}", "(.+)")'
    return f"max {scope.by(*gauge.labels)} ({plain} or {renamed})"


def owners(scope: Scope) -> str:
    """Return 1 for each engine pod, labelled with its policy and variant; never two series for one pod.

    Two series for one pod would be a many-to-many match, which fails the question for the whole fleet.
    """
    return f"topk {scope.by('namespace', 'pod')} (1, {exported(scope, POD_INFO)})"


def engines(scope: Scope, metric: str, measure: Callable[[str], str], *split: str) -> str:
    """Return a measure of each engine (``namespace, policy, variant, pod, engine`` and ``split``).

    Args:
        scope: what to read.
        metric: name of a series of engine pods.
        measure: turns a selector into an instant vector, such as ``rate(... [5m])``.
        split: further labels to keep, such as ``le``.
    """
    labelled = measure(scope.selector(metric, 'costpolicy!=""'))
    bare = measure(scope.selector(metric, 'costpolicy=""'))
    return (
        f"max {scope.by(*VARIANT, 'pod', 'engine', *split)} ("
        f'label_replace({labelled}, "policy", "$1", "costpolicy", "(.+)")'
        f" or {bare} * {scope.on('namespace', 'pod')} group_left (policy, variant) {owners(scope)})"
    )


def pods(scope: Scope, metric: str, measure: Callable[[str], str]) -> str:
    """Return a measure of each pod, which is a replica: the greatest of its engines (its data-parallel ranks)."""
    return f"max {scope.by(*VARIANT, 'pod')} ({engines(scope, metric, measure)})"


def variants(scope: Scope, metric: str, measure: Callable[[str], str], *split: str, combine: str = "sum") -> str:
    """Return a measure combined (``sum``, ``avg``, ``max``) over the engines of each variant."""
    return f"{combine} {scope.by(*VARIANT, *split)} ({engines(scope, metric, measure, *split)})"
