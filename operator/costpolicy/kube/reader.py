"""Reads with the user's own credentials, for the command line: GET requests and nothing else."""

from dataclasses import dataclass

from costpolicy.api.policy import CostPolicy
from costpolicy.kube.connection import Connection, connect
from costpolicy.kube.errors import Forbidden
from costpolicy.kube.gateway import Node, Object, Pod, Unreadable
from costpolicy.kube.kinds import COST_POLICY, DEPLOYMENT, NODE, POD, Kind
from costpolicy.kube.parsing import FINISHED, parse_node, parse_pod, parse_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Workloads:
    """Deployments with what is needed to price them.

    ``nodes_refused`` is the API server's reason why nodes may not be listed, which the ClusterRole ``view`` does not allow;
    empty: they may.
    """

    deployments: tuple[Object, ...]
    pods: tuple[Pod, ...]
    nodes: tuple[Node, ...]
    nodes_refused: str = ""


def read_workloads(namespace: str) -> Workloads:
    """Return the Deployments of a namespace, or of all where it is empty, the pods there, and the nodes if they may be read.

    Raises:
        GatewayError: there is no cluster to ask, or it refuses Deployments or pods.
    """
    connection = connect()
    try:
        nodes, refused = _nodes(connection)
        return Workloads(
            deployments=_items(connection, DEPLOYMENT, namespace),
            pods=tuple(
                pod for item in _items(connection, POD, namespace) if (pod := parse_pod(item)).phase not in FINISHED
            ),
            nodes=nodes,
            nodes_refused=refused,
        )
    finally:
        connection.close()


def _nodes(connection: Connection) -> tuple[tuple[Node, ...], str]:
    try:
        return tuple(parse_node(item) for item in _items(connection, NODE, "")), ""
    except Forbidden as error:
        return (), str(error)


def _items(connection: Connection, kind: Kind, namespace: str) -> tuple[Object, ...]:
    head = {"apiVersion": kind.api_version, "kind": kind.kind}
    return tuple({**head, **item} for page in connection.pages(kind.path(namespace)) for item in page["items"])


def read_policies(namespace: str) -> list[CostPolicy | Unreadable]:
    """Return the stored CostPolicies of a namespace, or of all where it is empty.

    Raises:
        GatewayError: there is no cluster to ask, it refuses, or it lacks the kind.
    """
    connection = connect()
    try:
        return [parse_policy(item) for item in _items(connection, COST_POLICY, namespace)]
    finally:
        connection.close()
