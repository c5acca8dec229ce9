"""Replicas for a rise that days before had too: asked for so early that they are ready when it comes.

It only ever adds: where nothing is known of those days, or the load did not rise on them, that of now alone counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from costpolicy.api.ahead import AheadStatus
from costpolicy.catalog.accelerators import accelerators
from costpolicy.kube.gateway import VARIANT_LABEL, Pod
from costpolicy.observe.ahead import within
from costpolicy.observe.observation import PolicyObservation
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.demand import Demand
from costpolicy.planning.plan import Target
from costpolicy.reconcile.demand import two_digits
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.rollout.disruption import start_time
from costpolicy.units import parse_duration

STEEP: Final = 0.1
"""Share of the load of now that a rise adds at least: less than that is what rounding to two digits adds already, and what
replicas that follow the load have kept up with in every simulated wave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A rate that is expected within a time, the load of now and a rise, and the replicas that it needs."""

    requests_per_second: float
    within: timedelta
    replicas: int

    def status(self) -> AheadStatus:
        """Return it in the API's words."""
        minutes = self.within // timedelta(minutes=1)
        return AheadStatus(requests_per_second=self.requests_per_second, within_minutes=minutes, replicas=self.replicas)


def ahead_of(outlook: Outlook, stable: LiveVariant) -> Ahead | None:
    """Return what the coming minutes are expected to need of what serves; ``None``: no more than now."""
    now, observed, configuration = outlook.demands.now, outlook.snapshot.observed, stable.configuration
    if now is None or configuration is None or not isinstance(observed, PolicyObservation):
        return None
    found = within(observed.rises, lead_of(outlook, stable, configuration))
    rate = None if found is None else expected_rate(now, found[1])
    if found is None or rate is None:
        return None
    demand: Demand = replace(now, requests_per_second=rate)
    sized = outlook.sized_while_it_serves(configuration, demand)
    return (
        Ahead(requests_per_second=rate, within=found[0], replicas=sized.replicas) if isinstance(sized, Target) else None
    )


def expected_rate(now: Demand, rise: float) -> float | None:
    """Return the rate after a rise, in two digits; ``None`` where it is too small to get anything ready for."""
    return two_digits(now.requests_per_second + rise, up=True) if rise >= STEEP * now.requests_per_second else None


def lead_of(outlook: Outlook, stable: LiveVariant, configuration: Configuration) -> timedelta:
    """Return how long before a rise replicas are asked for: until they are wanted for long enough, have started, and what is
    read of the rise, a mean over the window of rates, shows all of it.
    """
    snapshot = outlook.snapshot
    accelerator = accelerators().get(configuration.accelerator)
    weights = (
        outlook.planned.evaluation.replica(configuration, accelerator).memory.weights_bytes if accelerator else 0.0
    )
    metadata = snapshot.policy.metadata
    pods = snapshot.capacity.pods_of(metadata.namespace, metadata.name)
    starting = max(start_time(int(weights)), _seen_to_start(pods, stable))
    return starting + parse_duration(snapshot.policy.spec.scaling.stabilization.scale_up) + snapshot.rate_window


def _seen_to_start(pods: Iterable[Pod], stable: LiveVariant) -> timedelta:
    """Return how long the youngest ready replica took; a pod that restarted or got ready again tells nothing of it."""
    took = [
        (pod.started, pod.ready_since - pod.started)
        for pod in pods
        if pod.labels.get(VARIANT_LABEL) == stable.hash and pod.started and pod.ready_since and not pod.restarts
    ]
    return max(took, default=(None, timedelta(0)), key=lambda one: one[0])[1]
