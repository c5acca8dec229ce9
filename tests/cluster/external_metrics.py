"""A server of ``external.metrics.k8s.io`` whose values a test writes, and how it is registered."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from cluster import binaries
from cluster.api_server import ApiServer, free_ports, run_client
from cluster.processes import start_tied, wait_until
from cluster.progress import ClusterError, tail

_NAMESPACE = "default"
_GROUP = "v1beta1.external.metrics.k8s.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalMetrics:
    """A running server; the values are those of the file, at every moment."""

    server: ApiServer
    values: Path
    process: "subprocess.Popen[bytes]"

    def write(self, values: Mapping[str, str]) -> None:
        """Let metrics have these values, as quantities; any other has none."""
        unfinished = self.values.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(values))
        unfinished.rename(self.values)

    def stop(self) -> None:
        """End the server and take its registration back."""
        self.server.kubectl("delete", "apiservice", _GROUP)
        self.process.kill()
        self.process.wait()


def start_external_metrics(server: ApiServer) -> ExternalMetrics:
    """Start one beside an API server with controllers; it has no value of anything until some are written."""
    (port,) = free_ports(1)
    folder = server.folder / "external-metrics"
    folder.mkdir(exist_ok=True)
    log = folder / "server.log"
    process = start_tied(_command(server, folder, port), log)
    running = ExternalMetrics(server=server, values=folder / "values.json", process=process)
    running.write({})
    try:
        server.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(_registration(port)))
        wait_until("the external metrics API", 60, _available(running, log))
    except BaseException:
        running.stop()
        raise
    return running


def _command(server: ApiServer, folder: Path, port: int) -> list[str | Path]:
    return [
        binaries.path("external-metrics"),
        *(f"--values={folder / 'values.json'}", f"--cert-dir={folder}"),
        *(f"--secure-port={port}", "--bind-address=127.0.0.1"),
        *(f"--{role}-kubeconfig={server.kubeconfig}" for role in ("lister", "authentication", "authorization")),
        # The API server has no certificate of its own to show to a server behind it, so that whoever asks is anonymous.
        *("--authentication-skip-lookup", "--authorization-always-allow-paths=/*"),
    ]


def _registration(port: int) -> Iterator[dict[str, object]]:
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
        "metadata": {"name": _GROUP},
        "spec": {
            "group": "external.metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": name, "namespace": _NAMESPACE, "port": port},
        },
    }


def _available(running: ExternalMetrics, log: Path) -> Iterator[bool]:
    path = '{.status.conditions[?(@.type=="Available")].status}'
    while True:
        if running.process.poll() is not None:
            raise ClusterError(f"external-metrics ended; the end of {log}:\n{tail(log)}")
        shown = run_client(
            "kubectl", running.server.kubeconfig, ["get", "apiservice", _GROUP, "-o", f"jsonpath={path}"]
        )
        yield shown == "True"
