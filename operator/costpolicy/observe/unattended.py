"""What policies hold while no operator is scraped, as kube-state-metrics tells it where that is scraped.

Accelerators are paid for whether or not somebody watches.  Pods and their requests are kube-state-metrics' stable series
(``kube_pod_container_resource_requests``, ``kube_pod_status_phase``); a pod's policy and variant are in its name, and its
accelerator and price are those that the operator exported last, within a day.  What a pod was doing is not told, so the state of
such accelerators is ``unattended``.
"""

from typing import Final

from costpolicy.observe.attribution import VARIANT, exported
from costpolicy.observe.exported import BUILD_INFO, PRICE_PER_HOUR
from costpolicy.observe.queries import tagged
from costpolicy.observe.scope import Scope

UNATTENDED: Final = "unattended"
_REMEMBERED: Final = "1d"
"""How long the last price counts: an operator that is away for longer is missed by then."""
_RESOURCES: Final = ".*(gpu|mig).*"
"""Extended resources, as kube-state-metrics writes them: ``nvidia_com_gpu``."""
_POD: Final = "(.+)-([0-9a-f]{10})-[0-9a-z]+-[0-9a-z]{5}"
"""Pods of a Deployment ``<policy>-<variant>``: its name, the hash of its template and five characters."""


def accelerators_unattended(scope: Scope) -> str:
    """Accelerators held by variants whose operator is away, split by accelerator, capacity type and ``state``."""
    split = scope.by(*VARIANT, "accelerator", "capacity_type")
    one = f"count {split} (topk {scope.by(*VARIANT)} (1, {_last_price(scope)}))"
    matched = f"{scope.on(*VARIANT)} group_left (accelerator, capacity_type)"
    return _while_away(scope, f"sum {split} ({_held(scope)} * {matched} {one})")


def cost_unattended(scope: Scope) -> str:
    """What those cost per hour at the last price, split by ``currency`` as well."""
    price = f"topk {scope.by(*VARIANT)} (1, {_last_price(scope)})"
    matched = f"{scope.on(*VARIANT)} group_left (accelerator, capacity_type, currency)"
    split = scope.by(*VARIANT, "accelerator", "capacity_type", "currency")
    return _while_away(scope, f"sum {split} ({_held(scope)} * {matched} {price})")


def known(scope: Scope) -> str:
    """A sample while it is known what is held: the operators that are scraped, or 0 while kube-state-metrics stands in."""
    last = f"last_over_time({scope.selector(BUILD_INFO.name)}[{_REMEMBERED}])"
    away = f"0 * (count {scope.by()} ({scope.selector('kube_pod_status_phase')}) and {scope.on()} {last})"
    return f"count {scope.by()} ({scope.selector(BUILD_INFO.name)}) or {away}"


def _held(scope: Scope) -> str:
    """Accelerators that scheduled pods of each variant ask for and that have not ended."""
    pod = scope.by("namespace", "pod")
    asked = scope.selector("kube_pod_container_resource_requests", f'resource=~"{_RESOURCES}"', 'node!=""')
    alive = scope.selector("kube_pod_status_phase", 'phase=~"Pending|Running"')
    on = f"{scope.on('namespace', 'pod')} group_left ()"
    pods = f"sum {pod} ({asked}) * {on} (max {pod} ({alive}) == 1)"
    named = f'label_replace(label_replace({pods}, "policy", "$1", "pod", "{_POD}"), "variant", "$2", "pod", "{_POD}")'
    return f"sum {scope.by(*VARIANT)} ({named})"


def _last_price(scope: Scope) -> str:
    return exported(scope, PRICE_PER_HOUR, lambda selector: f"last_over_time({selector}[{_REMEMBERED}])")


def _while_away(scope: Scope, expression: str) -> str:
    there = f"count {scope.by()} ({scope.selector(BUILD_INFO.name)})"
    return f"{tagged(UNATTENDED, expression, 'state')} unless {scope.on()} {there}"
