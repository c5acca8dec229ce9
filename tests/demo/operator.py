"""The first step: the operator that the chart installed is available and leads."""

from costpolicy.kube.errors import Gone
from costpolicy.kube.kinds import DEPLOYMENT, POD
from demo.stage import RELEASE, SYSTEM
from demo.world import Object, World


def runs(world: World) -> None:
    """Wait until the chart's Deployment is available and one of its pods holds the Lease."""
    world.journal.step("The operator runs as its chart's pod")
    available = world.until(
        f"the Deployment {RELEASE} is available",
        lambda: _get(world, f"{DEPLOYMENT.path(SYSTEM)}/{RELEASE}").get("status", {}).get("availableReplicas", 0),
        lambda count: count >= 1,
    )
    lease = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/{RELEASE}"
    pods = {pod["metadata"]["name"]: pod for pod in _get(world, POD.path(SYSTEM))["items"]}
    holder = world.until(
        "one of its pods holds the Lease",
        lambda: _get(world, lease).get("spec", {}).get("holderIdentity", ""),
        lambda name: name in pods,
    )
    account = pods[holder]["spec"]["serviceAccountName"]
    world.journal.row(
        "the operator", f"{available} available; {holder} leads as the service account {account}", source="API server"
    )


def _get(world: World, path: str) -> Object:
    try:
        found: Object = world.connection.request("GET", path)
    except Gone:
        return {}
    return found
