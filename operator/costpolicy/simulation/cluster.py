"""Nodes, pods and the controllers between a Deployment and a ready pod."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from costpolicy.catalog.accelerators import accelerators
from costpolicy.clock import Clock
from costpolicy.kube.gateway import Object, ObjectRef, reference
from costpolicy.kube.kinds import DEPLOYMENT, NODE, POD
from costpolicy.kube.parsing import is_ready, parse_node, parse_pod
from costpolicy.manifests.identity import ACCELERATOR_LABEL
from costpolicy.simulation.scheduling import place, victims
from costpolicy.simulation.store import Store

LoadTime = Callable[[Object], timedelta]
"""How long the engine of a Deployment needs until it is ready."""

_WRITER: Final = "kube-controller-manager"
_HANDLER: Final = "aws-node-termination-handler"
_TEMPLATE: Final = "simulation/template"
_CRASHES_EVERY: Final = timedelta(minutes=1)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class SimulatedCluster:
    """Moves a store's pods on whenever it is asked to; nothing happens in between.

    Engines that start on an accelerator named in ``crashing`` die once a minute instead of getting ready.
    """

    def __init__(self, store: Store, clock: Clock, load_time: LoadTime) -> None:
        self._store = store
        self._clock = clock
        self._load_time = load_time
        self._made = 0
        self._settled_at = -1
        self._wakes = _NEVER
        self.crashing: set[str] = set()
        self.priority_classes: dict[str, int] = {}

    def add_node(self, name: str, accelerator: str, count: int, **labels: str) -> None:
        """Add a node as NVIDIA's device plugin and GPU feature discovery leave it."""
        facts = accelerators()[accelerator]
        key, values = next(iter(facts.node_labels.items()))
        amounts = {facts.resource_name: str(count)}
        self._store.create(
            {
                "apiVersion": NODE.api_version,
                "kind": NODE.kind,
                "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, key: values[0], **labels}},
                "spec": {"taints": [{"key": facts.resource_name, "effect": "NoSchedule"}]},
                "status": {"allocatable": amounts, "conditions": [{"type": "Ready", "status": "True"}]},
            },
            "kubelet",
        )

    def announce(self, name: str) -> None:
        """Say that a node will be taken away, as the AWS Node Termination Handler does: it takes no new pods."""
        ref = ObjectRef(api_version=NODE.api_version, kind=NODE.kind, name=name)
        node = self._store.get(ref)
        if node is None:
            return
        taint = {"key": "aws-node-termination-handler/spot-itn", "effect": "NoSchedule"}
        self._store.edit(ref, {"spec": {"unschedulable": True, "taints": [*node["spec"]["taints"], taint]}}, _HANDLER)

    def remove_node(self, name: str) -> None:
        """Take a node away, as a spot interruption does: its pods are gone at once."""
        self._store.delete(ObjectRef(api_version=NODE.api_version, kind=NODE.kind, name=name))
        for pod in list(self._store.kind(POD.api_version, POD.kind)):
            if pod["spec"].get("nodeName") == name:
                self._store.delete(reference(pod))

    def settle(self) -> None:
        """Let every controller act once: Deployments, scheduler, kubelets, then the Deployments' status.

        Where the last time changed nothing, nothing was written since and no pod was to get ready, nothing is done.
        """
        if self._store.moves == self._settled_at and self._clock.now() < self._wakes:
            return
        self._wakes, before = _NEVER, self._store.moves
        for deployment in list(self._store.kind(DEPLOYMENT.api_version, DEPLOYMENT.kind)):
            self._replicate(deployment)
        waiting = [pod for pod in self._store.kind(POD.api_version, POD.kind) if not pod["spec"].get("nodeName")]
        for pod in sorted(waiting, key=lambda pod: -pod["spec"]["priority"]):
            self._schedule(pod)
        for deployment in list(self._store.kind(DEPLOYMENT.api_version, DEPLOYMENT.kind)):
            self._start(deployment)
        self._settled_at = before if self._store.moves == before else -1

    def pods_of(self, deployment: Object) -> list[Object]:
        """Return the pods of a Deployment, the oldest first."""
        uid = deployment["metadata"]["uid"]
        pods = self._store.kind(POD.api_version, POD.kind)
        return [pod for pod in pods if pod["metadata"].get("ownerReferences", [{}])[0].get("uid") == uid]

    def _replicate(self, deployment: Object) -> None:
        """Make the number of pods right.

        A changed template replaces all of them at once: harsher than a rolling update, so that a test
        notices.
        """
        template = json.dumps(deployment["spec"]["template"], sort_keys=True)
        pods = self.pods_of(deployment)
        stale = [pod for pod in pods if pod["metadata"]["annotations"][_TEMPLATE] != template]
        current = [pod for pod in pods if pod not in stale]
        wanted = deployment["spec"]["replicas"]
        excess = sorted(current, key=lambda pod: (is_ready(pod["status"]), bool(pod["spec"].get("nodeName"))))
        for pod in [*stale, *excess[: max(len(current) - wanted, 0)]]:
            self._store.delete(reference(pod))
        for _ in range(wanted - len(current)):
            self._create_pod(deployment, template)

    def _create_pod(self, deployment: Object, template: str) -> None:
        self._made += 1
        metadata, pod = deployment["metadata"], deployment["spec"]["template"]
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}
        self._store.create(
            {
                "apiVersion": POD.api_version,
                "kind": POD.kind,
                "metadata": {
                    "name": f"{metadata['name']}-{self._made:06d}",
                    "namespace": metadata["namespace"],
                    "labels": pod["metadata"]["labels"],
                    "annotations": {_TEMPLATE: template},
                    "ownerReferences": [owner],
                },
                "spec": {**pod["spec"], "priority": self.priority_classes.get(pod["spec"].get("priorityClassName"), 0)},
                "status": {"phase": "Pending"},
            },
            _WRITER,
        )

    def _schedule(self, pod: Object) -> None:
        nodes = [parse_node(item) for item in self._store.kind(NODE.api_version, NODE.kind)]
        others = [parse_pod(item) for item in self._store.kind(POD.api_version, POD.kind)]
        placed, requests = [other for other in others if other.node], parse_pod(pod).requests
        chosen = place(pod, requests, nodes, placed)
        if chosen is None and (weaker := victims(pod, requests, nodes, placed)):
            for victim in weaker:
                self._store.delete(
                    ObjectRef(api_version="v1", kind="Pod", name=victim.name, namespace=victim.namespace)
                )
            chosen = place(pod, requests, nodes, [other for other in placed if other not in weaker])
        if chosen is None:
            self._status(pod, "Pending", PodScheduled=("False", "Unschedulable", f"0/{len(nodes)} nodes are available"))
            return
        self._store.edit(reference(pod), {"spec": {"nodeName": chosen}}, "kube-scheduler")
        started = {"startTime": self._clock.now().isoformat()}
        self._status(pod, "Running", started, PodScheduled=("True", "", ""), Ready=("False", "", ""))

    def _start(self, deployment: Object) -> None:
        ready, needed = 0, self._load_time(deployment)
        pods = self.pods_of(deployment)
        for pod in pods:
            if is_ready(pod["status"]):
                ready += 1
            elif (started := pod["status"].get("startTime")) is not None:
                ready += self._load(pod, datetime.fromisoformat(started), needed)
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": ready,
        }
        self._store.set_status(reference(deployment), status)

    def _load(self, pod: Object, started: datetime, needed: timedelta) -> bool:
        """Let a pod's engine go on loading; return whether it is ready now."""
        fields: dict[str, Any] = {"startTime": started.isoformat()}
        age = self._clock.now() - started
        crashes = pod["metadata"]["labels"].get(ACCELERATOR_LABEL) in self.crashing
        ready = not crashes and age >= needed
        self._wakes = min(self._wakes, self._clock.now() + _CRASHES_EVERY if crashes else started + needed)
        if crashes and age >= _CRASHES_EVERY:
            ended = {"terminated": {"exitCode": 1, "message": "the engine died while it loaded"}}
            fields["containerStatuses"] = [{"restartCount": age // _CRASHES_EVERY, "lastState": ended}]
        self._status(pod, "Running", fields, PodScheduled=("True", "", ""), Ready=(str(ready), "", ""))
        return ready

    def _status(
        self, pod: Object, phase: str, fields: dict[str, Any] | None = None, **conditions: tuple[str, str, str]
    ) -> None:
        since = {"lastTransitionTime": self._clock.now().isoformat()}
        named = [
            {"type": kind, "status": value, "reason": reason, "message": message}
            | (since if (kind, value) == ("Ready", "True") else {})
            for kind, (value, reason, message) in conditions.items()
        ]
        self._store.set_status(reference(pod), {"phase": phase, "conditions": named, **(fields or {})})
