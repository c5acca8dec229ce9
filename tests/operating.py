"""The whole operator in this process, and the cluster as its users and controllers see it."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

from costpolicy.clock import SystemClock
from costpolicy.kube.connection import Connection, connect
from costpolicy.kube.errors import Gone
from costpolicy.kube.gateway import POLICY_LABEL, Object, ObjectRef, reference
from costpolicy.kube.kinds import COST_POLICY, DEPLOYMENT, SERVICE, kind_of, object_path
from costpolicy.runtime.main import production
from costpolicy.runtime.operator import Operator
from costpolicy.runtime.settings import Settings
from costpolicy.runtime.telemetry import Telemetry
from waiting import wait_until

OPERATOR_NAMESPACE = "costpolicy"
RESYNC = timedelta(seconds=1)


class Cluster:
    """The cluster as its users and its controllers see it."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self.connection = connection
        self.namespace = namespace

    def create(self, item: Object) -> Object:
        """Create an object, with its status where it has one."""
        metadata = {key: value for key, value in item["metadata"].items() if key not in ("uid", "generation")}
        item = {**item, "metadata": metadata}
        path = kind_of(reference(item)).path(metadata.get("namespace", ""))
        stored: Object = self.connection.request("POST", path, body=item)
        return self.edit(reference(item), {"status": item["status"]}, "/status") if "status" in item else stored

    def edit(self, ref: ObjectRef, change: dict[str, Any], subresource: str = "") -> Object:
        """Merge a change into an object, or into a subresource of it."""
        stored: Object = self.connection.request(
            "PATCH",
            f"{object_path(ref)}{subresource}",
            query={"fieldManager": "kubectl-edit"},
            body=change,
            content_type="application/merge-patch+json",
        )
        return stored

    def get(self, ref: ObjectRef) -> Object | None:
        """Return an object as stored."""
        try:
            stored: Object = self.connection.request("GET", object_path(ref))
        except Gone:
            return None
        return stored

    def remove(self, ref: ObjectRef) -> None:
        """Delete an object."""
        self.connection.request("DELETE", object_path(ref))

    def policy(self, name: str = "chat") -> Object:
        """Return a policy as stored."""
        stored = self.get(
            ObjectRef(api_version=COST_POLICY.api_version, kind=COST_POLICY.kind, name=name, namespace=self.namespace)
        )
        assert stored is not None
        return stored

    def condition(self, kind: str, name: str = "chat") -> tuple[str, str] | None:
        """Return status and reason of a condition of a policy."""
        found = self.policy(name).get("status", {}).get("conditions", ())
        return next(((each["status"], each["reason"]) for each in found if each["type"] == kind), None)

    def deployments(self, name: str = "chat") -> list[Object]:
        """Return the Deployments of a policy."""
        query = {"labelSelector": f"{POLICY_LABEL}={name}"}
        listed = self.connection.request("GET", DEPLOYMENT.path(self.namespace), query=query)["items"]
        return [{"apiVersion": DEPLOYMENT.api_version, "kind": DEPLOYMENT.kind, **item} for item in listed]

    def services(self) -> list[Object]:
        """Return all Services of the namespace."""
        found: list[Object] = self.connection.request("GET", SERVICE.path(self.namespace))["items"]
        return found

    def all_ready(self, name: str = "chat") -> None:
        """Every replica that is asked for is ready, as the Deployment controller would say."""
        for item in self.deployments(name):
            count = item["spec"]["replicas"]
            status = {
                "observedGeneration": item["metadata"]["generation"],
                "replicas": count,
                "updatedReplicas": count,
                "readyReplicas": count,
                "availableReplicas": count,
            }
            self.edit(reference(item), {"status": status}, "/status")

    def events(self) -> list[str]:
        """Return the reasons of the events about policies; the API server publishes its own about Services."""
        listed = self.connection.request("GET", f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events")
        return sorted(event["reason"] for event in listed["items"] if event["regarding"]["kind"] == COST_POLICY.kind)


class Running:
    """An operator in a thread of this process, as ``python -m costpolicy.runtime`` composes it; keywords are settings."""

    def __init__(self, kubeconfig: Path, namespace: str, **changes: Any) -> None:
        self.requests: list[str] = []
        self.turns = 0
        settings = Settings(
            namespaces=(namespace,),
            resync_interval=RESYNC,
            lease_namespace=OPERATOR_NAMESPACE,
            identity=namespace,
            metrics_port=0,
            health_port=0,
            workers=2,
            **changes,
        )
        clock, self.telemetry = SystemClock(), Telemetry()
        connection = connect(kubeconfig=str(kubeconfig), observer=self._observe)
        self.operator = Operator(settings, connection, self.telemetry, clock, production(settings, clock))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.operator.run, args=(self._stop,))

    def _observe(self, method: str, code: int) -> None:
        self.telemetry.requested(method, code)
        self.requests.append(method)

    def start(self) -> "Running":
        """Start it; it finds its work by itself."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop it as SIGTERM does."""
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        # The operator does not wait long for its watches; what they leave open would fail a later test.
        wait_until(lambda: not any(thread.name == "watch" for thread in threading.enumerate()), seconds=30)

    def writes(self) -> int:
        """Return the requests that change objects; the lease is renewed by PUT and not counted."""
        return sum(method in {"PATCH", "DELETE", "POST"} for method in self.requests)

    def reconciles(self) -> float:
        """Return how many reconciles have succeeded."""
        return self.telemetry.registry.get_sample_value("costpolicy_reconcile_total", {"result": "success"}) or 0.0
