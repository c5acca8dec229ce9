"""The same cluster on a machine with Docker and kind: same nodes, labels and accelerators, images loaded by kind.

Thinner than the local cluster: the real engine's image is pulled instead of borrowed from the host (there is no
runtime class `host-python`), and Prometheus is whatever you install. Needs `kind` and `kubectl` on the PATH.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from cluster import api_server, gpus
from cluster.binaries import KWOK_VERSION
from cluster.node import claim_accelerators
from cluster.paths import HERE, state_folder
from cluster.progress import ClusterError, say, step

NAME = "costpolicy"
CONFIGURATION = HERE / "kind.yaml"
KWOK_IMAGE = f"registry.k8s.io/kwok/kwok:v{KWOK_VERSION}"
NODE = f"{NAME}-control-plane"


@dataclass(frozen=True, slots=True)
class KindCluster:
    """The cluster named `costpolicy` of kind; `kubeconfig` is the administrator's."""

    kubeconfig: Path

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's own word
        """Run kubectl as the administrator and return what it prints; ClusterError with its message if it fails."""
        return api_server.run_client("kubectl", self.kubeconfig, arguments, input)

    def helm(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's own word
        """Run Helm as the administrator and return what it prints; ClusterError with its message if it fails."""
        return api_server.run_client("helm", self.kubeconfig, arguments, input)

    def import_image(self, archive: Path) -> None:
        """Put an image archive where the node finds it."""
        _run(load_command(archive))

    def add_gpu_nodes(
        self, product: str, count: int, *, gpus_per_node: int = 8, labels: Mapping[str, str] | None = None
    ) -> list[str]:
        """Add simulated nodes of a product of gpus.SIMULATED and return their names once they are Ready."""
        wanted = {product: count}
        return gpus.create_gpu_nodes(self.kubeconfig, wanted, gpus_per_node=gpus_per_node, labels=labels)


def create_command(kubeconfig: Path) -> list[str]:
    """Return the command that creates the cluster and waits for its node."""
    options = [f"--config={CONFIGURATION}", f"--kubeconfig={kubeconfig}", "--wait=180s"]
    return ["kind", "create", "cluster", f"--name={NAME}", *options]


def delete_command(kubeconfig: Path) -> list[str]:
    """Return the command that removes the cluster; kind does nothing where there is none."""
    return ["kind", "delete", "cluster", f"--name={NAME}", f"--kubeconfig={kubeconfig}"]


def load_command(archive: Path) -> list[str]:
    """Return the command that puts an image archive onto the node."""
    return ["kind", "load", "image-archive", str(archive), f"--name={NAME}"]


def up(nodes: Mapping[str, int]) -> KindCluster:
    """Bring the cluster up, or use the one that is; `nodes` are the simulated nodes it has at least."""
    _require("kind", "kubectl", "docker")
    cluster = KindCluster(state_folder().parent / "kind" / "kubeconfig")
    if NAME in _run(["kind", "get", "clusters"]).split():
        say(f"the cluster is up already: KUBECONFIG={cluster.kubeconfig}")
    else:
        cluster.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        with step("creating a cluster with kind"):
            _run(create_command(cluster.kubeconfig))
    claim_accelerators(cluster.kubeconfig, NODE, gpus.TESLA_T4, 8)
    cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(kwok_manifests()))
    cluster.kubectl("rollout", "status", "deployment/kwok", "-n", "kube-system", "--timeout=120s")
    gpus.complete_gpu_nodes(cluster.kubeconfig, nodes)
    return cluster


def down() -> None:
    """Remove the cluster."""
    _require("kind")
    _run(delete_command(state_folder().parent / "kind" / "kubeconfig"))


def kwok_manifests() -> list[dict[str, object]]:
    """Return kwok as a Deployment with the stages that the local cluster's kwok has."""
    name = {"name": "kwok", "namespace": "kube-system"}
    arguments = gpus.kwok_arguments(stages=Path("/etc/kwok/stages.yaml"))
    container = {
        "name": "kwok",
        "image": KWOK_IMAGE,
        "args": [*arguments, "--kubeconfig="],  # empty: in the cluster
        "volumeMounts": [{"name": "stages", "mountPath": "/etc/kwok", "readOnly": True}],
    }
    labels = {"app": "kwok"}
    pod = {
        "serviceAccountName": "kwok",
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
        "volumes": [{"name": "stages", "configMap": {"name": "kwok"}}],
    }
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "kwok"},
            # Only for a throw-away cluster: kwok plays many kubelets.
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", **name}],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": name,
            "data": {"stages.yaml": gpus.STAGES.read_text()},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": name,
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
    ]


def _require(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise ClusterError(f"CLUSTER=kind needs {' and '.join(missing)} on the PATH")


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
