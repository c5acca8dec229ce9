"""A namespace with routes on the simulated store: the real reconciler, and a Deployment that rolls when the test says so."""

from datetime import timedelta
from typing import Any

from costpolicy.kube.gateway import Object, ObjectRef, reference
from costpolicy.kube.parsing import is_router
from costpolicy.observe.fleet import ObserveSettings
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.routes.reconciler import RouterDefaults, RoutesReconciler
from costpolicy.simulation.clock import SimulatedClock
from costpolicy.simulation.gateway import SimulatedGateway
from costpolicy.simulation.store import Store
from routed import IMAGE, NOW, prices, proof_data, route_document

NAMESPACE = "default"
USER = "kubectl"


class RouterWorld:
    """Attributes: ``keys`` are the master keys that were made, whether they were used or not."""

    def __init__(self, image: str = IMAGE, operator_image: str = "") -> None:
        self.clock = SimulatedClock(NOW)
        self.store = Store(self.clock)
        self.plain = SimulatedGateway(self.store)
        self.gateway: Any = self.plain
        self.image = image
        self.operator_image = operator_image
        self.keys: list[str] = []
        self.apply(prices().to_json())
        for name, threshold in (("small", "0.6"), ("medium", "0.9")):
            self.config_map(name, proof_data(threshold))
        self.restart()

    def restart(self) -> None:
        """Start the operator anew, which remembers nothing."""
        fleet = FleetWatch(self.gateway, None, self.clock, ObserveSettings())
        self.operator = RoutesReconciler(
            self.gateway,
            fleet,
            self.clock,
            RouterDefaults(image=self.image, operator_image=self.operator_image),
            self._new_key,
        )

    def _new_key(self) -> str:
        self.keys.append(f"sk-{len(self.keys)}")
        return self.keys[-1]

    def apply(self, document: Object) -> Object:
        """Apply as a user does."""
        return self.store.apply(document, USER)

    def route(self, name: str = "chat", **spec: Any) -> ObjectRef:
        """Apply a route, its uid being the store's."""
        document = route_document(name=name, **spec)
        del document["metadata"]["uid"], document["metadata"]["generation"]
        return reference(self.apply(document))

    def config_map(self, name: str, data: dict[str, str]) -> None:
        self.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": NAMESPACE}, "data": data}
        )

    def turn(self) -> None:
        """Let a moment pass and reconcile once."""
        self.clock.advance(timedelta(seconds=2))
        self.operator.reconcile(NAMESPACE)

    def roll(self) -> None:
        """Let the Deployment's controller and the kubelet bring up all replicas of its last version."""
        deployment = self.one("Deployment")
        replicas = deployment["spec"]["replicas"]
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), replicas)
        status = {**counts, "observedGeneration": deployment["metadata"]["generation"]}
        self.store.set_status(reference(deployment), status)

    def settle(self) -> None:
        """Reconcile and roll until nothing is to be done."""
        self.turn()
        self.roll()
        self.turn()
        self.turn()

    def all(self, kind: str) -> list[Object]:
        """The router's objects of a kind."""
        return [item for item in self.stored() if item["kind"] == kind]

    def stored(self) -> list[Object]:
        """The router's objects, with its ConfigMaps, which the operator itself may not list."""
        configurations = self.store.kind("v1", "ConfigMap")
        ours = (item for item in configurations if is_router(item["metadata"].get("labels", {})))
        return [*self.plain.router(NAMESPACE), *ours]

    def one(self, kind: str) -> Object:
        [item] = self.all(kind)
        return item

    def secret(self) -> Object | None:
        return self.store.get(ObjectRef(api_version="v1", kind="Secret", name="costpolicy-router", namespace=NAMESPACE))

    def status(self, ref: ObjectRef) -> dict[str, Any]:
        item = self.store.get(ref)
        assert item is not None
        return dict(item.get("status", {}))

    def says(self, ref: ObjectRef, kind: str) -> tuple[str, str]:
        [found] = [one for one in self.status(ref)["conditions"] if one["type"] == kind]
        return found["status"], found["reason"]

    def essence(self) -> dict[str, Any]:
        """What exists and what is said, without versions and times."""
        told = {item["metadata"]["name"]: item.get("status") for item in self.store.kind(*_ROUTE)}
        return {
            "objects": [(item["kind"], item["metadata"]["name"], item.get("spec")) for item in self.stored()],
            "secret": self.secret() is not None,
            "status": told,
        }


_ROUTE = ("costpolicy.dev/v1alpha1", "ModelRoute")
