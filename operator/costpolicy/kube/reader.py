"""Reads with the user's own credentials, for the command line."""

from costpolicy.api.policy import CostPolicy
from costpolicy.kube.connection import connect
from costpolicy.kube.errors import Gone
from costpolicy.kube.gateway import Object, Unreadable
from costpolicy.kube.kinds import COST_POLICY
from costpolicy.kube.parsing import parse_policy


def read_deployment(namespace: str, name: str) -> Object | None:
    """Return a Deployment, or ``None`` where there is none.

    Raises:
        GatewayError: there is no cluster to ask, or it refuses.
    """
    connection = connect()
    try:
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        found: Object = connection.request("GET", path)
    except Gone:
        return None
    finally:
        connection.close()
    return found


def read_policies(namespace: str) -> list[CostPolicy | Unreadable]:
    """Return the stored CostPolicies of a namespace, or of all where it is empty.

    Raises:
        GatewayError: there is no cluster to ask, it refuses, or it lacks the kind.
    """
    connection = connect()
    head = {"apiVersion": COST_POLICY.api_version, "kind": COST_POLICY.kind}
    try:
        pages = connection.pages(COST_POLICY.path(namespace))
        return [parse_policy({**head, **item}) for page in pages for item in page["items"]]
    finally:
        connection.close()
