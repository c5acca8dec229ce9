"""The routers of the demo's namespace: a real LiteLLM in the pods that the operator makes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster.cluster import RealEngine, RealRouter
from cluster.paths import CHECKOUT
from costpolicy.kube.kinds import MODEL_ROUTE, POD
from demo.stage import RELEASE, SYSTEM
from demo.world import NAMESPACE, Object, World, is_true

ROUTE = "chat"
ROUTER = "costpolicy-router"
MANIFEST = Path(__file__).with_name("manifests") / "route.yaml"
_LABEL = "app.kubernetes.io/component=router"


@dataclass(frozen=True, slots=True)
class Routers:
    """The pods of the router, and the engine whose image applications run on."""

    world: World
    engine: RealEngine

    @classmethod
    def provided(cls, world: World, engine: RealEngine) -> "Routers":
        """Let the operator know the cluster's LiteLLM."""
        router = world.cluster.provide_router()
        repository, _, tag = router.image.rpartition(":")
        values = {"router.image.repository": repository, "router.image.tag": tag, "router.allowTag": "true"}
        settings = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
        chart = CHECKOUT / "charts" / "costpolicy-operator"
        world.cluster.helm("upgrade", RELEASE, str(chart), "-n", SYSTEM, "--reuse-values", *settings)
        if router.runtime_class is not None:
            world.cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(_lent(router)))
        return cls(world, engine)

    def ready(self) -> Object:
        """Wait until the route is Ready; return its status."""
        ready = lambda status: is_true(status, "Ready")  # noqa: E731
        return self.world.until("the route is Ready", self.status, ready, lambda _: self.condition("Ready"))

    def status(self) -> Object:
        """Return the status that answers the route's present generation, or an empty one while there is none."""
        stored = self.world.connection.request("GET", f"{MODEL_ROUTE.path(NAMESPACE)}/{ROUTE}")
        status: Object = stored.get("status", {})
        return status if status.get("observedGeneration") == stored["metadata"]["generation"] else {}

    def condition(self, kind: str) -> Object:
        """Return a condition of the route."""
        found = [one for one in self.status().get("conditions", ()) if one["type"] == kind]
        return found[0] if found else {"status": "Unknown", "reason": "", "message": ""}

    def pods(self) -> set[str]:
        """Return the names of the router's pods that are Ready, and of those on their way out."""
        found = self.world.connection.request("GET", POD.path(NAMESPACE), query={"labelSelector": _LABEL})["items"]
        return {
            pod["metadata"]["name"]
            for pod in found
            if is_true(pod.get("status", {}), "Ready") or "deletionTimestamp" in pod["metadata"]
        }

    def restarts(self) -> int:
        """Return how often a container of the routers that are there was started anew."""
        found = self.world.connection.request("GET", POD.path(NAMESPACE), query={"labelSelector": _LABEL})["items"]
        states = (state for pod in found for state in pod.get("status", {}).get("containerStatuses", ()))
        return sum(state["restartCount"] for state in states)

    def logs(self) -> str:
        """Return everything that the router's pods have logged."""
        return self.world.cluster.kubectl("logs", "-n", NAMESPACE, "-l", _LABEL, "--tail=-1", "--prefix")


def _lent(router: RealRouter) -> list[dict[str, Any]]:
    """Return what gives the router's pods the runtime class that they need here; elsewhere their image has everything."""
    name = {"name": "costpolicy-lent-router"}
    change = f'Object{{spec: Object.spec{{runtimeClassName: "{router.runtime_class}"}}}}'
    kind = "admissionregistration.k8s.io/v1"
    policy = {
        "apiVersion": kind,
        "kind": "MutatingAdmissionPolicy",
        "metadata": name,
        "spec": {
            "reinvocationPolicy": "Never",
            "matchConstraints": {
                "objectSelector": {"matchLabels": {"app.kubernetes.io/component": "router"}},
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
                ],
            },
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": change}}],
        },
    }
    binding = {
        "apiVersion": kind,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": name,
        "spec": {"policyName": name["name"]},
    }
    return [policy, binding]
