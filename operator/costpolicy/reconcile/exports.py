"""What the operator exports about the fleet, so that Prometheus keeps the history of who held which accelerator.

No figure is invented: an accelerator is counted while a pod that asks for it has a node and has not ended.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from costpolicy.api.policy import CostPolicy
from costpolicy.kube.gateway import POLICY_LABEL, VARIANT_LABEL, Gateway, NamespacedName, Pod
from costpolicy.observe.exported import (
    GPUS,
    POD_INFO,
    PRICE_PER_HOUR,
    PROPOSER_INFO,
    VARIANT_INFO,
    AcceleratorState,
    ExportedGauge,
)
from costpolicy.planning.configuration import Configuration
from costpolicy.reconcile.fleet import Fleet
from costpolicy.reconcile.live import Live, live_of
from costpolicy.reconcile.policy_exports import Series, policy_series
from costpolicy.reconcile.targets import UNSEEN, advised, target_of
from costpolicy.units import MICROS_PER_UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningVariant:
    """A variant as its policy's objects describe it.

    ``selected``: a Service sends traffic to it.  Without a configuration its pods cannot be priced.
    """

    namespace: str
    policy: str
    hash: str
    configuration: Configuration | None
    selected: bool


def running_variants(gateway: Gateway, fleet: Fleet) -> tuple[RunningVariant, ...]:
    """Return the variants of every policy, from its own objects."""
    found = []
    for policy in fleet.policies:
        namespace, name = policy.metadata.namespace, policy.metadata.name
        live = _live(policy, gateway, fleet)
        found += [
            RunningVariant(
                namespace=namespace,
                policy=name,
                hash=variant.hash,
                configuration=variant.configuration,
                selected=live.stable_hash in (None, variant.hash),
            )
            for variant in live.variants
        ]
    return tuple(found)


def _live(policy: CostPolicy, gateway: Gateway, fleet: Fleet) -> Live:
    namespace, name = policy.metadata.namespace, policy.metadata.name
    ref = target_of(policy)
    if ref is not None:
        target = fleet.targets.get(NamespacedName(namespace, ref.name), UNSEEN)
        return advised(policy, target, fleet.around).live
    return live_of(gateway.owned(namespace, name), (), name)


def fleet_series(variants: Iterable[RunningVariant], fleet: Fleet) -> dict[ExportedGauge, Series]:
    """Return the series of each exported gauge."""
    pods, hourly = fleet.capacity.pods, fleet.prices.hourly()
    known = {(variant.namespace, variant.policy, variant.hash): variant for variant in variants}
    info: dict[tuple[str, ...], float] = {}
    held: Counter[tuple[str, ...]] = Counter()
    price: dict[tuple[str, ...], float] = {}
    proposers: dict[tuple[str, ...], float] = {}
    kernels: dict[tuple[str, ...], float] = {}
    for pod in pods:
        key = (pod.namespace, pod.labels.get(POLICY_LABEL, ""), pod.labels.get(VARIANT_LABEL, ""))
        variant = known.get(key)
        if variant is None:
            continue
        info[(pod.namespace, pod.name, variant.policy, variant.hash)] = 1.0
        configuration = variant.configuration
        if configuration is None:
            continue
        kernels[(*key, configuration.kernels)] = 1.0
        if configuration.proposer is not None:
            proposers[(*key, configuration.proposer.label)] = 1.0
        if not pod.node:
            continue
        what = (*key, configuration.accelerator, configuration.capacity_type.value)
        held[(*what, state_of(pod, selected=variant.selected).value)] += pod.requests.get(
            configuration.resource_name, 0
        )
        cost = hourly.get((configuration.accelerator, configuration.capacity_type))
        if cost is not None:
            price[(*what, fleet.prices.currency)] = cost.micros / MICROS_PER_UNIT
    return {
        POD_INFO: info,
        GPUS: {labels: float(count) for labels, count in held.items()},
        PRICE_PER_HOUR: price,
        PROPOSER_INFO: proposers,
        VARIANT_INFO: kernels,
        **policy_series(fleet.policies, fleet.at),
    }


def state_of(pod: Pod, *, selected: bool) -> AcceleratorState:
    """Return what the accelerators of a scheduled pod are doing."""
    if pod.terminating:
        return AcceleratorState.STOPPING
    if not pod.ready:
        return AcceleratorState.STARTING
    return AcceleratorState.READY if selected else AcceleratorState.IDLE
