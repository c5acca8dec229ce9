"""What runs of a namespace's router, from its stored objects and its pods."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from costpolicy.kube.gateway import Object, Pod
from costpolicy.kube.kinds import DEPLOYMENT

CONFIGURATIONS: Final = "costpolicy.dev/configurations"
"""On the Deployment: names of the ConfigMaps that were made for it and not deleted yet.  The operator may not list ConfigMaps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterState:
    """A router as it runs.

    Attributes:
        exists: there is a Deployment.
        ready: replicas that are ready.
        rolled_out: all replicas are of the stored Deployment's last version, and ready.
        configurations: ConfigMaps that its pods mount by that version.
        remembered: those that were made for it and not deleted yet.
    """

    exists: bool = False
    ready: int = 0
    rolled_out: bool = False
    configurations: frozenset[str] = frozenset()
    remembered: frozenset[str] = frozenset()

    def serves(self, configuration: str) -> bool:
        """Return whether every replica has a configuration."""
        return self.rolled_out and configuration in self.configurations


def state_of(stored: Iterable[Object]) -> RouterState:
    """Return the state of the Deployment among a router's objects."""
    deployment = next((item for item in stored if item["kind"] == DEPLOYMENT.kind), None)
    if deployment is None:
        return RouterState()
    spec, status = deployment["spec"], deployment.get("status", {})
    replicas, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    counts = (status.get("replicas", 0), status.get("updatedReplicas", 0), ready)
    observed = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    volumes = spec["template"]["spec"].get("volumes", ())
    named = deployment["metadata"].get("annotations", {}).get(CONFIGURATIONS, "")
    return RouterState(
        exists=True,
        ready=ready,
        rolled_out=observed and all(count == replicas for count in counts),
        configurations=frozenset(volume["configMap"]["name"] for volume in volumes if "configMap" in volume),
        remembered=frozenset(filter(None, named.split(","))),
    )


def remembering(objects: Iterable[Object], configurations: Iterable[str]) -> tuple[Object, ...]:
    """Return a router's objects, its Deployment with a note of the configurations that exist."""
    note = {CONFIGURATIONS: ",".join(sorted(configurations))}
    return tuple(_annotated(item, note) if item["kind"] == DEPLOYMENT.kind else item for item in objects)


def _annotated(item: Object, note: dict[str, str]) -> Object:
    metadata = item["metadata"]
    return {**item, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **note}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a pod of the router does not get ready."""

    secret: str = ""
    """A Secret is missing: what the kubelet says of it."""
    died: str = ""
    """Its container ended by itself: its last words."""
    unschedulable: str = ""
    """It finds no node: what the scheduler says."""


def trouble_of(pods: Iterable[Pod]) -> Trouble:
    """Return what keeps a router's pods from getting ready, the first of each kind."""
    waiting = [pod for pod in pods if not pod.ready and not pod.terminating]
    missing = (pod.waiting_message or "a Secret is missing" for pod in waiting if pod.waiting_reason == _MISCONFIGURED)
    died = (pod.termination_message or "it said nothing" for pod in waiting if pod.restarts)
    unschedulable = (pod.unschedulable for pod in waiting if pod.unschedulable)
    return Trouble(secret=next(missing, ""), died=next(died, ""), unschedulable=next(unschedulable, ""))


_MISCONFIGURED = "CreateContainerConfigError"
"""The kubelet's word for a container whose environment names a Secret, or a key, that is not there."""
