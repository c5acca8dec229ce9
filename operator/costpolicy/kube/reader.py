"""One read with the user's own credentials, for the command line."""

from costpolicy.kube.connection import connect
from costpolicy.kube.errors import Gone
from costpolicy.kube.gateway import Object


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
