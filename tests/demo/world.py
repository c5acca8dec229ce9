"""The cluster as the demo reads and changes it: kubectl for what a person would type, plain requests for reading."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from cluster.cluster import Cluster, Reach
from costpolicy.kube.connection import Connection
from costpolicy.kube.errors import Unavailable
from costpolicy.kube.gateway import POLICY_LABEL, VARIANT_LABEL
from costpolicy.kube.kinds import COST_POLICY, DEPLOYMENT, NODE, POD, PRICE_BOOK, SERVICE, Kind
from demo.journal import Journal

T = TypeVar("T")
Object = dict[str, Any]
NAMESPACE = "costpolicy-demo"
GPU = "nvidia.com/gpu"
PRODUCT = "nvidia.com/gpu.product"


class StepFailedError(Exception):
    """A step did not hold; the message says what was expected and what was seen."""


class NotSeenError(StepFailedError):
    """Something did not come about in time; the message says what was waited for and what was seen last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One cluster, one Prometheus, one patience: how many seconds anything may take to come about."""

    cluster: Cluster
    connection: Connection
    reach: Reach
    journal: Journal
    patience: float

    def apply(self, manifest: Path) -> None:
        """`kubectl apply` a file into the demo's namespace."""
        self.journal.does(f"kubectl apply -n {NAMESPACE} -f {'/'.join(manifest.parts[-2:])}")
        self.cluster.kubectl("apply", "-n", NAMESPACE, "-f", str(manifest))

    def apply_changed(self, manifest: Path, change: Object) -> None:
        """`kubectl apply` a file of one object after merging a change into it (RFC 7386)."""
        said = json.dumps(change)
        self.journal.does(
            f"kubectl patch --local -f {'/'.join(manifest.parts[-2:])} --type=merge -p '{said}' -o yaml"
            f" | kubectl apply -n {NAMESPACE} -f -"
        )
        changed = self.cluster.kubectl(
            *("patch", "--local", "-f", str(manifest), "--type=merge", "-p", said, "-o", "yaml")
        )
        self.cluster.kubectl("apply", "-n", NAMESPACE, "-f", "-", input=changed)

    def patch(self, policy: str, change: str, kind: str = "merge") -> None:
        """`kubectl patch` a policy."""
        self.journal.does(f"kubectl patch -n {NAMESPACE} costpolicy {policy} --type={kind} -p '{change}'")
        self.cluster.kubectl("patch", "-n", NAMESPACE, "costpolicy", policy, f"--type={kind}", "-p", change)

    def policy(self, name: str) -> Object:
        """Return a policy of the demo as stored."""
        return self._get(COST_POLICY, name)

    def status(self, name: str) -> Object:
        """Return the status that answers a policy's present generation, or an empty one while there is none."""
        stored = self.policy(name)
        status: Object = stored.get("status", {})
        return status if status.get("observedGeneration") == stored["metadata"]["generation"] else {}

    def ready(self, name: str) -> Object:
        """Wait until the answer to a policy's present generation is Ready and nothing is left to do; return its status."""

        def settled(status: Object) -> bool:
            return is_true(status, "Ready") and not any(
                is_true(status, unfinished) for unfinished in ("Reconciling", "RolloutInProgress")
            )

        return self.until(f"{name} is Ready", lambda: self.status(name), settled, _conditions)

    def deployments(self, policy: str) -> list[Object]:
        """Return the Deployments of a policy."""
        return self._list(DEPLOYMENT, NAMESPACE, {"labelSelector": f"{POLICY_LABEL}={policy}"})

    def pods(self, policy: str) -> list[Object]:
        """Return the pods of a policy that are not on their way out."""
        found = self._list(POD, NAMESPACE, {"labelSelector": f"{POLICY_LABEL}={policy}"})
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def ready_pods(self, policy: str) -> list[Object]:
        """Return the pods of a policy that are Ready."""
        return [pod for pod in self.pods(policy) if is_true(pod.get("status", {}), "Ready")]

    def events(self, policy: str, reason: str) -> list[Object]:
        """Return the events of a policy that carry a reason."""
        path = f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"
        items: list[Object] = self.connection.request("GET", path)["items"]
        return [event for event in items if event["reason"] == reason and event["regarding"]["name"] == policy]

    def products(self, policy: str) -> set[str]:
        """Return what accelerators the nodes of a policy's pods have, by the nodes' own labels."""
        names = {pod["spec"].get("nodeName", "") for pod in self.pods(policy)}
        nodes = {node["metadata"]["name"]: node["metadata"]["labels"] for node in self._list(NODE)}
        return {nodes[name].get(PRODUCT, "none") if name else "no node" for name in names}

    def price(self, accelerator: str) -> str:
        """Return the on-demand price of an accelerator in the demo's price book, as stored."""
        book = self._get(PRICE_BOOK, "example", namespace="")
        prices = {
            row["accelerator"]: row["hourly"] for row in book["spec"]["offerings"] if row["capacityType"] == "OnDemand"
        }
        return str(prices[accelerator])

    def service_url(self, name: str) -> str:
        """Return where a Service of the demo answers this machine."""
        return self.reach.service(self._get(SERVICE, name))

    def query(self, promql: str) -> float | None:
        """Return the one value of an instant query to Prometheus, or `None` if it has none."""
        answer = httpx.get(
            f"{self.reach.prometheus}/api/v1/query", params={"query": promql}, timeout=10, trust_env=False
        ).raise_for_status()
        result = answer.json()["data"]["result"]
        return float(result[0]["value"][1]) if len(result) == 1 else None

    def cost_series(self, policy: str) -> float | None:
        """Return what a policy costs an hour by the chart's recorded series."""
        return self.query(f'costpolicy_policy:cost_per_hour:sum{{namespace="{NAMESPACE}",policy="{policy}"}}')

    def until(
        self, what: str, look: Callable[[], T], holds: Callable[[T], bool], show: Callable[[T], object] = repr
    ) -> T:
        """Look every half second until it holds, and return what was seen then.

        Raises:
            NotSeenError: it did not hold within the patience.
        """
        deadline = time.monotonic() + self.patience
        heard = time.monotonic()
        while not holds(seen := _answered(look, deadline)):
            if time.monotonic() > deadline:
                raise NotSeenError(f"not within {self.patience:.0f} s: {what}; seen last: {show(seen)}")
            if time.monotonic() - heard > 15:
                heard = time.monotonic()
                self.journal.sees(f"... waiting until {what}; now: {show(seen)}")
            time.sleep(0.5)
        return seen

    def expect(self, holds: bool, what: str, seen: object) -> None:
        """Check something that must hold at once.

        Raises:
            StepFailedError: it does not.
        """
        if not holds:
            raise StepFailedError(f"expected: {what}; seen: {seen}")

    def _get(self, kind: Kind, name: str, namespace: str = NAMESPACE) -> Object:
        stored: Object = self.connection.request("GET", f"{kind.path(namespace)}/{name}")
        return stored

    def _list(self, kind: Kind, namespace: str = "", query: Mapping[str, str] | None = None) -> list[Object]:
        pages = self.connection.pages(kind.path(namespace), query)
        return [item for page in pages for item in page["items"]]


def _answered(look: Callable[[], T], deadline: float) -> T:
    """Look until the API server answers: on a busy machine it may take longer than a request waits for it."""
    while True:
        try:
            return look()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def is_true(status: Object, condition: str) -> bool:
    """Tell whether a condition of a status is True."""
    return any(one["type"] == condition and one["status"] == "True" for one in status.get("conditions", []))


def condition(status: Object, kind: str) -> str:
    """Return a condition as `Status/Reason`, for people."""
    found = next((one for one in status.get("conditions", []) if one["type"] == kind), None)
    return f"{found['status']}/{found['reason']}" if found else "none"


def variant_of(item: Object) -> str:
    """Return the variant that a pod or Deployment belongs to."""
    return str(item["metadata"]["labels"][VARIANT_LABEL])


def accelerators_of(deployment: Object) -> int:
    """Return how many accelerators one replica of a Deployment asks for."""
    return int(deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"][GPU])


def _conditions(status: Object) -> str:
    found = [
        f"{one['type']}={one['status']} {one['reason']}: {one.get('message', '')}"
        for one in status.get("conditions", [])
    ]
    return "; ".join(found) or "no answer yet"
