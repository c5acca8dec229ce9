"""How a server of ``external.metrics.k8s.io`` on this machine is registered with an API server.

It is the API that the HorizontalPodAutoscaler's controller asks; who serves it is one APIService's to say.
"""

from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import yaml

from cluster.api_server import ApiServer, run_client
from cluster.processes import wait_until
from cluster.progress import ClusterError, tail

_NAMESPACE = "default"
_SERVICE = "v1beta1.external.metrics.k8s.io"

UNAUTHENTICATED = (
    "--bind-address=127.0.0.1",
    # The API server has no certificate of its own to show to a server behind it, so that whoever asks is anonymous.
    "--authentication-skip-lookup",
    "--authorization-always-allow-paths=/*",
)
"""Arguments of a server that is built on the custom-metrics-apiserver library, where nobody has to say who asks."""


def register(server: ApiServer, port: int, process: "Popen[bytes]", log: Path) -> None:
    """Let this server answer for external metrics, and wait until it does.

    Raises:
        ClusterError: it ended, or did not become available.
    """
    server.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(_objects(port)))
    wait_until("the external metrics API", 60, _available(server, process, log))


def unregister(server: ApiServer) -> None:
    """Let nobody answer for external metrics."""
    server.kubectl("delete", "apiservice", _SERVICE, "--ignore-not-found")


def _objects(port: int) -> Iterator[dict[str, object]]:
    """Yield the rights of who asks, the Service (nothing routes cluster addresses here) and the APIService."""
    name = "external-metrics"
    authorization = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name}}
    yield {
        **authorization,
        "kind": "ClusterRole",
        "rules": [{"apiGroups": ["external.metrics.k8s.io"], "resources": ["*"], "verbs": ["get", "list"]}],
    }
    yield {
        **authorization,
        "kind": "ClusterRoleBinding",
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "User", "name": "system:anonymous", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": _NAMESPACE},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    }
    yield {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": _SERVICE},
        "spec": {
            "group": "external.metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": name, "namespace": _NAMESPACE, "port": port},
        },
    }


def _available(server: ApiServer, process: "Popen[bytes]", log: Path) -> Iterator[bool]:
    path = '{.status.conditions[?(@.type=="Available")].status}'
    while True:
        if process.poll() is not None:
            raise ClusterError(f"{log.stem} ended; the end of {log}:\n{tail(log)}")
        yield (
            run_client("kubectl", server.kubeconfig, ["get", "apiservice", _SERVICE, "-o", f"jsonpath={path}"])
            == "True"
        )
